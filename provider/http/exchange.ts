import { request } from "#undici";
import { endWithRun } from "./cancellation";
import { type Clock, systemClock } from "./clock";
import { dispatcherFor, routeOf } from "./dispatcher";
import { type NetworkFault, networkFault } from "./network-fault";

export interface ExchangeRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** For the whole exchange, in ms. */
  readonly timeout: number;
  /** Longest answer accepted, in bytes. */
  readonly maxBytes: number;
  readonly clock?: Clock;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly bytes: Uint8Array;
}

/** One request, one whole answer or the fault that prevented it; redirects are answers, never followed. */
export async function exchange(asked: ExchangeRequest): Promise<Answer | NetworkFault> {
  // One clock for the whole exchange: a server that sends a byte now and then must not hold us for ever.
  const end = new AbortController();
  const silence = (asked.clock ?? systemClock).alarm(asked.timeout, (reason) => end.abort(reason));
  const ended = endWithRun(end);
  try {
    const { url, host } = routeOf(asked.url);
    const reply = await request(url, {
      method: asked.method as "GET",
      headers: host === undefined ? asked.headers : { ...asked.headers, host },
      body: asked.body,
      dispatcher: dispatcherFor(url),
      signal: end.signal,
      headersTimeout: asked.timeout,
      bodyTimeout: asked.timeout,
    });
    const tooLarge: NetworkFault = {
      kind: "too-large",
      sent: true,
      text: `the answer is larger than ${asked.maxBytes} bytes`,
    };
    const headers = flat(reply.headers);
    // Announced: not worth the first byte.
    if (Number(headers["content-length"]) > asked.maxBytes) {
      reply.body.on("error", () => undefined).destroy();
      return tooLarge;
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of reply.body as AsyncIterable<Uint8Array>) {
      size += part.length;
      // Leaving the loop destroys the body and with it the connection.
      if (size > asked.maxBytes) return tooLarge;
      parts.push(part);
    }
    return { status: reply.statusCode, headers, bytes: joined(parts, size) };
  } catch (error) {
    return networkFault(error);
  } finally {
    silence();
    ended();
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function isFault(result: Answer | NetworkFault): result is NetworkFault {
  return "kind" in result;
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const pairs = Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]);
  return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
}

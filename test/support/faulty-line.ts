import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One request that came along the line. */
export interface LineCall {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** The header of that name; "" where there is none. */
  readonly authorization: string;
  /** Position among the calls that are not GET, from 1; undefined for a GET. */
  readonly write: number | undefined;
}

/**
 * "lose": the platform does it, and the connection ends without a reply. "drop": the same, but the platform is not asked.
 * "die": as "lose", and from then on nothing of this process reaches the platform any more. A reply: the platform is not
 * asked. A function: the platform does it, then this is called, and what it answers happens to the reply.
 */
export type Fate = "pass" | "lose" | "drop" | "die" | LineReply | (() => "pass" | "lose" | Promise<"pass" | "lose">);

export interface LineReply {
  readonly status: number;
  readonly text: string;
  /** Default "application/json". */
  readonly type?: string;
  /** More headers, such as Retry-After. */
  readonly headers?: Record<string, string>;
}

export interface FaultyLine {
  readonly url: string;
  readonly calls: readonly LineCall[];
  close(): Promise<void>;
}

/**
 * A real HTTP proxy on a free port before a platform, that loses what `fate` says. A function as `target` is asked at
 * each call, for a platform that is replaced by another one.
 */
export async function openFaultyLine(
  target: string | (() => string),
  fate: (call: LineCall) => Fate | Promise<Fate> = () => "pass",
  /** What the platform sees in place of a header "authorization", for telling processes apart by their tokens. */
  authorizationFor: (given: string) => string = (given) => given,
): Promise<FaultyLine> {
  const calls: LineCall[] = [];
  let writes = 0;
  let dead = false;

  const carry = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(incoming);
    // Refused rather than cut off: a caller that would try again for a minute has been dead all that time.
    if (dead) return void response.writeHead(403, { "content-type": "application/json" }).end('{"error":"dead"}');
    const method = incoming.method ?? "GET";
    const path = incoming.url ?? "/";
    const { authorization = "" } = incoming.headers;
    const call = { method, path, body, authorization, write: method === "GET" ? undefined : ++writes };
    calls.push(call);
    const decided = await fate(call);
    if (decided === "drop") return void response.destroy();
    if (typeof decided === "object") {
      return void response
        .writeHead(decided.status, { "content-type": decided.type ?? "application/json", ...decided.headers })
        .end(decided.text);
    }
    if (decided === "die") dead = true;
    const { host: _, connection: __, "content-length": ___, "transfer-encoding": ____, ...headers } = incoming.headers;
    const reply = await fetch((typeof target === "string" ? target : target()) + path, {
      method,
      headers: {
        ...(headers as Record<string, string>),
        ...(authorization === "" ? {} : { authorization: authorizationFor(authorization) }),
      },
      body: body === "" ? undefined : body,
    });
    const bytes = Buffer.from(await reply.arrayBuffer());
    if ((typeof decided === "function" ? await decided() : decided) !== "pass") return void response.destroy();
    response.writeHead(reply.status, { "content-type": reply.headers.get("content-type") ?? "application/json" });
    response.end(bytes);
  };
  const server = createServer((incoming, response) => {
    carry(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function text(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

/**
 * Runs `scene` without a fault (n is 0) to learn how many writes it takes, then with a fault at each of them, some at a
 * time. The scene answers how many writes its line carried.
 */
export async function atEveryWrite(scene: (n: number) => Promise<number>): Promise<void> {
  const writes = await scene(0);
  if (writes === 0) throw new Error("The scene writes nothing, so nothing was tried.");
  const left = Array.from({ length: writes }, (_, i) => i + 1);
  const worker = async (): Promise<void> => {
    for (let n = left.shift(); n !== undefined; n = left.shift()) {
      try {
        await scene(n);
      } catch (error) {
        throw new Error(`With a fault at write ${n} of ${writes}: ${String(error)}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}

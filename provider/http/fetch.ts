import type { Clock } from "./clock";
import { exchange, isFault } from "./exchange";
import { faultError } from "./network-fault";
import { userAgent } from "./user-agent";

export interface PooledFetchOptions {
  /** For the whole exchange, in ms. Default 30,000. */
  readonly timeout?: number;
  /** Longest answer accepted, in bytes. Default 64 MiB. */
  readonly maxBytes?: number;
  readonly clock?: Clock;
  /** Sent in place of the request's own, which can be read only once. */
  readonly headers?: Headers;
  readonly body?: Uint8Array;
}

/**
 * A `fetch` over the process's connection pools, for `@libsql/client`. One attempt; network failures are
 * TenantryErrors ("unreachable", "timed-out") whose `afterLostReply` says whether the request may have had its effect.
 */
export async function pooledFetch(request: Request, options: PooledFetchOptions = {}): Promise<Response> {
  const url = new URL(request.url);
  const body = options.body ?? (request.body ? new Uint8Array(await request.arrayBuffer()) : undefined);
  const result = await exchange({
    method: request.method,
    url,
    headers: { "user-agent": userAgent, ...Object.fromEntries(options.headers ?? request.headers) },
    body,
    timeout: options.timeout ?? 30_000,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
    clock: options.clock,
  });
  if (isFault(result)) throw faultError(result, `${request.method} ${url.origin}${url.pathname}`, false);
  const empty = result.status === 204 || result.status === 205 || result.status === 304;
  return new Response(empty ? null : result.bytes, { status: result.status, headers: result.headers });
}

import { Agent, EnvHttpProxyAgent } from "#undici";
import type { Dispatcher } from "undici";

/** Time to establish a connection, in ms; the time for the whole exchange is the caller's. */
const connectTimeout = 10_000;
/** Connections per origin. The limiter holds the control plane far below; this bounds fan-out to one SQL host. */
const connections = 128;

const options = { connections, pipelining: 1, connect: { timeout: connectTimeout } };

let direct: Dispatcher | undefined;
let proxied: Dispatcher | undefined;

/**
 * The process's one set of connection pools (a pool per origin). HTTPS_PROXY, HTTP_PROXY and NO_PROXY are honoured, but
 * not for this machine itself: a proxy cannot reach the embedded platform.
 */
export function dispatcherFor(origin: URL): Dispatcher {
  if (isLoopback(origin.hostname)) return (direct ??= new Agent(options));
  return (proxied ??= new EnvHttpProxyAgent(options));
}

/**
 * Where to connect to, and the Host header if that does not follow from it. Names below "localhost" are this machine (RFC
 * 6761, section 6.3), but not every resolver knows: plain Debian's does not. libsql-server tells its databases apart by such
 * names, so that all of them share the connections to one server.
 */
export function routeOf(url: URL): { readonly url: URL; readonly host?: string } {
  if (url.protocol !== "http:" || !url.hostname.endsWith(".localhost")) return { url };
  const local = new URL(url);
  local.hostname = "localhost";
  return { url: local, host: url.host };
}

export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    hostname === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

/** Closes every pool at once; for tests and for a library's `close`. The next request opens new ones. */
export async function closeConnections(): Promise<void> {
  const open = [direct, proxied];
  direct = proxied = undefined;
  await Promise.all(open.map((dispatcher) => dispatcher?.destroy()));
}

import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { TenantryError } from "../platform/errors";

export interface LocalServer {
  /** Without a slash at its end, e.g. "http://127.0.0.1:7117". */
  readonly url: string;
  /**
   * Takes no more connections, lets requests under way finish (for a while), then ends. `hurry` is to end what keeps the
   * last ones from being answered.
   */
  close(hurry: () => Promise<void>): Promise<void>;
}

// Long enough for a query under way; short enough for whoever pressed Ctrl-C.
const grace = 3_000;
const farewell = 300;

/** Fails with "invalid-input" where the address cannot be had, naming it. */
export async function listen(app: Hono, host: string, port: number): Promise<LocalServer> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  const unanswered = new Set<ServerResponse>();
  let closing = false;
  server.prependListener("request", (_, response: ServerResponse) => {
    unanswered.add(response);
    response.once("close", () => unanswered.delete(response));
    if (closing) endAfter(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  // Every address of this machine, which is none to connect to: not every system takes it for its own.
  const own = { "0.0.0.0": "127.0.0.1", "::": "::1" }[address.address] ?? address.address;
  const shown = address.family === "IPv6" ? `[${own}]` : own;
  return {
    url: `http://${shown}:${address.port}`,
    close: (hurry) =>
      new Promise((resolve) => {
        closing = true;
        unanswered.forEach(endAfter);
        let cut = setTimeout(() => {
          // The answers that come of it need a moment to leave.
          cut = setTimeout(() => server.closeAllConnections(), farewell);
          hurry().catch(() => undefined);
        }, grace);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** A kept connection would let a busy client go on until it is cut. */
function endAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("connection", "close");
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new TenantryError("invalid-input", `Port ${port} on ${host} is in use.`, {
      fix: "Stop what listens there, or choose another port.",
      cause: error,
    });
  }
  return new TenantryError("invalid-input", `Cannot listen on ${host}:${port} (${error.code ?? error.message}).`, {
    cause: error,
  });
}

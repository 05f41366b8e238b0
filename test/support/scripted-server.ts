import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

export interface ScriptedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string | string[] | undefined>;
  /** Parsed where it is JSON, undefined where it is empty. */
  readonly body: unknown;
  /** How often this method and path have been asked, this time included. */
  readonly attempt: number;
}

/**
 * "drop": the connection ends without a byte. "truncate": it ends in the middle of a body whose length was announced,
 * "cut": of a body in chunks. "stall": no end at all. "flood": the text again and again, as long as somebody reads.
 */
export const faults = ["drop", "truncate", "cut", "stall", "flood"] as const;
export type Fault = (typeof faults)[number];

export interface ScriptedReply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly text?: string;
  readonly bytes?: Buffer;
  /** Before the reply begins, in ms. */
  readonly delay?: number;
  readonly fault?: Fault;
  /** Called when what is sent has been handed to the network. */
  readonly onSent?: () => void;
}

export interface ScriptedServer {
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
  /** Most requests that were open at the same time. */
  readonly busiest: number;
  /** Connections that were opened, refused ones not counted. */
  readonly connections: number;
  /** Bytes of bodies that were handed to the network. */
  readonly sent: number;
  /** From now on connections are refused; those that are open end. */
  stop(): Promise<void>;
  /** Back at the same address. */
  start(): Promise<void>;
}

export interface ScriptedServerOptions {
  /** Speaks TLS with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Whether the nth connection (from 1) ends before anything is read from it. */
  readonly unread?: (connection: number) => boolean;
}

export type Script = (request: ScriptedRequest) => ScriptedReply | Promise<ScriptedReply>;

/** A real HTTP server on a free port, alive while `use` runs, that answers as `script` says. */
export async function withScriptedServer<Result>(
  script: Script,
  use: (server: ScriptedServer) => Promise<Result>,
  { tls, unread }: ScriptedServerOptions = {},
): Promise<Result> {
  const requests: ScriptedRequest[] = [];
  let open = 0;
  let busiest = 0;
  let connections = 0;
  let sent = 0;
  const failures: unknown[] = [];

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    busiest = Math.max(busiest, ++open);
    response.on("close", () => (open -= 1));
    const request = await readRequest(incoming, requests);
    requests.push(request);
    const reply = await script(request);
    if (reply.delay) await new Promise((resolve) => setTimeout(resolve, reply.delay));
    send(response, reply, (bytes) => (sent += bytes));
  };
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    answer(incoming, response).catch((error: unknown) => {
      failures.push(error);
      response.destroy();
    });
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  server.on("connection", (socket: Socket) => {
    connections += 1;
    if (unread?.(connections)) socket.resetAndDestroy();
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  try {
    const result = await use({
      url: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
      requests,
      get busiest() {
        return busiest;
      },
      get connections() {
        return connections;
      },
      get sent() {
        return sent;
      },
      stop: () => close(server),
      start: () => listen(port),
    });
    if (failures.length > 0) throw failures[0];
    return result;
  } finally {
    await close(server);
  }
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  // Its error, "not running", is what is wanted.
  await new Promise((resolve) => server.close(resolve));
}

/** An address that refuses connections: a port that was free a moment ago. */
export async function refusingUrl(): Promise<string> {
  return withScriptedServer(
    () => ({}),
    async ({ url }) => url,
  );
}

let tokens = 0;

/** A token that no other test uses: limiter and breaker are shared by token within a process. */
export function freshToken(): string {
  tokens += 1;
  return `platform-token-${process.pid}-${tokens}`;
}

/** An unsigned JWT with these claims. */
export function fakeJwt(claims: Record<string, unknown>, header: Record<string, unknown> = { alg: "EdDSA" }): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ typ: "JWT", ...header })}.${part(claims)}.c2lnbmF0dXJl`;
}

async function readRequest(incoming: IncomingMessage, before: readonly ScriptedRequest[]): Promise<ScriptedRequest> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString("utf8");
  const url = new URL(incoming.url ?? "/", "http://scripted");
  const method = incoming.method ?? "GET";
  return {
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: incoming.headers,
    body: text === "" ? undefined : JSON.parse(text),
    attempt: before.filter((other) => other.method === method && other.path === url.pathname).length + 1,
  };
}

function send(response: ServerResponse, reply: ScriptedReply, count: (bytes: number) => void): void {
  if (reply.fault === "drop") return void response.destroy();
  const text = Buffer.from(reply.json === undefined ? (reply.bytes ?? reply.text ?? "") : JSON.stringify(reply.json));
  const type = reply.json === undefined ? "text/plain" : "application/json";
  const length = reply.fault === "cut" || reply.fault === "flood" ? {} : { "content-length": text.length };
  response.writeHead(reply.status ?? 200, { "content-type": type, ...length, ...reply.headers });
  if (reply.fault === "flood") return flood(response, text, count);
  count(text.length);
  if (!reply.fault) return void response.end(text);
  response.write(text.subarray(0, Math.ceil(text.length / 2)), () => {
    reply.onSent?.();
    if (reply.fault !== "stall") response.destroy();
  });
}

function flood(response: ServerResponse, chunk: Buffer, count: (bytes: number) => void): void {
  const pour = (): void => {
    while (!response.destroyed) {
      count(chunk.length);
      if (!response.write(chunk)) return void response.once("drain", pour);
    }
  };
  pour();
}

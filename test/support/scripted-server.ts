import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

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

export interface ScriptedReply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly text?: string;
  /** Before the reply begins, in ms. */
  readonly delay?: number;
  /** "drop": the connection ends without a byte. "truncate": it ends in the middle of the body. "stall": no end at all. */
  readonly fault?: "drop" | "truncate" | "stall";
}

export interface ScriptedServer {
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
  /** Most requests that were open at the same time. */
  readonly busiest: number;
}

export type Script = (request: ScriptedRequest) => ScriptedReply | Promise<ScriptedReply>;

/** A real HTTP server on a free port, alive while `use` runs, that answers as `script` says. */
export async function withScriptedServer<Result>(
  script: Script,
  use: (server: ScriptedServer) => Promise<Result>,
): Promise<Result> {
  const requests: ScriptedRequest[] = [];
  let open = 0;
  let busiest = 0;
  const failures: unknown[] = [];

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    busiest = Math.max(busiest, ++open);
    response.on("close", () => (open -= 1));
    const request = await readRequest(incoming, requests);
    requests.push(request);
    const reply = await script(request);
    if (reply.delay) await new Promise((resolve) => setTimeout(resolve, reply.delay));
    send(response, reply);
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      failures.push(error);
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const result = await use({
      url: `http://127.0.0.1:${port}`,
      requests,
      get busiest() {
        return busiest;
      },
    });
    if (failures.length > 0) throw failures[0];
    return result;
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
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

function send(response: ServerResponse, reply: ScriptedReply): void {
  if (reply.fault === "drop") return void response.destroy();
  const text = reply.json === undefined ? (reply.text ?? "") : JSON.stringify(reply.json);
  const type = reply.json === undefined ? "text/plain" : "application/json";
  response.writeHead(reply.status ?? 200, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    ...reply.headers,
  });
  if (!reply.fault) return void response.end(text);
  response.write(text.slice(0, Math.ceil(text.length / 2)), () => {
    if (reply.fault === "truncate") response.destroy();
  });
}

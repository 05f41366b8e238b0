import { type IncomingMessage, type ServerResponse, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Platform } from "../../provider/platform/platform";
import type { LibsqlServerOptions } from "../../provider/drivers/libsql-server";
import type { ServedSqld } from "./sqld";

/** One request to the admin API or to a database (SQL on the catalogue, that is), as it came along. */
export interface SqldCall {
  readonly plane: "admin" | "sql";
  readonly method: string;
  readonly path: string;
  /** Its position among all that came along, from 1. */
  readonly n: number;
}

/**
 * "silent": the server was not asked, and nothing is answered. "drop": the connection ends, and the server was not asked.
 * "lose": the server does it, and the connection ends without a reply. With "-and-die" nothing of this process reaches the
 * server afterwards. A reply: the server was not asked.
 */
export type SqldFate =
  | "pass"
  | "silent"
  | "drop"
  | "lose"
  | "drop-and-die"
  | "lose-and-die"
  | { readonly status: number; readonly text: string };

export interface FaultySqld {
  /** A process behind the line. It does not wait long. */
  readonly platform: Platform;
  readonly calls: readonly SqldCall[];
  close(): Promise<void>;
}

/** A real proxy before both of the server's addresses. */
export async function faultySqld(
  sqld: ServedSqld,
  fate: (call: SqldCall) => SqldFate,
  options: Partial<LibsqlServerOptions> = {},
): Promise<FaultySqld> {
  const calls: SqldCall[] = [];
  let dead = false;
  const carry =
    (plane: SqldCall["plane"], target: string) =>
    async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await bodyOf(incoming);
      if (dead) return void response.destroy();
      const call = { plane, method: incoming.method!, path: incoming.url!, n: calls.length + 1 };
      calls.push(call);
      const decided = fate(call);
      if (typeof decided === "object") {
        return void response.writeHead(decided.status, { "content-type": "application/json" }).end(decided.text);
      }
      if (decided === "silent") return;
      dead = decided.endsWith("die");
      if (decided.startsWith("drop")) return void response.destroy();
      const { status, type, text } = await ask(target, incoming, body);
      if (decided !== "pass") return void response.destroy();
      response.writeHead(status, type === undefined ? {} : { "content-type": type }).end(text);
    };
  const admin = await listen(carry("admin", sqld.adminUrl));
  const sql = await listen(carry("sql", sqld.url));
  return {
    platform: sqld.platform({
      apiUrl: admin.url,
      databaseUrl: sql.url.replace("127.0.0.1", "{name}.localhost"),
      lease: 0,
      retry: { base: 1, longest: 5, attempts: 3, outageAttempts: 3 },
      ...options,
    }),
    calls,
    async close() {
      await admin.close();
      await sql.close();
    },
  };
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function ask(target: string, { url, method, headers }: IncomingMessage, body: Buffer) {
  return new Promise<{ status: number; type: string | undefined; text: string }>((resolve, reject) => {
    const sent = request(target + url, { method, headers, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode!, type: answer.headers["content-type"], text }));
    });
    sent.on("error", reject).end(body);
  });
}

async function listen(answer: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// The stub platform of the fleet rows, started by stub.ts: as much of the Platform API and of libSQL over HTTP as
// creating databases takes, with no work behind it. Registries and template databases are real SQL, in memory, because what is written there is read back.
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Delays } from "./stub";
import { createStubSql } from "./stub-sql";

const delays = JSON.parse(process.argv[2] ?? "{}") as Delays;
const calls = { control: 0, data: 0 };
const databases = new Map<string, object>();
const sql = createStubSql();

interface Answer {
  readonly status: number;
  readonly body: unknown;
}
const ok = (body: unknown): Answer => ({ status: 200, body });

const group = { name: "bench", uuid: "group-bench", locations: ["here"], primary: "here", archived: false };

function controlPlane(method: string, path: string, body: string): Answer {
  const [kind, name, ...rest] = path.split("/").slice(4);
  if (kind === "groups" && rest.length > 0) return ok({ jwt: "e30.e30.e30" });
  if (kind === "groups") return ok(name ? { group } : { groups: [group] });
  if (method === "POST") {
    const { name: made, seed } = JSON.parse(body) as { name: string; seed?: { name: string } };
    // As long as on Turso: they stand in every tenant's state.
    const database = {
      Name: made,
      DbId: randomUUID(),
      Hostname: `${made}-bench.aws-eu-west-1.turso.io`,
      group: "bench",
    };
    databases.set(made, database);
    if (seed) sql.copied(made, seed.name);
    return ok({ database });
  }
  if (!name) return ok({ databases: [...databases.values()] });
  const database = databases.get(name);
  return database ? ok({ database }) : { status: 404, body: { error: `could not find database ${name}` } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

const server = createServer((request, response) => {
  const path = new URL(request.url ?? "/", "http://stub").pathname;
  const control = path.startsWith("/v1/");
  void textOf(request).then(async (text) => {
    calls[control ? "control" : "data"] += 1;
    const answer = control
      ? controlPlane(request.method ?? "GET", path, text)
      : ok(sql.pipeline(path.split("/")[2] ?? "", text));
    const delay = control ? delays.control : delays.data;
    if (delay > 0) await sleep(delay);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body));
  });
});
// A connection that is closed while the next request is on its way would be measured as a retry.
server.keepAliveTimeout = 120_000;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.on("message", () => process.send?.(calls));
// Whoever started it is gone.
process.on("disconnect", () => process.exit());

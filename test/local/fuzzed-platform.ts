import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { runChild } from "./child";

export interface FuzzAnswer {
  readonly status: number;
  readonly headers: string;
  readonly text: string;
}

export interface FuzzRequest {
  readonly method?: string;
  /** From the root, sent as it is: nothing is encoded or taken out. */
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** Repeats a run: it is in the title of every suite that makes things up. */
export const fuzzSeed = Number(process.env["TENANTRY_FUZZ_SEED"] ?? 20_261_121);

/** An embedded platform as a process of its own, with databases that hold rows, for whatever one may send it. */
export interface FuzzedPlatform {
  readonly url: string;
  readonly apiToken: string;
  /** Opens the databases "a" and "b", whose content is kept, and "scratch", where anything may be done. */
  readonly token: string;
  /** Opens "a", for reading. */
  readonly readOnly: string;
  send(request: FuzzRequest): Promise<FuzzAnswer>;
  /** Sends bytes over a connection of their own, and gives all that comes back until it ends, or `done` says enough. */
  raw(bytes: string | Buffer, done?: (text: string) => boolean): Promise<string>;
  /** One pipeline on a database by name; a body that is no text is written as JSON. */
  pipeline(database: string, body: unknown, token?: string): Promise<FuzzAnswer>;
  /** The process still runs and answers, its rows and files are what they were. */
  intact(): Promise<void>;
  close(): Promise<void>;
}

/** Fails on an answer that blames the server for what a client sent, or that tells what is nobody's business. */
export function judge(answer: FuzzAnswer, secrets: readonly string[], what: string): void {
  assert.ok(answer.status >= 200 && answer.status < 500, `${answer.status} for ${what}: ${answer.text.slice(0, 300)}`);
  const told = `${answer.headers}\n${answer.text}`;
  for (const secret of secrets) assert.ok(!told.includes(secret), `a secret or a path is told for ${what}`);
  assert.doesNotMatch(told, /\n\s+at .+:\d+:\d+|node_modules|node:internal/, `a stack trace for ${what}`);
}

const limit = 60_000;

export async function startFuzzedPlatform(): Promise<
  FuzzedPlatform & { judge(answer: FuzzAnswer, what: string): void }
> {
  const parent = await mkdtemp(path.join(tmpdir(), "tenantry-fuzz-"));
  const directory = path.join(parent, "platform");
  const child = runChild("test/local/running-platform.js", directory);
  const { url, apiToken } = JSON.parse(await child.printed(/\{.*\}/)) as { url: string; apiToken: string };

  const send = ({ method = "GET", path: target, headers = {}, body }: FuzzRequest): Promise<FuzzAnswer> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      const sent = request({ hostname, port, method, path: target, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => {
          const headers = JSON.stringify(response.rawHeaders);
          resolve({ status: response.statusCode ?? 0, headers, text: Buffer.concat(parts).toString() });
        });
        response.on("error", reject);
      });
      sent.setTimeout(limit, () => sent.destroy(new Error(`no answer to ${method} ${target.slice(0, 100)}`)));
      sent.on("error", reject);
      sent.end(body);
    });

  const raw = (bytes: string | Buffer, done: (text: string) => boolean = () => false): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      const socket = connect({ host: hostname, port: Number(port) });
      let text = "";
      socket.setTimeout(limit, () => socket.destroy(new Error(`no end of: ${text.slice(0, 200)}`)));
      socket.on("data", (part) => {
        text += part.toString("latin1");
        if (done(text)) socket.destroy();
      });
      socket.on("error", (error: NodeJS.ErrnoException) =>
        error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(text) : reject(error),
      );
      socket.on("close", () => resolve(text));
      socket.write(bytes);
    });

  const api = async (method: string, target: string, body?: object): Promise<Record<string, string>> => {
    const headers = { authorization: `Bearer ${apiToken}` };
    const answer = await send({
      method,
      path: `/v1/organizations/local${target}`,
      headers,
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text) as Record<string, string>;
  };
  await api("POST", "/groups", { name: "g", location: "local" });
  for (const name of ["a", "b", "scratch"]) await api("POST", "/databases", { name, group: "g" });
  const token = (await api("POST", "/groups/g/auth/tokens"))["jwt"]!;
  const readOnly = (await api("POST", "/databases/a/auth/tokens?authorization=read-only"))["jwt"]!;

  const pipeline = (database: string, body: unknown, bearer = token): Promise<FuzzAnswer> =>
    send({
      method: "POST",
      path: `/db/${database}/v2/pipeline`,
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    });
  const rows = async (database: string, sql: string): Promise<unknown> => {
    const answer = await pipeline(database, { requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] });
    assert.equal(answer.status, 200, answer.text);
    const { results } = JSON.parse(answer.text) as {
      results: { response?: { result: { rows: { value: string }[][] } } }[];
    };
    return results[0]?.response?.result.rows.map((row) => row.map(({ value }) => value));
  };
  for (const name of ["a", "b"]) {
    await rows(name, "CREATE TABLE kept (name TEXT, n INTEGER)");
    await rows(name, `INSERT INTO kept VALUES ('${name}', 9223372036854775807)`);
  }
  const files = async (): Promise<string[]> => {
    const found = await readdir(parent, { recursive: true });
    return found.filter((file) => !/-(?:wal|shm|journal)$/.test(file)).sort();
  };
  const before = await files();
  assert.equal(before.filter((file) => file.endsWith(".db")).length, 5, "three databases, control and lock");

  return {
    url,
    apiToken,
    token,
    readOnly,
    send,
    raw,
    pipeline,
    judge: (answer, what) => judge(answer, [apiToken, token, readOnly, parent, path.resolve(__dirname, "../..")], what),
    async intact() {
      assert.equal(child.process.exitCode ?? child.process.signalCode, null, `it ended: ${child.output().stderr}`);
      for (const name of ["a", "b"]) {
        assert.deepEqual(await rows(name, "SELECT name, n FROM kept"), [[name, "9223372036854775807"]]);
        assert.deepEqual(await rows(name, "PRAGMA integrity_check"), [["ok"]]);
        assert.deepEqual(await rows(name, "SELECT count(*) FROM sqlite_schema"), [["1"]]);
      }
      const { groups } = (await api("GET", "/groups")) as unknown as { groups: { name: string }[] };
      assert.deepEqual(
        groups.map((group) => group.name),
        ["g"],
      );
      assert.deepEqual(await files(), before, "files appeared or went");
      assert.doesNotMatch(child.output().stderr, /local_api_|eyJ/, "a token is in its messages");
    },
    async close() {
      await child.end("SIGKILL");
      await rm(parent, { recursive: true, force: true });
    },
  };
}

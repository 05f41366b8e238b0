import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startSqld } from "../../sqld/server";
import { startLocal } from "../local/platform";
import { bodyOf, type Reading, ROWS } from "../local/readers";
import { peakMiB } from "../peak-memory";
import type { Row } from "../row";

const WARM_UP_MS = 1_000;
const MEASURED_MS = 4_000;

export const localQuery: Row = {
  name: "local-query",
  what: "reads of one row by key through `tenantry local`, 16 in flight, beside the same through libsql-server",
  unit: "us/read",
  goal: { of: "ratio", atMost: 1.5 },
  async open() {
    const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
    const undo: (() => Promise<unknown>)[] = [() => rm(home, { recursive: true, force: true })];
    const close = async () => {
      for (const step of undo.reverse()) await step();
    };
    try {
      const local = await startLocal(path.join(home, "local"));
      undo.push(() => local.close());
      const sqld = await startSqld({ directory: path.join(home, "sqld") });
      undo.push(() => sqld.close());
      await local.call("POST", "/databases", { name: "notes", group: "bench" });
      const { jwt } = await local.call<{ jwt: string }>("POST", "/databases/notes/auth/tokens");
      const ours = { url: `${local.url}/db/notes/`, token: jwt };
      const its = { url: sqld.url };
      for (const database of [ours, its]) await fill(database);
      const readers = startReaders();
      undo.push(readers.close);
      const measured = async (database: { url: string; token?: string }, pid: number) => {
        await readers.read({ ...database, milliseconds: WARM_UP_MS });
        const { reads, milliseconds } = await readers.read({ ...database, milliseconds: MEASURED_MS });
        return { value: (milliseconds * 1_000) / reads, peakMiB: peakMiB(pid) };
      };
      return { ours: () => measured(ours, local.pid), reference: () => measured(its, sqld.pid), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

async function fill({ url, token }: { url: string; token?: string }): Promise<void> {
  const { createClient } = await import("@libsql/client");
  const client = createClient({ url, authToken: token });
  try {
    const rows = Array.from({ length: ROWS }, (_, i) => ({
      sql: "INSERT INTO notes (id, body) VALUES (?, ?)",
      args: [i + 1, bodyOf(i + 1)],
    }));
    await client.batch(["CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL)", ...rows], "write");
  } finally {
    client.close();
  }
}

function startReaders() {
  const program = path.join(__dirname, "..", "local", "readers.ts");
  const child = fork(program, [], { execArgv: ["-r", "ts-node/register/transpile-only"] });
  const ended = once(child, "exit");
  return {
    async read(reading: Reading): Promise<{ reads: number; milliseconds: number }> {
      const answer = once(child, "message");
      child.send(reading);
      const stopped = ended.then(() => Promise.reject(new Error("the readers' process ended")));
      const [done] = await Promise.race([answer, stopped]);
      if ("error" in done) throw new Error(done.error);
      return done;
    },
    async close() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

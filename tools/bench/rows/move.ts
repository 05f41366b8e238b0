import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { startSqld } from "../../sqld/server";
import type { Row, Sample } from "../row";

const MB = 1_000_000;
/** Half of the bytes are in rows of 500 B, half in files of 250 kB. */
const NOTES = 200_000;
const FILES = 400;

export const move200mb: Row = {
  name: "move-200mb",
  what: "a tenant of 200 MB from one libsql-server to another, verified by checksum: memory over the start, beside a bare loop that compares nothing",
  unit: "MiB",
  goal: { of: "ours", atMost: 150 },
  async open() {
    const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
    const source = await startSqld({ directory: path.join(home, "source") });
    const close = async () => {
      await source.close();
      await rm(home, { recursive: true, force: true });
    };
    try {
      await fill(source.url);
      let made = 0;
      const measured = async (kind: "ours" | "reference"): Promise<Sample> => {
        const directory = path.join(home, `target-${++made}`);
        const target = await startSqld({ directory });
        try {
          const { seconds, grown } = await carry(kind, source.url, target.url);
          process.stderr.write(`  ${kind}: ${seconds.toFixed(1)} s\n`);
          if (grown === null) throw new Error("the memory of a process cannot be told here");
          return { value: grown, peakMiB: grown };
        } finally {
          await target.close();
          await rm(directory, { recursive: true, force: true });
        }
      };
      return { ours: () => measured("ours"), reference: () => measured("reference"), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

async function fill(url: string): Promise<void> {
  const { createClient } = await import("@libsql/client");
  const client = createClient({ url });
  try {
    const numbers = (from: number, to: number) =>
      `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})`;
    await client.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT)");
    await client.execute("CREATE TABLE files (id INTEGER PRIMARY KEY, data BLOB)");
    // A part at a time: the server ends a statement that holds its lock for long.
    for (let at = 1; at < NOTES; at += 20_000) {
      await client.execute(
        `${numbers(at, at + 19_999)} INSERT INTO notes SELECT i, 'note ' || i, hex(randomblob(${(100 * MB) / NOTES / 2 - 10})) FROM n`,
      );
    }
    for (let at = 1; at < FILES; at += 40) {
      await client.execute(
        `${numbers(at, at + 39)} INSERT INTO files SELECT i, randomblob(${(100 * MB) / FILES}) FROM n`,
      );
    }
  } finally {
    client.close();
  }
}

/** In a process that has done nothing else yet. */
async function carry(kind: string, source: string, target: string): Promise<{ seconds: number; grown: number | null }> {
  const program = path.join(__dirname, "..", "move", "carrier.js");
  const args = [program, kind, source, target, String(NOTES + FILES)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as { seconds: number; grown: number | null };
}

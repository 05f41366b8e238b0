import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient } from "../../../provider/platform/libsql-client";
import { createTenantry } from "../../../sdk/client";
import { startLocal } from "../local/platform";
import type { Row, Sample } from "../row";

const TENANTS = 1_000;
const ROWS = 10;
const IN_FLIGHT = 16;
const READ = "SELECT id, body FROM notes";

export const forEachTenant: Row = {
  name: "for-each-tenant-1000",
  what: "reads 10 rows of each of 1,000 tenants by forEachTenant, beside a bare loop of @libsql/client that knows addresses and token",
  unit: "s",
  goal: { of: "ratio", atMost: 1.3 },
  async open() {
    const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
    const undo: (() => Promise<unknown>)[] = [() => rm(home, { recursive: true, force: true })];
    const close = async (): Promise<void> => {
      for (const step of undo.reverse()) await step();
    };
    try {
      const local = await startLocal(path.join(home, "local"));
      undo.push(() => local.close());
      const tokens = "/groups/bench/auth/tokens";
      const { jwt: authToken } = await local.call<{ jwt: string }>("POST", tokens);
      // As narrow as ours: the platform opens a file in another way for who only reads.
      const { jwt: reader } = await local.call<{ jwt: string }>("POST", `${tokens}?authorization=read-only`);
      const urls = Array.from({ length: TENANTS }, (_, i) => `${local.url}/db/tenant-${i}/`);
      await inTurns(urls.length, async (i) => {
        await local.call("POST", "/databases", { name: `tenant-${i}`, group: "bench" });
        const client = createClient({ url: urls[i]!, authToken });
        const rows = Array.from({ length: ROWS }, (_, id) => `(${id}, 'a note of some length, number ${id}')`).join(
          ", ",
        );
        await client.batch([
          "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)",
          `INSERT INTO notes VALUES ${rows}`,
        ]);
        client.close();
      });
      const ours = async (): Promise<number> => {
        const { url: apiUrl, apiToken: token } = local;
        let rows = 0;
        const tenantry = createTenantry({ platform: "local", apiUrl, token });
        const read = tenantry.forEachTenant(async (db) => (await db.execute(READ)).rows, { concurrency: IN_FLIGHT });
        for await (const result of read) {
          if (!result.ok) throw result.error;
          rows += result.value.length;
        }
        return rows;
      };
      const bare = async (): Promise<number> => {
        let rows = 0;
        await inTurns(urls.length, async (i) => {
          const client = createClient({ url: urls[i]!, authToken: reader });
          const found = (await client.execute(READ)).rows.length;
          rows += found;
          client.close();
        });
        return rows;
      };
      // The platform opens each file once; that is nobody's to pay here.
      await bare();
      return { ours: () => timed(ours), reference: () => timed(bare), close };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

async function inTurns(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function timed(read: () => Promise<number>): Promise<Sample> {
  const began = performance.now();
  const rows = await read();
  if (rows !== TENANTS * ROWS) throw new Error(`${rows} rows were read instead of ${TENANTS * ROWS}`);
  return { value: (performance.now() - began) / 1_000 };
}

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import type { LocalPlatform } from "../../provider/local";
import { type Client, createClient } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "../local/api-caller";
import { type Child, runChild } from "../local/child";

/** How long the clients write before the platform is killed, seconds. */
const duration = Number(process.env.TENANTRY_SOAK_SECONDS ?? 60);
const clients = 24;
const databases = 200;

interface Running {
  readonly child: Child;
  readonly platform: LocalPlatform;
}

async function start(directory: string): Promise<Running> {
  const child = runChild("test/local/running-platform.js", directory);
  return { child, platform: JSON.parse(await child.printed(/^\{.*\}$/m)) as LocalPlatform };
}

const url = ({ platform }: Running, n: number): string => `${platform.url}/db/d${n}/`;

/** One client's turn at a database: answers the ids that were acknowledged. */
async function write(client: Client, turn: number, next: () => string): Promise<string[]> {
  const insert = (id: string) => ({ sql: "INSERT INTO t VALUES (?, ?)", args: [id, "x".repeat(100)] });
  const ids = [next(), next(), next()];
  switch (turn % 5) {
    case 0: {
      const transaction = await client.transaction("write");
      try {
        for (const id of ids) await transaction.execute(insert(id));
        await transaction.commit();
      } finally {
        transaction.close();
      }
      return ids;
    }
    case 1:
      await client.batch(ids.map(insert), "write");
      return ids;
    case 2: {
      const { rows } = await client.execute("SELECT count(*) AS n FROM t");
      assert.equal(typeof rows[0]?.n, "number");
      return [];
    }
    default:
      await client.execute(insert(ids[0] ?? ""));
      return ids.slice(0, 1);
  }
}

describe("the embedded platform under load", function () {
  this.timeout((duration + 240) * 1000);

  it(`${clients} clients on ${databases} databases for ${duration} s, then kill -9: no error, no lost write`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "tenantry-soak-"));
    let running = await start(directory);
    try {
      const api = apiCaller(running.platform, "local");
      await api.ok("POST", "/groups", { name: "g", location: "local" });
      for (let n = 0; n < databases; n++) await api.ok("POST", "/databases", { name: `d${n}`, group: "g" });
      const authToken = await mint(api, "groups/g");
      for (let n = 0; n < databases; n++) {
        const client = createClient({ url: url(running, n), authToken });
        await client.execute("CREATE TABLE t (id TEXT PRIMARY KEY, x)");
        client.close();
      }

      const acknowledged = Array.from({ length: databases }, () => [] as string[]);
      let isDead = false;
      let turns = 0;
      const client = async (number: number): Promise<void> => {
        let ids = 0;
        for (let turn = 0; !isDead; turn++) {
          // Clients meet at some databases, and are alone at others.
          const n = (number * 7 + turn * 13) % databases;
          const connection = createClient({ url: url(running, n), authToken });
          try {
            acknowledged[n]?.push(...(await write(connection, turn + number, () => `${number}-${ids++}`)));
            turns++;
          } catch (error) {
            if (!isDead) throw error;
          } finally {
            connection.close();
          }
        }
      };
      const end = new Promise<void>((resolve) => setTimeout(resolve, duration * 1000));
      const all = Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
      await Promise.race([end, all]);
      isDead = true;
      await running.child.end("SIGKILL");
      await all;

      running = await start(directory);
      let found = 0;
      for (const [n, ids] of acknowledged.entries()) {
        const connection = createClient({ url: url(running, n), authToken });
        const { rows } = await connection.execute("SELECT id FROM t");
        const stored = new Set(rows.map(({ id }) => id));
        assert.deepEqual(
          ids.filter((id) => !stored.has(id)),
          [],
          `lost in d${n}`,
        );
        found += ids.length;
        connection.close();
      }
      assert.ok(found > databases, "it wrote");
      process.stdout.write(`      ${turns} turns, ${found} rows acknowledged and found again\n`);
    } finally {
      await running.child.end("SIGKILL");
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  });
});

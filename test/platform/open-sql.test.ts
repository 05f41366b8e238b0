import assert from "node:assert/strict";
import { createContext } from "../../provider/context";
import { localPlatform } from "../../provider/drivers/local";
import { TenantryError } from "../../provider/platform/errors";
import type { OpenSqlOptions, Platform } from "../../provider/platform/platform";
import { openSql } from "../../provider/platform/sql";
import type { Sql, SqlResult } from "../../provider/platform/sql-connection";
import { inspectClaims, withRegistrySql } from "../../provider/registry/inspect";
import { migrate } from "../../provider/rollout/migrate";
import { readMigrations } from "../../provider/rollout/source";
import { registryName, templateName } from "../../provider/registry/reserved-names";
import { tenantryOn } from "../../sdk/client/tenantry";
import { type Bench, withBench } from "../support/bench";

/**
 * The embedded platform, as if its databases spoke a language that only its driver knows: no token opens a whole group,
 * and what was opened is recorded.
 */
function speaksItsOwn({ platform: at }: Bench) {
  const local = localPlatform({ apiUrl: at.url, apiToken: at.apiToken });
  const opened: (OpenSqlOptions & { readonly name: string })[] = [];
  const wrap = (result: SqlResult): SqlResult => {
    const columns = Object.keys(result.rows[0] ?? {}).reverse();
    const rows = result.rows.map((row) => columns.map((column) => row[column]));
    return { ...result, raw: { columns, rows, lastInsertRowid: 7n } };
  };
  const platform: Platform = {
    ...local,
    capabilities: { ...local.capabilities, groupTokens: false },
    mintToken(subject, spec) {
      if ("database" in subject) return local.mintToken(subject, spec);
      throw new TenantryError("unsupported", "No token opens a group here.");
    },
    openSql({ name, url }, options): Sql {
      opened.push({ name, ...options });
      const own = local.mintToken({ database: name }, { access: "full-access", lifetime: 600 });
      const sql = openSql({ url, token: options.token ?? (async () => (await own).token) });
      return {
        ...sql,
        async execute(statement, how) {
          options.signal?.throwIfAborted();
          return wrap(await sql.execute(statement, how));
        },
        batch: async (statements, mode, how) => (await sql.batch(statements, mode, how)).map(wrap),
      };
    },
  };
  return { platform, opened };
}

const libraryOn = (platform: Platform) =>
  tenantryOn(
    {
      platform: () => platform,
      registryName,
      templateName,
      template: () => {
        throw new Error("no template is asked for");
      },
    },
    { access: "full-access", group: "eu" },
  );

describe("SQL of a platform that does not speak libSQL over HTTP", () => {
  it("carries the registry and migrations, without a token of ours", async () => {
    await withBench(async (bench) => {
      const { platform, opened } = speaksItsOwn(bench);
      const context = createContext(platform, bench.context().settings);
      const registry = await context.registry("eu", "org/project/dev");
      const self = "org/project/dev/acme";
      const names = { kind: "database", name: "acme", address: self, owner: "o", incarnation: "i" } as const;
      await registry.claim({ ...names, formerAddresses: [], existed: false, defaultName: false, force: false });
      const made = await platform.createDatabase({ name: "acme", group: "eu" });
      const sql = context.sql({ ...made, group: "eu" });
      const { migrations } = readMigrations("examples/quickstart/migrations", "migrations");
      await migrate({ sql, database: "acme", migrations, run: await registry.run() });
      const database = await platform.getDatabase(registryName("eu"));
      const claims = await withRegistrySql(
        { platform, group: "eu", database: database!, access: "read-only" },
        inspectClaims,
      );
      assert.deepEqual(
        claims.map(({ name }) => name),
        ["acme"],
      );
      assert.deepEqual(
        opened.map(({ name, access, token }) => [name, access, token]),
        [
          [registryName("eu"), "full-access", undefined],
          ["acme", "full-access", undefined],
          [registryName("eu"), "read-only", undefined],
        ],
      );
    });
  });

  it("gives applications what they know as a client, with a token of the tenant's own", async () => {
    await withBench(async (bench) => {
      const { platform, opened } = speaksItsOwn(bench);
      await platform.createDatabase({ name: "acme", group: "eu" });
      const tenantry = libraryOn(platform);
      const db = await tenantry.connect("acme");
      await db.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
      await db.batch([
        { sql: "INSERT INTO notes (text) VALUES (?)", args: ["a"] },
        ["INSERT INTO notes (text) VALUES (?)", ["b"]],
      ]);
      const found = await db.execute("SELECT id, text FROM notes WHERE text = ?", ["b"]);
      assert.deepEqual(found.columns, ["id", "text"]);
      const [row] = found.rows;
      assert.deepEqual(
        [row!.length, row![0], row![1], row!["text"], { ...row }],
        [2, 2, "b", "b", { id: 2, text: "b" }],
      );
      assert.equal(found.lastInsertRowid, 7n);
      assert.equal(typeof opened[0]?.token, "function");
      await assert.rejects(async () => db.transaction("write"), { code: "unsupported", message: /^acme: .*Use batch/ });
      await assert.rejects(async () => db.execute({ sql: "SELECT :a", args: { a: 1 } }), { code: "unsupported" });
      // Others may have the same client.
      db.close();
      assert.equal((await db.execute("SELECT 1 AS one")).rows[0]!["one"], 1);
    });
  });

  it("provisions at run time, and asks every tenant, without a token for a group", async () => {
    await withBench(async (bench) => {
      const { platform } = speaksItsOwn(bench);
      const tenantry = libraryOn(platform);
      const { database, created } = await tenantry.provision("user-1");
      assert.ok(created);
      assert.equal((await tenantry.provision("user-1")).created, false);
      const db = await tenantry.connect({ subject: "user-1" });
      assert.equal((await db.execute("SELECT 5 AS five")).rows[0]!["five"], 5);
      const answered: unknown[] = [];
      for await (const result of tenantry.forEachTenant(
        async (one) => (await one.execute("SELECT 3 AS three")).rows[0]!["three"],
      )) {
        answered.push(result.tenant.name, result.ok ? result.value : result.error);
      }
      assert.deepEqual(answered, [database.name, 3]);
    });
  });
});

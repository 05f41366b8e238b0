import assert from "node:assert/strict";
import { TenantryError } from "../../../provider/platform/errors";
import { openSql } from "../../../provider/platform/sql";
import { migrate } from "../../../provider/rollout/migrate";
import { type DriftTenant, driftOf, findDrift } from "../../../provider/rollout/schema/drift";
import { replayHistory } from "../../../provider/rollout/schema/history";
import { mint } from "../../local/api-caller";
import { type CountedPlatform, withCountedPlatform } from "../../support/counted-platform";
import { splitStatements } from "../../../provider/rollout/statements";
import { migrationsOf } from "./migrations";

const migrations = migrationsOf(
  "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE INDEX by_email ON users (email)",
  "ALTER TABLE users ADD COLUMN v F32_BLOB(3); CREATE INDEX near ON users (libsql_vector_idx(v))",
  "CREATE VIRTUAL TABLE found USING fts5(email); CREATE VIEW adults AS SELECT * FROM users",
);

interface Fleet {
  readonly platform: CountedPlatform;
  /** A new database with the first so many migrations, as a read-only token sees it. */
  tenant(name: string, count: number): Promise<DriftTenant>;
}

async function withFleet(use: (fleet: Fleet) => Promise<void>): Promise<void> {
  await withCountedPlatform({}, async (platform) => {
    await platform.api.ok("POST", "/groups", { name: "eu", location: "local" });
    const closing: (() => void)[] = [];
    const open = (name: string, token: string) => {
      const sql = openSql({ url: platform.databaseUrl(name), token: () => Promise.resolve(token) });
      closing.push(() => sql.close());
      return sql;
    };
    try {
      await use({
        platform,
        async tenant(name, count) {
          await platform.api.ok("POST", "/databases", { name, group: "eu" });
          const all = await mint(platform.api, `databases/${name}`);
          await migrate({
            sql: open(name, all),
            database: name,
            migrations: migrations.slice(0, count),
            run: undefined,
          });
          const reader = open(name, await mint(platform.api, `databases/${name}`, "authorization=read-only"));
          return { name, sql: () => reader };
        },
      });
    } finally {
      for (const close of closing) close();
    }
  });
}

describe("findDrift", () => {
  it("compares each tenant with the template at the tenant's own version, with a token that only reads", async () => {
    await withFleet(async ({ tenant }) => {
      const tenants = [await tenant("none", 0), await tenant("one", 1), await tenant("three", 3)];
      assert.deepEqual(await findDrift({ migrations, tenants }), [
        { tenant: "none", state: "in-sync", version: undefined },
        { tenant: "one", state: "in-sync", version: "0001_step" },
        { tenant: "three", state: "in-sync", version: "0003_step" },
      ]);
    });
  });

  it("tells what somebody has changed by hand", async () => {
    await withFleet(async ({ platform, tenant }) => {
      const tenants = [await tenant("acme", 3), await tenant("fine", 3)];
      for (const statement of [
        "DROP INDEX by_email",
        "ALTER TABLE users ADD COLUMN note TEXT",
        "INSERT INTO found VALUES ('a')",
        "CREATE TABLE extra (x)",
      ]) {
        await platform.sql("eu", "acme", statement);
      }
      const [acme, fine] = await findDrift({ migrations, tenants, concurrency: 1 });
      assert.deepEqual(acme, {
        tenant: "acme",
        state: "drifted",
        version: "0003_step",
        differences: [
          { kind: "added", object: "table", name: "extra" },
          { kind: "added", object: "column", name: "users.note" },
          { kind: "missing", object: "index", name: "by_email" },
        ],
      });
      assert.equal(fine?.state, "in-sync");
    });
  });

  it("costs two calls a tenant, one for the schema alone, and changes nothing", async () => {
    await withFleet(async ({ platform, tenant }) => {
      const tenants = await Promise.all(["a", "b", "c"].map((name) => tenant(name, 3)));
      const { asked } = await platform.during(() => findDrift({ migrations, tenants }));
      assert.equal(asked.all.length, 2 * tenants.length);
      const model = (await replayHistory(migrations)).modelAt(2)!;
      const alone = await platform.during(async () => driftOf(await tenants[0]!.sql(), model));
      assert.deepEqual(alone.result, []);
      assert.equal(alone.asked.all.length, 1);
    });
  });

  it("calls a tenant that cannot be looked at unknown, and goes on", async () => {
    await withFleet(async ({ platform, tenant }) => {
      const [gone, fine] = [await tenant("gone", 1), await tenant("fine", 1)];
      await platform.api.ok("DELETE", "/databases/gone");
      const nowhere = {
        name: "nowhere",
        sql: () => Promise.reject(new TenantryError("database-not-found", "There is no database nowhere.")),
      };
      const [first, second] = await findDrift({ migrations, tenants: [gone, fine] });
      assert.equal(first?.state, "unknown");
      assert.equal(second?.state, "in-sync");
      const [third] = await findDrift({ migrations, tenants: [nowhere] });
      assert.deepEqual(third, { tenant: "nowhere", state: "unknown", reason: "There is no database nowhere." });
    });
  });

  it("fails where credentials are refused, which concerns all", async () => {
    const refused = new TenantryError("credentials-rejected", "The token is not valid.");
    const tenants = [{ name: "a", sql: () => Promise.reject(refused) }];
    await assert.rejects(findDrift({ migrations, tenants }), { code: "credentials-rejected" });
  });

  it("says so where a tenant's history is another one", async () => {
    await withFleet(async ({ tenant }) => {
      const tenants = [await tenant("acme", 2)];
      const edited = migrations.map((one, i) => (i === 1 ? { ...one, hash: "another" } : one));
      const [other] = await findDrift({ migrations: edited, tenants });
      assert.equal(other?.state, "other-history");
      assert.match(other.reason, /^acme: migration .*0002_step.* was edited since/);
      const [ahead] = await findDrift({ migrations: migrations.slice(0, 1), tenants });
      assert.deepEqual(ahead, {
        tenant: "acme",
        state: "other-history",
        reason: "acme is ahead of the template: it has 0002_step already.",
      });
    });
  });

  it("takes another tool's history for the tenant's version", async () => {
    await withFleet(async ({ platform, tenant }) => {
      const acme = await tenant("acme", 0);
      const recorded = migrations.map((one, i) => ({ ...one, recorded: { tool: "dbmate", version: `${i}` } as const }));
      await platform.sql("eu", "acme", "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)");
      await platform.sql("eu", "acme", "CREATE TABLE schema_migrations (version varchar(128) primary key)");
      await platform.sql("eu", "acme", "INSERT INTO schema_migrations VALUES ('0')");
      assert.deepEqual(await findDrift({ migrations: recorded, tenants: [acme] }), [
        {
          tenant: "acme",
          state: "drifted",
          version: "0001_step",
          differences: [{ kind: "missing", object: "index", name: "by_email" }],
        },
      ]);
    });
  });

  it("knows nothing of versions that the template's migrations do not reach", async () => {
    await withFleet(async ({ platform, tenant }) => {
      const [acme, early] = [await tenant("acme", 2), await tenant("early", 1)];
      // The same history as far as ledgers tell, with a text that does not run from empty.
      const broken = migrations.map((one, i) =>
        i === 1 ? { ...one, statements: splitStatements("ALTER TABLE elsewhere ADD x") } : one,
      );
      const [first, second] = await findDrift({ migrations: broken, tenants: [acme, early] });
      assert.equal(first?.state, "unknown");
      assert.match(first.reason, /^migrations\/0002_step\.sql, line 1, does not run .*no such table: elsewhere/);
      assert.equal(second?.state, "in-sync");
      await platform.sql("eu", "early", "DROP INDEX by_email");
      assert.equal((await findDrift({ migrations: broken, tenants: [early] }))[0]?.state, "drifted");
    });
  });
});

import assert from "node:assert/strict";
import { type Context, createContext } from "../../provider/context";
import { readSettings } from "../../provider/platform/settings";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { transfer } from "../../provider/transfer/transfer";
import { type Bench, tenant, withBench } from "../support/bench";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";
import { everything } from "../transfer/everything";
import { rowsOf, run } from "../transfer/pair";

/** What tells one content from another, in the order of each table's own. */
const looks = [
  "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE '%_data' ORDER BY type, name",
  "SELECT rowid, typeof(v), hex(v), quote(n), quote(r), hex(t) FROM any_value ORDER BY rowid",
  "SELECT typeof(n), quote(n), region FROM keyed ORDER BY n, region",
  "SELECT rowid, id, typeof(a), a, b FROM strict_one ORDER BY rowid",
  "SELECT name, seq FROM sqlite_sequence",
  "SELECT rowid FROM search WHERE search MATCH 'run'",
  "SELECT rowid FROM note_search WHERE note_search MATCH 'one'",
  "SELECT rowid FROM bare WHERE bare MATCH 'words'",
  "SELECT docid FROM old_search WHERE old_search MATCH 'seas'",
  "SELECT id, label FROM places WHERE x0 < 0 AND x1 > 7",
  "SELECT id FROM vector_top_k('near', vector32('[3,2,1]'), 1)",
];

const contextOf = (sqld: ServedSqld): Context =>
  createContext(
    sqld.platform(),
    readSettings(
      {
        platform: "libsql-server",
        apiUrl: sqld.adminUrl,
        apiToken: sqld.adminKey,
        databaseUrl: sqld.databaseUrl,
        signingKey: sqld.signingKey,
      },
      {},
    ),
  );

/** A context that knows another one as the connection that a tenant comes from. */
const beside = (to: Context, from: Context): Context =>
  Object.defineProperty({ ...to, beside: () => from }, "knownScope", { get: () => to.knownScope });

async function withBoth(use: (bench: Bench, sqld: ServedSqld) => Promise<void>): Promise<void> {
  const sqld = await serveSqld();
  try {
    await withBench((bench) => use(bench, sqld));
  } finally {
    await sqld.close();
  }
}

describeWithSqld("a move to a libsql-server and back", () => {
  it("keeps everything that a database can have", async function () {
    this.timeout(120_000);
    await withBoth(async (bench, sqld) => {
      const [here, there] = [bench.context(), contextOf(sqld)];
      await there.platform.createGroup({ name: "ours", location: "default" });
      const made = await tenantDatabase.create({ inputs: tenant("acme"), context: here });
      await run(here.sql(made.outputs), ...everything);
      const before = await Promise.all(looks.map((look) => rowsOf(here.sql(made.outputs), look)));
      const update = (outputs: typeof made.outputs, news: Partial<TenantDatabaseInputs>, context: Context) =>
        tenantDatabase.update({
          id: made.id,
          olds: outputs,
          news: tenant("acme", { onReplace: "copy", ...news }),
          context,
        });

      const moved = await update(made.outputs, { group: "ours", connection: "sqld" }, beside(there, here));
      assert.match(moved.scope, /^libsql-server:/);
      const arrived = there.sql(moved);
      assert.deepEqual(await Promise.all(looks.map((look) => rowsOf(arrived, look))), before);
      await run(arrived, "INSERT INTO notes (text) VALUES ('written there')");
      await assert.rejects(here.sql(made.outputs).execute({ sql: "SELECT 1 FROM notes", args: [] }), /block/i);

      const back = await update(moved, {}, beside(bench.context(), there));
      const rows = await rowsOf(bench.context().sql(back), "SELECT id, text FROM notes WHERE id > 3");
      assert.deepEqual(rows, [{ id: 4, text: "written there" }]);
    });
  });

  it("moves between groups of the server under one name", async function () {
    this.timeout(120_000);
    await withBoth(async (_, sqld) => {
      const context = contextOf(sqld);
      for (const name of ["eu", "us"]) await context.platform.createGroup({ name, location: "default" });
      const made = await tenantDatabase.create({ inputs: tenant("acme"), context });
      await run(context.sql(made.outputs), "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('kept')");
      const news = tenant("acme", { group: "us", onReplace: "copy" });
      const outputs = await tenantDatabase.update({ id: made.id, olds: made.outputs, news, context });
      assert.deepEqual([outputs.name, outputs.group], ["acme", "us"]);
      assert.deepEqual(await rowsOf(context.sql(outputs), "SELECT text FROM notes"), [{ text: "kept" }]);
    });
  });

  it("carries user_version, which a libsql-server takes", async function () {
    this.timeout(60_000);
    await withBoth(async (_, sqld) => {
      const context = contextOf(sqld);
      await context.platform.createGroup({ name: "eu", location: "default" });
      const [one, other] = await Promise.all(
        ["one", "other"].map((name) => context.platform.createDatabase({ name, group: "eu" })),
      );
      const [source, target] = [one!, other!].map((database) => context.sql({ ...database, group: "eu" }));
      await Promise.all([source!.ready(), target!.ready()]);
      await run(source!, "PRAGMA user_version = 42", "CREATE TABLE a (x)");
      const { left } = await transfer(source!, target!);
      assert.deepEqual(left, []);
      assert.deepEqual(await rowsOf(target!, "PRAGMA user_version"), [{ user_version: 42 }]);
    });
  });
});

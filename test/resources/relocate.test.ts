import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Context } from "../../provider/context";
import { openSql } from "../../provider/platform/sql";
import { databaseToken } from "../../provider/resources/database-token";
import { Unfinished } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { keptFor } from "../../provider/resources/tenant-database/keep";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, addressOf, tenant, withBench } from "../support/bench";
import type { Fate, LineCall } from "../support/faulty-line";

const migrations = {
  "0001_notes.sql": `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
    CREATE VIRTUAL TABLE search USING fts5 (text, content='notes', content_rowid='id');`,
};

type Made = { id: string; outputs: TenantDatabaseOutputs };
const rows = 300;

/** A tenant with rows, in the group "eu". */
async function madeIn(bench: Bench, more: Partial<TenantDatabaseInputs> = {}): Promise<Made> {
  const { ref } = await bench.template(migrations);
  const inputs = tenant("acme", { schema: ref, ...more });
  const made = await tenantDatabase.create({ inputs, context: bench.context() });
  await bench.sql(
    "acme",
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
     INSERT INTO notes SELECT i, 'note ' || i FROM n`,
  );
  return made;
}

const newsOf = ({ outputs }: Made, more: Partial<TenantDatabaseInputs>): TenantDatabaseInputs =>
  tenant("acme", { schema: outputs.schema, onReplace: "copy", ...more });

const update = async ({ id, outputs }: Made, news: TenantDatabaseInputs, context: Context): Promise<Made> => ({
  id,
  outputs: await tenantDatabase.update({ id, olds: outputs, news, context }),
});

/** The whole tenant, writable, under this name, and the claim that goes with the state. */
async function assertWhole(bench: Bench, { id, outputs }: Made, name = "acme", group = "us"): Promise<void> {
  const counted = "SELECT count(*) AS n, count(DISTINCT text) AS texts, max(id) AS last FROM notes";
  assert.deepEqual(await bench.sql(name, counted), [{ n: rows, texts: rows, last: rows }]);
  assert.deepEqual(await bench.sql(name, "SELECT id FROM _tenantry_migrations"), [{ id: "0001_notes" }]);
  await bench.sql(name, "INSERT INTO notes (text) VALUES ('later')");
  await bench.sql(name, "DELETE FROM notes WHERE text = 'later'");
  const databaseId = await bench.databaseId(name);
  const claim = (await bench.claims(group)).find((one) => one.name === name);
  assert.deepEqual(
    [outputs.name, outputs.group, outputs.databaseId, outputs.schemaVersion],
    [name, group, databaseId, "0001_notes"],
  );
  assert.deepEqual(
    [claim?.state, claim?.owner, claim?.databaseId, claim?.incarnation, claim?.address],
    ["held", id, databaseId, outputs.incarnation, addressOf("acme")],
  );
}

/** Somewhere are all rows, for whoever reads; also where the run that carries them is dead. */
async function assertReadable(...benches: readonly Bench[]): Promise<void> {
  const counts = await Promise.all(
    benches.map(async (bench) => {
      const names = await bench.databases();
      const count = (name: string) => bench.sql(name, "SELECT count(*) AS n FROM notes").catch(() => []);
      return (await Promise.all(names.map(count))).flat();
    }),
  );
  assert.ok(
    counts.flat().some(({ n }) => n === rows),
    JSON.stringify(counts),
  );
}

/** What was left: closed, and due in a week. */
async function assertKept(bench: Bench, name: string, group: string): Promise<void> {
  const settings = await bench.api.ok("GET", `/databases/${name}/configuration`);
  assert.deepEqual([settings["block_reads"], settings["block_writes"]], [true, true]);
  const claim = (await bench.claims(group)).find((one) => one.name === name);
  assert.deepEqual([claim?.state, claim?.address], ["held", `${addressOf("acme")}#left`]);
  const days = (Date.parse(claim!.expiresAt!) - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days <= keptFor / 86_400_000, String(claim!.expiresAt));
}

const withGroups = (use: (bench: Bench) => Promise<void>): Promise<void> =>
  withBench(async (bench) => {
    await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
    await use(bench);
  });

/** Two platforms; in the second one the group "us". */
const withTwo = (use: (from: Bench, to: Bench) => Promise<void>): Promise<void> =>
  withBench((from) => withGroups((to) => use(from, to)));

/** The second platform's context, which knows the first one as the connection that the tenant had. */
const beside = (to: Context, from: Context): Context => {
  const both: Context = { ...to, scope: () => to.scope(), beside: () => from };
  return Object.defineProperty(both, "knownScope", { get: () => to.knownScope });
};

/** A fate of several lines at once: the n-th write of all dies, and with it everything that follows. */
function doomed(at: number): { decide: (call: LineCall) => Fate; writes: () => number } {
  let count = 0;
  let isDead = false;
  return {
    writes: () => count,
    decide({ write }) {
      if (isDead) return { status: 403, text: '{"error":"dead"}' };
      if (write === undefined || ++count !== at) return "pass";
      isDead = true;
      return "die";
    },
  };
}

describe("TenantDatabase: moves", function () {
  this.timeout(60_000);

  it("goes into another group under its name, through a copy that is kept for a week", async () => {
    await withGroups(async (bench) => {
      const made = await madeIn(bench);
      const moved = await update(made, newsOf(made, { group: "us" }), bench.context());
      await assertWhole(bench, moved);
      const [copy, ...others] = (await bench.databases()).filter((name) => name !== "acme");
      assert.match(copy!, /^acme-move-[0-9a-f]{8}$/);
      assert.deepEqual(others, []);
      await assertKept(bench, copy!, "us");
      assert.deepEqual(await bench.claims("eu"), []);
      const again = {
        id: moved.id,
        olds: moved.outputs,
        news: newsOf(made, { group: "us" }),
        context: bench.context(),
      };
      assert.equal((await tenantDatabase.diff(again)).changes, false);
    });
  });

  it("goes into another group under another name: the old one is closed, and kept for a week", async () => {
    await withGroups(async (bench) => {
      const made = await madeIn(bench);
      const news = newsOf(made, { group: "us", name: "acme-us" });
      const moved = await update(made, news, bench.context());
      await assertWhole(bench, moved, "acme-us");
      await assertKept(bench, "acme", "eu");
      assert.deepEqual(await bench.databases(), ["acme", "acme-us"]);
    });
  });

  it("goes to another platform, and comes back", async () => {
    await withTwo(async (from, to) => {
      const made = await madeIn(from);
      const news = newsOf(made, { group: "us", connection: "other" });
      const context = beside(to.context(), from.context());
      const diff = await tenantDatabase.diff({ id: made.id, olds: made.outputs, news, context });
      assert.deepEqual([diff.changes, diff.replaces], [true, undefined]);
      const moved = await update(made, news, context);
      await assertWhole(to, moved);
      await assertKept(from, "acme", "eu");
      assert.notEqual(moved.outputs.scope, made.outputs.scope);
      assert.deepEqual([moved.outputs.connection, await to.databases()], ["other", ["acme"]]);
      await to.sql("acme", "UPDATE notes SET text = 'changed' WHERE id = 1");
      const back = await update(moved, newsOf(made, {}), beside(from.context(), to.context()));
      await assertWhole(from, back, "acme", "eu");
      assert.deepEqual(await from.sql("acme", "SELECT text FROM notes WHERE id = 1"), [{ text: "changed" }]);
      await assertKept(to, "acme", "us");
    });
  });

  it("has its tokens minted anew at the other platform, where the old ones open nothing", async () => {
    await withTwo(async (from, to) => {
      const made = await madeIn(from);
      const given = { self: addressOf("acme-app"), database: "acme" };
      const token = await databaseToken.create({ inputs: given, context: from.context() });
      const context = beside(to.context(), from.context());
      await update(made, newsOf(made, { group: "us", connection: "other" }), context);
      const change = { id: token.id, olds: token.outputs, news: { ...given, connection: "other" }, context };
      assert.equal((await databaseToken.diff(change)).changes, true);
      const outputs = await databaseToken.update(change);
      const sql = openSql({ url: to.platform.databaseUrl("acme"), token: async () => outputs.token });
      assert.equal((await sql.execute({ sql: "SELECT count(*) AS n FROM notes", args: [] })).rows[0]!["n"], rows);
      sql.close();
      assert.deepEqual([outputs.databaseId, outputs.scope], [await to.databaseId("acme"), await to.context().scope()]);
    });
  });

  it("refuses what is no SQLite database, here or there", async () => {
    await withTwo(async (from, to) => {
      const made = await madeIn(from);
      const news = newsOf(made, { group: "us", connection: "other" });
      const { platform, ...rest } = to.context();
      const capabilities = { ...platform.capabilities, dialects: ["postgresql"] as const };
      const context = beside({ ...rest, platform: { ...platform, capabilities } } as Context, from.context());
      const diff = async () => tenantDatabase.diff({ id: made.id, olds: made.outputs, news, context });
      await assert.rejects(diff, {
        code: "unsupported",
        message: /^onReplace: the tenants of local are no SQLite databases/,
      });
    });
  });

  it("refuses a move that was not decided, naming the ways out", async () => {
    await withTwo(async (from, to) => {
      const made = await madeIn(from);
      const news = newsOf(made, { group: "us", connection: "other", onReplace: undefined });
      const diff = async () =>
        tenantDatabase.diff({
          ...{ id: made.id, olds: made.outputs, news },
          context: beside(to.context(), from.context()),
        });
      await assert.rejects(diff, {
        code: "needs-decision",
        message: /^connection: changing it from the stack's own to "other" .*onReplace: "copy" .*onReplace: "destroy"/,
      });
    });
  });

  const kept: [string, Partial<TenantDatabaseInputs>, RegExp][] = [
    ["protected", { deleteProtection: true }, /it is protected/],
    ["to be retained", { deletionPolicy: "retain" }, /must not be, because its deletionPolicy is "retain"/],
    ["in a group that is not there", { group: "nowhere" }, /there is no group "nowhere"/],
  ];
  for (const [what, settings, message] of kept) {
    it(`refuses what is ${what} before anything is done`, async () => {
      await withGroups(async (bench) => {
        const { group = "us", ...its } = settings;
        const made = await madeIn(bench, its);
        await assert.rejects(update(made, newsOf(made, { ...its, group }), bench.context()), { message });
        await assertWhole(bench, made, "acme", "eu");
        assert.deepEqual(await bench.databases(), ["acme"]);
      });
    });
  }

  it("leaves the name to a stranger at the other platform, and the tenant writable", async () => {
    await withTwo(async (from, to) => {
      const made = await madeIn(from);
      await to.api.ok("POST", "/databases", { name: "acme", group: "us" });
      const news = newsOf(made, { group: "us", connection: "other" });
      const moving = update(made, news, beside(to.context(), from.context()));
      await assert.rejects(moving, { message: /there is a database "acme" already/ });
      await assertWhole(from, made, "acme", "eu");
      assert.deepEqual(await to.claims("us"), []);
    });
  });

  it("leaves a database alone that somebody made of the name after the intent, also the next time", async () => {
    await withTwo(async (from, to) => {
      const made = await madeIn(from);
      const news = newsOf(made, { group: "us", connection: "other" });
      // With the same schema, as another tenant of the application has.
      const { context } = await to.contextOn(async ({ method, path, body }): Promise<Fate> => {
        const isMake = method === "POST" && path.endsWith("/databases") && body.includes('"acme"');
        if (!isMake) return "pass";
        await to.api.ok("POST", "/databases", { name: "acme", group: "us" });
        await to.sql("acme", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
        await to.sql("acme", "INSERT INTO notes VALUES (1000, 'theirs')");
        return "pass";
      });
      await assert.rejects(update(made, news, beside(context, from.context())), { message: /already/ });
      for (let again = 0; again < 2; again++) {
        const moving = update(made, news, beside(to.context(), from.context()));
        await assert.rejects(moving, { message: /"acme" already, and it is not known to be a copy/ });
        await assertWhole(from, made, "acme", "eu");
        assert.deepEqual(await to.sql("acme", "SELECT * FROM notes"), [{ id: 1000, text: "theirs" }]);
      }
    });
  });

  it("carries again what was written after an attempt that failed", async () => {
    await withTwo(async (from, to) => {
      const made = await madeIn(from);
      const news = newsOf(made, { group: "us", connection: "other" });
      const { context } = await to.contextOn(({ body }) =>
        body.includes("_tenantry_migrations") && body.includes("INSERT INTO") ? { status: 403, text: "{}" } : "pass",
      );
      await assert.rejects(update(made, news, beside(context, from.context())), Unfinished);
      assert.deepEqual(await to.databases(), ["acme"], "begun");
      await from.sql("acme", "UPDATE notes SET text = 'changed' WHERE id = 1");
      const moved = await update(made, news, beside(to.context(), from.context()));
      await assertWhole(to, moved);
      assert.deepEqual(await to.sql("acme", "SELECT text FROM notes WHERE id = 1"), [{ text: "changed" }]);
    });
  });

  // The state is what the engine had before. At ten writes, spread over all that an unharmed move takes.
  it("goes on after a death on the way to another platform: no row lost, none doubled", async function () {
    this.timeout(180_000);
    const scene = async (n: number): Promise<number> => {
      let writes = 0;
      await withTwo(async (from, to) => {
        const made = await madeIn(from);
        const news = newsOf(made, { group: "us", connection: "other" });
        const { decide, writes: counted } = doomed(n);
        const [source, target] = [await from.contextOn(decide), await to.contextOn(decide)];
        const first = update(made, news, beside(target.context, source.context));
        if (n > 0) await assert.rejects(first, Unfinished, `write ${n}`);
        else await first;
        writes = counted();
        await assertReadable(from, to);
        const moved = n > 0 ? await update(made, news, beside(to.context(), from.context())) : await first;
        await assertWhole(to, moved);
        await assertKept(from, "acme", "eu");
        assert.deepEqual([await from.databases(), await to.databases()], [["acme"], ["acme"]]);
      });
      return writes;
    };
    const writes = await scene(0);
    for (let i = 1; i <= 10; i++) await scene(Math.floor((writes * i) / 10));
  });

  it("goes on after a death on the way to another group under its name", async function () {
    this.timeout(180_000);
    const scene = async (n: number): Promise<number> => {
      let writes = 0;
      await withGroups(async (bench) => {
        const made = await madeIn(bench);
        const news = newsOf(made, { group: "us" });
        const { decide, writes: counted } = doomed(n);
        const { context } = await bench.contextOn(decide);
        const first = update(made, news, context);
        if (n > 0) await assert.rejects(first, Unfinished, `write ${n}`);
        else await first;
        writes = counted();
        await assertReadable(bench);
        const moved = n > 0 ? await update(made, news, bench.context()) : await first;
        await assertWhole(bench, moved);
        const names = await bench.databases();
        assert.equal(names.length, 2, names.join());
        await assertKept(
          bench,
          names.find((name) => name !== "acme")!,
          "us",
        );
      });
      return writes;
    };
    const writes = await scene(0);
    for (let i = 1; i <= 10; i++) await scene(Math.floor((writes * i) / 10));
  });
});

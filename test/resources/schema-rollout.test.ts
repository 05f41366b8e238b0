import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { tursoCapabilities } from "../../provider/drivers/turso/capabilities";
import { Unfinished } from "../../provider/resources/handler";
import { schemaRolloutHandler } from "../../provider/resources/schema-rollout";
import type { SchemaRolloutInputs } from "../../provider/resources/schema-rollout/inputs";
import type { SchemaRolloutOutputs } from "../../provider/resources/schema-rollout/outputs";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { unknownValue } from "../../provider/resources/unknown";
import { releaseFromQuarantine } from "../../provider/registry/rollouts";
import { formatTemplateRef, parseTemplateRef } from "../../provider/rollout/template-ref";
import { type Bench, addressOf, tenant, withBench } from "../support/bench";

const first = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };
const second = {
  ...first,
  "0002_texts.sql": "CREATE TABLE texts (text TEXT);\nINSERT INTO texts SELECT json(text) FROM notes;\n",
};
const corrected = {
  ...first,
  "0002_texts.sql": "CREATE TABLE texts (text TEXT);\nINSERT INTO texts SELECT text FROM notes;\n",
};

/** The handler, and what it said. */
function narrated() {
  const said: string[] = [];
  const handler = schemaRolloutHandler(() => async (kind, text) => {
    if (kind !== "status") said.push(text);
  });
  return { handler, said };
}

/** The template's ref, for tenants that only a rollout migrates. */
async function refOf(bench: Bench, files: Record<string, string>): Promise<string> {
  const { ref } = await bench.template(files, { folder: "app" });
  return formatTemplateRef({ ...parseTemplateRef(ref)!, rollout: true });
}

const names = Array.from({ length: 10 }, (_, i) => `t${i}`);
const fleet = (of = names) => of.map((name) => ({ name, group: "eu" }));
const inputs = (schema: string, more: Partial<SchemaRolloutInputs> = {}): SchemaRolloutInputs => ({
  self: addressOf("app"),
  schema,
  tenants: fleet(),
  ...more,
});

async function seeded(bench: Bench, files: Record<string, string>, context = bench.context()): Promise<string> {
  const schema = await refOf(bench, files);
  await Promise.all(names.map((name) => tenantDatabase.create({ inputs: tenant(name, { schema }), context })));
  return schema;
}

const ledger = async (bench: Bench, name: string): Promise<unknown[]> =>
  (await bench.sql(name, "SELECT id FROM _tenantry_migrations ORDER BY seq")).map(({ id }) => id);

/** Rows on which the second migration fails. */
const spoil = (bench: Bench, name: string) => bench.sql(name, "INSERT INTO notes (text) VALUES ('no JSON')");

async function unfinished(work: Promise<unknown>): Promise<Unfinished<SchemaRolloutOutputs>> {
  const error = await work.then(
    () => assert.fail("it should not have been finished"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Unfinished, String(error));
  return error as Unfinished<SchemaRolloutOutputs>;
}

describe("a SchemaRollout", () => {
  const surroundings = { olds: undefined, capabilities: tursoCapabilities, platform: "turso" };
  const ref = "app@0001_notes abcdef copy+rollout migrations";
  const wrong: [string, object, RegExp][] = [
    ["an unknown key", { maxFailure: 1 }, /^maxFailure: there is no such property; did you mean "maxFailures"\?$/],
    ["a template that tenants follow themselves", { schema: "app@0001 ab copy x" }, /^schema: .*migrate: "rollout"/],
    ["a schema that is none", { schema: "app" }, /^schema: must be a SchemaTemplate/],
    ["a tenant given twice", { tenants: fleet(["a", "b", "a"]) }, /^tenants: "a" is given twice/],
    ["a tenant that is none", { tenants: [{ name: 5 }] }, /^tenants\.0\.name: must be a TenantDatabase/],
    ["shares that shrink", { waves: [0.5, 0.1] }, /^waves\[1\]: 0\.1 is no share/],
    ["waves that leave somebody out", { waves: [0.5] }, /^waves: t5, t6, t7 and 2 more are in no wave/],
    ["no waves", { waves: [] }, /^waves: there must be one at least/],
    ["a wave that is nothing", { waves: ["10%"] }, /^waves\.0: must be a share of the fleet/],
    ["a stranger as canary", { canary: ["t11"] }, /^canary: "t11" is no tenant.*Did you mean "t1"\?/],
    ["labels that nobody has", { canary: { ring: "beta" } }, /^canary: no tenant has ring=beta/],
    ["a canary that is nothing", { canary: -1 }, /^canary: must be names of tenants, labels, or a number/],
    ["a budget that is none", { maxFailures: "many" }, /^maxFailures: "many" is neither/],
    ["a pause without end", { pauseBetween: "never" }, /^pauseBetween: it must have an end/],
    ["a timeout that is none", { timeout: "soon" }, /^timeout: "soon" is not a duration/],
    ["a bad choice", { onFailure: "retry" }, /^onFailure: /],
    ["no concurrency", { concurrency: 0 }, /^concurrency: /],
  ];
  for (const [what, more, message] of wrong) {
    it(`refuses ${what}, once, with its path`, () => {
      const news = inputs(ref, more);
      const { failures } = schemaRolloutHandler().check({ news, ...surroundings });
      assert.equal(failures.length, 1, failures.join("\n"));
      assert.match(failures[0]!, message);
    });
  }

  it("tells all that is wrong at once, and nothing of what is not known yet", () => {
    const check = (more: object) => schemaRolloutHandler().check({ news: inputs(ref, more), ...surroundings }).failures;
    assert.equal(check({ schema: "app", waves: [2], timeout: "soon", verfy: true }).length, 4);
    assert.deepEqual(check({ schema: unknownValue, tenants: [{ name: unknownValue }], canary: ["who"] }), []);
    assert.deepEqual(check({ tenants: [], canary: ["who"] }), []);
  });

  it("is created, updated, read and deleted; only update changes a database", async () => {
    await withBench(async (bench) => {
      const one = await seeded(bench, first);
      const { handler, said } = narrated();
      const created = await handler.create({ inputs: inputs(one), context: bench.context() });
      assert.equal(created.outputs.minSchemaVersion, "0001_notes");
      assert.deepEqual(said, [], "there was nothing to do");

      const two = await refOf(bench, second);
      const { id } = created;
      const diff = (olds: SchemaRolloutOutputs, news: SchemaRolloutInputs) =>
        handler.diff({ id, olds, news, context: bench.context() });
      assert.deepEqual(await diff(created.outputs, inputs(one)), { changes: false });
      assert.deepEqual(await diff(created.outputs, inputs(two)), { changes: true });
      assert.deepEqual(await diff(created.outputs, inputs(one, { waves: [0.5, 1] })), { changes: true });
      assert.deepEqual(await diff(created.outputs, inputs(one, { tenants: fleet(["t1"]) })), { changes: true });
      assert.deepEqual(await diff(created.outputs, inputs(unknownValue)), { changes: true });

      const waves = [0.1, 0.5, 1];
      const news = inputs(two, { waves });
      const updated = await handler.update({ id, olds: created.outputs, news, context: bench.context() });
      assert.equal(updated.minSchemaVersion, "0002_texts");
      assert.deepEqual(updated.counts, { current: 10, skipped: 0, failed: 0, quarantined: 0, unknown: 0 });
      assert.deepEqual([updated.unfinished, updated.quarantined, updated.stopped], [[], [], undefined]);
      assert.deepEqual(said, [
        updated.plan,
        "canary: begins, 1 of 10",
        "canary: ended, 1 migrated",
        "wave 2 (to 50 %): begins, 4 of 10",
        "wave 2 (to 50 %): ended, 4 migrated",
        "wave 3 (to 100 %): begins, 5 of 10",
        "wave 3 (to 100 %): ended, 5 migrated",
        "10 of 10 tenants are at 0002_texts",
      ]);
      assert.deepEqual(updated.plan.split("\n"), [
        'schema "app": 10 of 10 tenants to be brought to 0002_texts',
        "  from 0001_notes: 10, to apply: 0002_texts",
        "  canary: 1: t0",
        "  wave 2 (to 50 %): 4: t1, t2, t3 and 1 more",
        "  wave 3 (to 100 %): 5: t5, t6, t7 and 2 more",
      ]);
      assert.deepEqual(await diff(updated, news), { changes: false });
      assert.deepEqual(await handler.read({ id, outputs: updated, context: bench.context() }), updated);
      for (const name of names) assert.deepEqual(await ledger(bench, name), ["0001_notes", "0002_texts"]);

      assert.equal(await handler.delete({ id, outputs: updated, context: bench.context() }), undefined);
      assert.deepEqual(await ledger(bench, "t9"), ["0001_notes", "0002_texts"]);
    });
  }).timeout(60_000);

  it("touches nobody behind a canary that fails, says who and why, and goes on once the file is corrected", async () => {
    await withBench(async (bench) => {
      const one = await seeded(bench, first);
      const { handler, said } = narrated();
      const { id, outputs } = await handler.create({ inputs: inputs(one), context: bench.context() });
      await spoil(bench, "t0");
      const two = await refOf(bench, second);
      const context = bench.context();
      const error = await unfinished(handler.update({ id, olds: outputs, news: inputs(two), context }));
      assert.match(
        error.message,
        /0 of 10 tenants are at 0002_texts.*tried on t0, taken back, and had failed[^]*t0: failed: .*line 2/,
      );
      assert.match(said.join("\n"), /^t0: .*0002_texts\.sql, line 2/m);
      for (const name of names) assert.deepEqual(await ledger(bench, name), ["0001_notes"], name);
      const left = error.outputs;
      assert.equal(left.minSchemaVersion, "0001_notes");
      assert.equal(left.unfinished.length, 10);
      assert.deepEqual(await handler.read({ id, outputs: left, context: bench.context() }), left);
      const diff = await handler.diff({ id, olds: left, news: inputs(two), context });
      assert.equal(diff.changes, true);
      assert.match(diff.note!, /^goes on: 0 of 10 tenants are at 0002_texts \(t0: failed: /);

      const three = await refOf(bench, corrected);
      const last = await handler.update({ id, olds: left, news: inputs(three), context: bench.context() });
      assert.equal(last.minSchemaVersion, "0002_texts");
      assert.equal((await handler.diff({ id, olds: last, news: inputs(three), context })).changes, false);
    });
  }).timeout(60_000);

  it("leaves out who is in quarantine until it is released, and shows it as unfinished", async () => {
    await withBench(async (bench) => {
      const one = await seeded(bench, first);
      const { handler } = narrated();
      const { id, outputs } = await handler.create({ inputs: inputs(one), context: bench.context() });
      await spoil(bench, "t5");
      const two = inputs(await refOf(bench, second), { onFailure: "quarantine", maxFailures: 1 });
      const done = await handler.update({ id, olds: outputs, news: two, context: bench.context() });
      assert.deepEqual(done.quarantined, ["t5"]);
      assert.equal(done.minSchemaVersion, "0001_notes");
      assert.equal((await handler.diff({ id, olds: done, news: two, context: bench.context() })).changes, true);
      assert.deepEqual(await handler.read({ id, outputs: done, context: bench.context() }), done);

      await bench.sql("t5", "DELETE FROM notes");
      const again = await handler.update({ id, olds: done, news: two, context: bench.context() });
      assert.deepEqual(again.quarantined, ["t5"], "nobody has released it");
      const context: Context = bench.context();
      await releaseFromQuarantine((await context.registrySql("eu"))!, "app", ["t5"]);
      const released = (await handler.read({ id, outputs: again, context: bench.context() }))!;
      assert.deepEqual([released.quarantined, released.counts.skipped], [[], 1]);
      const last = await handler.update({ id, olds: released, news: two, context: bench.context() });
      assert.equal(last.minSchemaVersion, "0002_texts");
    });
  }).timeout(60_000);

  it("changes nobody where the template was taken back to an older one, and says who is ahead of it", async () => {
    await withBench(async (bench) => {
      const two = await seeded(bench, corrected);
      const { handler, said } = narrated();
      const { id, outputs } = await handler.create({ inputs: inputs(two), context: bench.context() });
      const news = inputs(await refOf(bench, first));
      const back = await handler.update({ id, olds: outputs, news, context: bench.context() });
      assert.deepEqual(said, [
        'schema "app": 0 of 10 tenants to be brought to 0001_notes\n' +
          "  skipped: 10: t0 (it is ahead: the template ends at 0001_notes), t1 (it is ahead: the template ends at " +
          "0001_notes), t2 (it is ahead: the template ends at 0001_notes) and 7 more",
      ]);
      assert.deepEqual([back.minSchemaVersion, back.unfinished], ["0001_notes", []]);
      assert.equal((await handler.diff({ id, olds: back, news, context: bench.context() })).changes, false);
      assert.deepEqual(await ledger(bench, "t9"), ["0001_notes", "0002_texts"]);
    });
  }).timeout(60_000);

  it("reads past a tenant that is closed, gone, or has another history", async () => {
    await withBench(async (bench) => {
      const one = await seeded(bench, first);
      const { handler } = narrated();
      const { id, outputs } = await handler.create({ inputs: inputs(one), context: bench.context() });
      await bench.api.ok("PATCH", "/databases/t1/configuration", { block_reads: true });
      await bench.api.ok("DELETE", "/databases/t2");
      await bench.sql("t3", "UPDATE _tenantry_migrations SET hash = 'edited'");
      const found = (await handler.read({ id, outputs, context: bench.context() }))!;
      assert.deepEqual(found.counts, { current: 7, skipped: 1, failed: 1, quarantined: 0, unknown: 1 });
      assert.deepEqual(
        found.unfinished.map(({ name, state }) => `${name} ${state}`),
        ["t1 skipped", "t2 unknown", "t3 failed"],
      );
      assert.equal(found.minSchemaVersion, undefined);
    });
  }).timeout(60_000);

  it("finds the group of tenants that are given by name alone", async () => {
    await withBench(async (bench) => {
      const one = await seeded(bench, first);
      const { handler } = narrated();
      const tenants = [{ name: "t1" }, { name: "nowhere" }];
      const { outputs } = await unfinished(
        handler.create({ inputs: inputs(one, { tenants }), context: bench.context() }),
      );
      assert.deepEqual(outputs.counts, { current: 1, skipped: 0, failed: 0, quarantined: 0, unknown: 1 });
      assert.match(outputs.unfinished[0]!.why!, /no database of that name/);
    });
  }).timeout(60_000);

  it("is refused before anybody is touched where an applied file was edited", async () => {
    await withBench(async (bench) => {
      const one = await seeded(bench, first);
      const { handler } = narrated();
      const { id, outputs } = await handler.create({ inputs: inputs(one), context: bench.context() });
      const edited = await refOf(bench, { ...second, "0001_notes.sql": "CREATE TABLE notes (id, text, edited);" });
      const update = handler.update({ id, olds: outputs, news: inputs(edited), context: bench.context() });
      await assert.rejects(update, /t0: migration \S+0001_notes\.sql was edited.*with 9 more: .*No tenant was touched/);
      assert.deepEqual(await ledger(bench, "t0"), ["0001_notes"]);
    });
  }).timeout(60_000);
});

describe("a TenantDatabase under a rollout", () => {
  it("is seeded when it is new, and not migrated afterwards, until its template goes back to tenants", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const one = await refOf(bench, first);
      const { id, outputs } = await tenantDatabase.create({ inputs: tenant("acme", { schema: one }), context });
      assert.equal(outputs.schemaVersion, "0001_notes");
      const two = await refOf(bench, second);
      const news = tenant("acme", { schema: two });
      assert.deepEqual(await tenantDatabase.diff({ id, olds: outputs, news, context }), {
        changes: true,
        note: undefined,
      });
      const updated = await tenantDatabase.update({ id, olds: outputs, news, context });
      assert.deepEqual(await ledger(bench, "acme"), ["0001_notes"]);
      assert.equal((await tenantDatabase.diff({ id, olds: updated, news, context })).changes, false);

      const back = tenant("acme", { schema: formatTemplateRef({ ...parseTemplateRef(two)!, rollout: undefined }) });
      assert.equal((await tenantDatabase.diff({ id, olds: updated, news: back, context })).changes, true);
      assert.equal(
        (await tenantDatabase.update({ id, olds: updated, news: back, context })).schemaVersion,
        "0002_texts",
      );
      assert.deepEqual(await ledger(bench, "acme"), ["0001_notes", "0002_texts"]);
    });
  }).timeout(60_000);

  it("reads the version that a rollout brought it to", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const one = await seeded(bench, first, context);
      const { id, outputs } = await tenantDatabase.create({ inputs: tenant("t1", { schema: one }), context });
      const two = await refOf(bench, second);
      await narrated().handler.create({ inputs: inputs(two), context });
      assert.equal((await tenantDatabase.read({ id, outputs, context }))?.schemaVersion, "0002_texts");
    });
  }).timeout(60_000);

  it("is not migrated by a forced replacement or by its adoption", async () => {
    await withBench(async (bench) => {
      const one = await seeded(bench, first);
      const two = await refOf(bench, second);
      const again = await tenantDatabase.create({ inputs: tenant("t1", { schema: two }), context: bench.context() });
      assert.equal(again.outputs.schemaVersion, "0001_notes");
      await bench.api.ok("POST", "/databases", { name: "theirs", group: "eu" });
      const adopted = await tenantDatabase.create({
        inputs: tenant("theirs", { schema: one, adopt: "unowned" }),
        context: bench.context(),
      });
      assert.equal(adopted.outputs.schemaVersion, undefined);
      assert.deepEqual(await bench.sql("theirs", "SELECT name FROM sqlite_schema"), []);
    });
  }).timeout(60_000);

  it("records labels, whatever their order, with no call", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const labels = { ring: "beta", plan: "free" };
      const { id, outputs } = await tenantDatabase.create({ inputs: tenant("acme", { labels }), context });
      const diff = async (news: Record<string, string>) =>
        (await tenantDatabase.diff({ id, olds: outputs, news: tenant("acme", { labels: news }), context })).changes;
      assert.equal(await diff({ plan: "free", ring: "beta" }), false);
      assert.equal(await diff({ ring: "stable", plan: "free" }), true);
      assert.deepEqual(outputs.labels, labels);
    });
  });
});

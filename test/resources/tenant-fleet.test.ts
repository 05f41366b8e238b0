import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { member, recordsOf, withFleetScene } from "../support/fleet-scene";

const ids = ["a", "b", "c"];
const first = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };
const second = {
  ...first,
  "0002_texts.sql": "CREATE TABLE texts (text TEXT);\nINSERT INTO texts SELECT json(text) FROM notes;\n",
};
const names = (of = ids): string[] => of.map((id) => `t-${id}`);

describe("a TenantFleet", function () {
  this.timeout(60_000);

  it("is created, left alone, changed, refreshed and deleted", async () => {
    await withFleetScene(async ({ bench, declare, up, refresh, destroy }) => {
      const created = await up(declare(ids.map((id) => member(id))));
      assert.equal(created!.note, "create 3: a, b, c");
      assert.deepEqual(await bench.databases(), names());
      assert.equal(created!.outputs.counts.ready, 3);
      assert.equal(created!.outputs.open, 0);
      assert.equal(recordsOf(created!.outputs)["b"]!.databaseId, await bench.databaseId("t-b"));

      assert.equal(await up(declare(ids.map((id) => member(id)))), undefined);

      const changed = await up(
        declare([member("a"), member("b", { blockWrites: true, labels: { plan: "free" } }), member("d")]),
      );
      assert.equal(changed!.note, "create 1: d; change 1: b; remove 1: c");
      assert.deepEqual(await bench.databases(), names(["a", "b", "d"]));
      const { database } = await bench.api.ok<{ database: { block_writes: boolean } }>("GET", "/databases/t-b");
      assert.equal(database.block_writes, true);
      assert.deepEqual(
        (await bench.claims()).map(({ name, state, address, tenant }) => [name, state, address, tenant]),
        ["a", "b", "d"].map((id) => [`t-${id}`, "held", `organization/shop/dev/prod/${id}`, id]),
      );

      const before = recordsOf(changed!.outputs);
      assert.deepEqual(recordsOf(await refresh()), before, "a refresh finds what is there");

      assert.equal(await destroy(), undefined);
      assert.deepEqual(await bench.databases(), []);
      assert.deepEqual(await bench.claims(), []);
    });
  });

  it("brings a schema to its tenants, a canary first, and goes on where a tenant failed", async () => {
    await withFleetScene(async ({ bench, declare, up, said, schema, state, refresh }) => {
      const one = await schema(first);
      const members = (ref: string) => ids.map((id) => member(id, { schema: ref }));
      const created = await up(declare(members(one)));
      assert.equal(created!.outputs.minSchemaVersion, "0001_notes");
      await bench.sql("t-b", "INSERT INTO notes (text) VALUES ('no JSON')");

      const two = await schema(second);
      const rollout = { canary: ["a"], verify: false };
      const news = declare([...members(two), member("d", { schema: two })], { rollout });
      await assert.rejects(
        up(news),
        /3 of 4 tenants are at 0002_texts; 1 failed.*\n {2}t-b: failed: .*malformed JSON/s,
      );
      const { outputs, note } = state();
      assert.equal(note, "create 1: d; bring 3 to 0002_texts: a, b, c");
      assert.ok(said.includes("canary: ended, 1 migrated"), said.join("\n"));
      assert.equal(outputs.minSchemaVersion, "0001_notes");
      assert.equal(outputs.targetVersion, "0002_texts");
      assert.deepEqual([outputs.counts.ready, outputs.counts.failed], [3, 1]);
      assert.deepEqual(
        outputs.unfinished.map(({ id, state: how }) => [id, how]),
        [["b", "failed"]],
      );

      await refresh();
      await bench.sql("t-b", "DELETE FROM notes");
      const done = await up(news);
      assert.match(done!.note!, /bring 1 to 0002_texts: b/);
      assert.equal(done!.outputs.minSchemaVersion, "0002_texts");
      assert.equal(done!.outputs.open, 0);
      assert.equal(await up(news), undefined);
    });
  });

  it("refuses a schema that was edited, or that destroys data, before anything is touched", async () => {
    await withFleetScene(async ({ bench, declare, up, schema }) => {
      const members = (ref: string) => [
        ...ids.map((id) => member(id, { schema: ref })),
        member("new", { schema: ref }),
      ];
      const one = await schema(first);
      await up(declare(members(one).slice(0, 3)));
      const edited = await schema({ ...second, "0001_notes.sql": `${first["0001_notes.sql"]} -- edited` });
      await assert.rejects(
        up(declare(members(edited))),
        /a has had the migrations up to 0001_notes, and these were edited/,
      );
      const dropped = await schema({ ...first, "0002_drop.sql": "DROP TABLE notes;" });
      await assert.rejects(
        up(declare(members(dropped))),
        /0002_drop\.sql, line 1: drop-table: .*allowDestructive: \["0002_drop"\]/s,
      );
      assert.deepEqual(await bench.databases(), names());
      const allowed = await up(declare(members(dropped), { rollout: { allowDestructive: ["0002_drop"] } }));
      assert.match(
        allowed!.note!,
        /^create 1: new; bring 3 to 0002_drop: a, b, c\n {2}drop-table: \S+0002_drop\.sql:1: /,
      );
      assert.equal(allowed!.outputs.open, 0);
    });
  });

  it("lets who is closed wait for its schema, and brings up first who is about to be closed", async () => {
    await withFleetScene(async ({ declare, up, schema }) => {
      const one = await schema(first);
      await up(declare([member("a", { schema: one, suspended: true }), member("b", { schema: one })]));
      const two = await schema({ ...first, "0002_tags.sql": "CREATE TABLE tags (x);" });
      const closed = declare([
        member("a", { schema: two, suspended: true }),
        member("b", { schema: two, blockWrites: true }),
      ]);
      const { outputs } = (await up(closed))!;
      const versions = Object.values(recordsOf(outputs)).map(({ state, schemaVersion }) => [state, schemaVersion]);
      assert.deepEqual(versions, [
        ["skipped", "0001_notes"],
        ["ready", "0002_tags"],
      ]);
      assert.deepEqual([outputs.open, outputs.minSchemaVersion], [0, "0001_notes"]);
      assert.equal(await up(closed), undefined);
      const opened = await up(declare([member("a", { schema: two }), member("b", { schema: two, blockWrites: true })]));
      assert.equal(opened!.note, "change 1: a; bring 1 to 0002_tags: a");
      assert.equal(opened!.outputs.minSchemaVersion, "0002_tags");
    });
  });

  it("leaves who is in quarantine out, and tries it again with other files", async () => {
    await withFleetScene(async ({ bench, declare, up, schema }) => {
      const rollout = { onFailure: "quarantine", maxFailures: "50%", verify: false, canary: ["a"] } as const;
      const of = (ref: string) =>
        declare(
          ids.map((id) => member(id, { schema: ref })),
          { rollout },
        );
      await up(of(await schema(first)));
      await bench.sql("t-b", "INSERT INTO notes (text) VALUES ('no JSON')");
      const { outputs } = (await up(of(await schema(second))))!;
      assert.deepEqual([outputs.quarantined, outputs.counts.ready, outputs.minSchemaVersion], [["b"], 2, "0001_notes"]);
      await bench.sql("t-b", "DELETE FROM notes");
      const done = await up(of(await schema({ ...second, "0003_tags.sql": "CREATE TABLE tags (x);" })));
      assert.deepEqual([done!.outputs.quarantined, done!.outputs.minSchemaVersion], [[], "0003_tags"]);
    });
  });
});

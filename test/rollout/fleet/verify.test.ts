import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { listQuarantine } from "../../../provider/registry/rollouts";
import { sampleOf } from "../../../provider/rollout/fleet/verify";
import { byState, init, migrationOf, once, unique, withFleet } from "./fleet-scene";

const verify = true;

describe("trying a change before it is rolled out", () => {
  it("leaves nothing behind where it succeeds, and touches nobody where it fails", async () => {
    await withFleet(12, async (scene) => {
      const prepared = await scene.prepare([init, unique], { policy: { verify } });
      // One of the sample beside the canary: the canary alone would not have shown it.
      const [, other] = sampleOf(prepared.plan);
      assert.ok(other);
      await scene.spoil([other.name]);
      const report = await scene.run(prepared);
      assert.equal(report.stopped, `it was tried on ${other.name}, taken back, and had failed`);
      const failed = report.outcomes.find(({ state }) => state === "failed");
      assert.equal(failed?.name, other.name);
      assert.match(
        failed.why ?? "",
        /^t\d+: migrations\/0002_unique\.sql, line 2: .*UNIQUE constraint failed: people\.email/,
      );
      assert.deepEqual(Object.keys(byState(report)).sort(), ["failed", "skipped"]);
      assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [0], "the first statement was taken back too");

      await scene.heal([other.name]);
      const done = await scene.rollOut([init, unique], { policy: { verify } });
      assert.deepEqual(Object.keys(byState(done)), ["migrated"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1], "tried and then run, it took effect once");
    });
  });

  it("counts who fails against the budget, and goes on without them: their rows may be at fault, and not the file", async () => {
    await withFleet(12, async (scene) => {
      const prepare = (policy: object) => scene.prepare([init, unique], { policy: { verify, ...policy } });
      const [canary, other] = sampleOf((await prepare({})).plan);
      assert.ok(canary && other);
      await scene.spoil([other.name]);
      const stop = await scene.run(await prepare({ maxFailures: 1 }));
      assert.equal(stop.stopped, undefined);
      assert.deepEqual([byState(stop)["failed"], byState(stop)["migrated"]?.length], [[other.name], 11]);

      const more = migrationOf(
        "0003_more",
        "CREATE UNIQUE INDEX people_too ON people (email);\nSELECT json(email) FROM people;",
      );
      const fleet = scene.tenants.filter(({ name }) => name !== other.name);
      const second = sampleOf((await scene.prepare([init, unique, more], { tenants: fleet })).plan)[1]!;
      await (await scene.sql(second.name)).execute({ sql: "INSERT INTO people VALUES ('no JSON')", args: [] });
      const begun: string[] = [];
      const left = await scene.rollOut([init, unique, more], {
        policy: { verify, maxFailures: 1, onFailure: "quarantine" },
        tenants: fleet,
        onBegun: (name) => begun.push(name),
      });
      assert.equal(left.stopped, undefined);
      assert.deepEqual([byState(left)["quarantined"], byState(left)["migrated"]?.length], [[second.name], 10]);
      assert.equal(begun.filter((name) => name === second.name).length, 1, "it is tried, and not begun after that");
      const known = await listQuarantine((await scene.bench.context().registrySql("eu"))!, "app");
      assert.deepEqual(
        known.map(({ name }) => name),
        [second.name],
      );
      assert.match(known[0]!.error, /0003_more\.sql, line 2: .*malformed JSON/);
    });
  });

  it("stops whatever the budget where the canary fails, or everybody whom it was tried on", async () => {
    await withFleet(12, async (scene) => {
      const policy = { verify, maxFailures: "100%", onFailure: "quarantine" } as const;
      await scene.spoil(["t03"]);
      const canary = await scene.rollOut([init, unique], { policy: { ...policy, canary: ["t03"] } });
      assert.equal(canary.stopped, "it was tried on t03, taken back, and had failed");
      await scene.spoil(scene.tenants.map(({ name }) => name));
      const all = await scene.rollOut([init, unique], { policy: { ...policy, canary: 0 } });
      assert.match(all.stopped ?? "", /^it was tried on t\d+ and 2 more, taken back, and had failed$/);
      assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init"]);
      assert.equal(byState(all)["quarantined"], undefined, "nobody is left out of the next run");
    });
  });

  it("puts the last one that is behind in quarantine: the others have shown that the file can be applied", async () => {
    await withFleet(4, async (scene) => {
      const policy = { verify, maxFailures: 1, onFailure: "quarantine", canary: 0 } as const;
      const rest = scene.tenants.filter(({ name }) => name !== "t3");
      assert.deepEqual(byState(await scene.rollOut([init, unique], { policy, tenants: rest })), {
        migrated: ["t1", "t2", "t4"],
      });
      await scene.spoil(["t3"]);
      const report = await scene.rollOut([init, unique], { policy });
      assert.deepEqual([report.stopped, byState(report)["quarantined"]], [undefined, ["t3"]]);
    });
  });

  it("tries all that is pending, up to what cannot be taken back", async () => {
    await withFleet(2, async (scene) => {
      const alone = { ...migrationOf("0003_alone", "CREATE INDEX by_email ON people (email);"), transaction: false };
      const broken = migrationOf("0004_broken", "INSERT INTO counter SELECT abs(-9223372036854775807 - 1);");
      // Behind what runs by itself, it is not tried: it fails when its turn comes, at the canary.
      const late = await scene.rollOut([init, once, alone, broken], { policy: { verify } });
      assert.equal(late.stopped, "the canary t1 failed");
      assert.deepEqual(await scene.ledgers(), { "0001_init 0002_once 0003_alone": ["t1"], "0001_init": ["t2"] });
      const early = await scene.rollOut([init, once, alone, { ...broken, id: "0004_other" }], {
        policy: { verify },
        tenants: scene.tenants.filter(({ name }) => name === "t1"),
      });
      assert.equal(early.stopped, "it was tried on t1, taken back, and had failed");
    });
  });

  it("runs a rebuild with foreign keys off, and sees rows that would refer to nothing", async () => {
    await withFleet(1, async (scene) => {
      const parents = migrationOf(
        "0002_parents",
        `CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE children (parent INTEGER REFERENCES parents (id) ON DELETE CASCADE);
         INSERT INTO parents VALUES (1, 'a'), (2, 'b');
         INSERT INTO children VALUES (1), (2);`,
      );
      await scene.rollOut([init, parents], { policy: { verify } });
      const rebuild = (where: string) =>
        migrationOf(
          "0003_rebuild",
          `CREATE TABLE parents_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
           INSERT INTO parents_new SELECT * FROM parents ${where};
           DROP TABLE parents;
           ALTER TABLE parents_new RENAME TO parents;`,
        );
      const bad = await scene.rollOut([init, parents, rebuild("WHERE id = 1")], { policy: { verify } });
      assert.match(bad.stopped ?? "", /^it was tried on t1/);
      assert.match(
        bad.outcomes[0]?.why ?? "",
        /leaves rows that refer to rows which it took away: children -> parents \(1\)/,
      );
      const good = await scene.rollOut([init, parents, rebuild("")], { policy: { verify } });
      assert.deepEqual(Object.keys(byState(good)), ["migrated"]);
      const { rows } = await (await scene.sql("t1")).execute({ sql: "SELECT count(*) AS n FROM children", args: [] });
      assert.equal(rows[0]?.["n"], 2);
    });
  });
});

describe("what a rollout would destroy", () => {
  const drop = migrationOf("0002_drop", "ALTER TABLE people ADD name TEXT;\nALTER TABLE people DROP COLUMN email;");

  it("is refused before anybody is touched, unless it is allowed by name", async () => {
    await withFleet(2, async (scene) => {
      const refused = await scene.prepare([init, drop], { policy: { allowDestructive: [] } });
      assert.deepEqual(
        refused.destruction.findings.map(({ kind, migration, line }) => ({ kind, migration, line })),
        [{ kind: "drop-column", migration: "0002_drop", line: 2 }],
      );
      await assert.rejects(
        scene.run(refused),
        /would destroy data:\n {2}migrations\/0002_drop\.sql, line 2: drop-column: .*people.*\n.*allowDestructive: \["0002_drop"\]/,
      );
      assert.deepEqual(await scene.ledgers(), { "0001_init": ["t1", "t2"] });
      const wrong = scene.prepare([init, drop], { policy: { allowDestructive: ["0002_dorp"] } });
      await assert.rejects(wrong, /allowDestructive: the template has no migration "0002_dorp"/);
      const allowed = await scene.rollOut([init, drop], { policy: { allowDestructive: ["0002_drop"] } });
      assert.deepEqual(Object.keys(byState(allowed)), ["migrated"]);
      // What everybody has had is nobody's concern any more.
      const later = await scene.prepare([init, drop, migrationOf("0003_more", "CREATE TABLE more (x);")], {
        policy: { allowDestructive: [] },
      });
      assert.deepEqual(later.destruction, { findings: [], problem: undefined, refusal: undefined });
    });
  });

  it("a file that SQLite refuses is named with its line before anybody is touched", async () => {
    await withFleet(2, async (scene) => {
      const typo = migrationOf("0002_typo", "CREATE TABLE a (x);\nCREATE TABLE b (x);\n\nCREATE TABEL c (x);");
      await assert.rejects(
        scene.rollOut([init, typo]),
        /migrations\/0002_typo\.sql, line 4: .*TABEL.*No tenant was touched/s,
      );
      const begin = migrationOf("0002_begin", "BEGIN;\nCREATE TABLE a (x);\nCOMMIT;");
      await assert.rejects(scene.rollOut([init, begin]), /0002_begin\.sql", line 1: BEGIN is refused/);
      assert.deepEqual(await scene.ledgers(), { "0001_init": ["t1", "t2"] });
    });
  });
});

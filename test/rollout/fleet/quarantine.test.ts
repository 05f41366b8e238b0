import assert from "node:assert/strict";
import type { Sql } from "../../../provider/platform/sql";
import { listQuarantine, listRollouts, releaseFromQuarantine } from "../../../provider/registry/rollouts";
import type { RolloutProgress } from "../../../provider/rollout/fleet/progress";
import { verdict } from "../../../provider/rollout/fleet/report";
import { digestOf } from "../../../provider/rollout/source";
import { type FleetScene, byState, init, migrationOf, unique, withFleet } from "./fleet-scene";

const registryOf = async ({ bench }: FleetScene): Promise<Sql> => (await bench.context().registrySql("eu"))!;
const way = { policy: { maxFailures: 2, onFailure: "quarantine", concurrency: 1 } } as const;

describe("quarantine", function () {
  this.timeout(60_000);

  it("goes on without who failed, leaves them out until they are released, and says so in journal and report", async () => {
    await withFleet(8, async (scene) => {
      const registry = await registryOf(scene);
      await scene.spoil(["t4", "t6"]);
      const report = await scene.rollOut([init, unique], way);
      assert.deepEqual(byState(report)["quarantined"], ["t4", "t6"]);
      assert.equal(byState(report)["migrated"]?.length, 6);
      assert.equal(verdict(report, way.policy), undefined);
      const rows = await listQuarantine(registry, "app");
      assert.deepEqual(
        rows.map(({ name, digest }) => [name, digest]),
        ["t4", "t6"].map((name) => [name, digestOf([init, unique])]),
      );
      assert.match(rows[0]!.error, /^t4: migrations\/0002_unique\.sql, line 2: .*UNIQUE constraint failed/);
      assert.match(rows[0]!.since, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const [run] = await listRollouts<RolloutProgress>(registry);
      assert.deepEqual([run!.template, run!.target, run!.startedBy], ["app", "0002_unique", "a test"]);
      assert.notEqual(run!.endedAt, undefined);
      assert.deepEqual([run!.progress.stage, run!.progress.done, run!.progress.counts.quarantined], ["ended", 8, 2]);
      assert.deepEqual(
        run!.progress.failures.map(({ name }) => name),
        ["t4", "t6"],
      );

      // Healed, but nobody has said so.
      await scene.heal(["t4", "t6"]);
      const second = await scene.rollOut([init, unique], way);
      assert.deepEqual(byState(second)["quarantined"], ["t4", "t6"]);
      assert.match(second.outcomes[3]!.why!, /UNIQUE constraint failed/);
      assert.deepEqual((await scene.ledgers())["0001_init"], ["t4", "t6"]);

      await releaseFromQuarantine(registry, "app", ["t4"]);
      assert.deepEqual(byState(await scene.rollOut([init, unique], way))["migrated"], ["t4"]);
      assert.deepEqual((await scene.ledgers())["0001_init"], ["t6"]);
    });
  });

  it("tries them again when the template has changed, and keeps other templates apart", async () => {
    await withFleet(4, async (scene) => {
      const registry = await registryOf(scene);
      await scene.spoil(["t2"]);
      await scene.rollOut([init, unique], way);
      const changed = migrationOf(
        "0002_unique",
        "UPDATE counter SET n = n + 1;\nDELETE FROM people;\nCREATE UNIQUE INDEX people_email ON people (email);",
      );
      // t1, t3 and t4 have the other one.
      const tenants = scene.tenants.filter(({ name }) => name === "t2");
      assert.deepEqual(byState(await scene.rollOut([init, changed], { ...way, tenants })), { migrated: ["t2"] });
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
      assert.deepEqual(await listQuarantine(registry, "another"), []);
    });
  });

  it("spends the budget, which ends the run", async () => {
    await withFleet(8, async (scene) => {
      await scene.spoil(["t2", "t4", "t6", "t8"]);
      const report = await scene.rollOut([init, unique], way);
      assert.deepEqual(byState(report), {
        migrated: ["t1", "t3", "t5"],
        quarantined: ["t2", "t4", "t6"],
        skipped: ["t7", "t8"],
      });
      assert.equal(report.stopped, "3 failed, and maxFailures allows 2");
      assert.match(
        verdict(report, way.policy)!.message,
        /3 of 8 tenants are at 0002_unique; 3 failed, and maxFailures/,
      );
    });
  });
});

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { listRollouts, stopRollouts } from "../../../provider/registry/rollouts";
import { verdict } from "../../../provider/rollout/fleet/report";
import { type FleetScene, byState, init, once, withFleet } from "./fleet-scene";

/** A context on which every migration takes its time, so that a run can be stopped in it. */
const slowContext = async ({ bench }: FleetScene) => {
  const { context } = await bench.contextOn(async ({ path, body }) => {
    if (path.startsWith("/db/t") && body.includes("UPDATE counter")) await sleep(150);
    return "pass" as const;
  });
  return context;
};
const registryOf = async ({ bench }: FleetScene) => (await bench.context().registrySql("eu"))!;

describe("stopping a rollout", function () {
  this.timeout(60_000);

  it("ends within two seconds of being asked in the journal; who was begun is done, who was not is untouched", async () => {
    await withFleet(60, async (scene) => {
      const registry = await registryOf(scene);
      const begun: string[] = [];
      let asked: Promise<number> | undefined;
      const report = await scene.rollOut([init, once], {
        context: await slowContext(scene),
        policy: { concurrency: 2 },
        onBegun: (name) => begun.push(name),
        onProgress: ({ done }) => {
          if (done === 3) asked ??= stopRollouts(registry, "app").then(() => Date.now());
        },
      });
      const took = Date.now() - (await asked)!;
      assert.ok(took < 2_500, `${took} ms`);
      const { migrated = [], skipped = [] } = byState(report);
      assert.deepEqual(migrated, begun);
      assert.deepEqual(
        [...migrated, ...skipped],
        scene.tenants.map(({ name }) => name),
      );
      assert.ok(skipped.length > 0);
      assert.equal(report.stopped, "somebody asked it to stop");
      assert.deepEqual(await scene.ledgers(), { "0001_init 0002_once": migrated, "0001_init": skipped });
      const [run] = await listRollouts<{ stage: string; stopped: string }>(registry);
      assert.ok(run!.stop && run!.endedAt !== undefined);
      assert.deepEqual([run!.progress.stage, run!.progress.stopped], ["ended", "somebody asked it to stop"]);

      // It was that run that was to stop, not the next one.
      const next = await scene.rollOut([init, once]);
      assert.equal(next.stopped, undefined);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
    });
  });

  it("does not end the rollout of another template", async () => {
    await withFleet(20, async (scene) => {
      const registry = await registryOf(scene);
      let asked: Promise<void> | undefined;
      const report = await scene.rollOut([init, once], {
        context: await slowContext(scene),
        policy: { concurrency: 2 },
        onProgress: ({ done }) => {
          if (done === 1) asked ??= stopRollouts(registry, "another");
        },
      });
      await asked;
      assert.deepEqual(Object.keys(byState(report)), ["migrated"]);
    });
  });

  it("ends in the pause between two waves", async () => {
    await withFleet(4, async (scene) => {
      const registry = await registryOf(scene);
      const stages: string[] = [];
      let asked: Promise<number> | undefined;
      const report = await scene.rollOut([init, once], {
        policy: { pauseBetween: "10m" },
        onProgress: ({ stage }) => {
          stages.push(stage);
          if (stage === "pause") asked ??= stopRollouts(registry, undefined).then(() => Date.now());
        },
      });
      assert.ok(Date.now() - (await asked)! < 2_500);
      assert.deepEqual(byState(report), { migrated: ["t1"], skipped: ["t2", "t3", "t4"] });
      assert.deepEqual(stages.slice(-2), ["pause", "ended"]);
    });
  });

  it("ends by a signal, also one that was given before it began", async () => {
    await withFleet(10, async (scene) => {
      const controller = new AbortController();
      const report = await scene.rollOut([init, once], {
        policy: { concurrency: 1 },
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done === 3) controller.abort();
        },
      });
      assert.deepEqual(byState(report)["migrated"], ["t01", "t02", "t03"]);
      assert.equal(
        verdict(report, { onFailure: "stop" })?.message,
        'schema "app": 3 of 10 tenants are at 0002_once; somebody asked it to stop. ' +
          "Run it again to go on: those that are done stay done.",
      );
      const before = await scene.rollOut([init, once], { signal: controller.signal });
      assert.equal(byState(before)["migrated"], undefined);
      assert.equal(before.stopped, "somebody asked it to stop");
    });
  });
});

import assert from "node:assert/strict";
import { listRollouts } from "../../../provider/registry/rollouts";
import { stack } from "../../support/bench";
import { byState, init, migrationOf, once, withFleet } from "./fleet-scene";

describe("two rollouts at once", function () {
  this.timeout(60_000);

  it("both end well, and every migration has taken effect exactly once", async () => {
    await withFleet(30, async (scene) => {
      const more = migrationOf("0003_more", "UPDATE counter SET n = n + 10;\nINSERT INTO people VALUES ('more')");
      const history = [init, once, more];
      const policy = { canary: 0, concurrency: 8 };
      // Both have looked before either begins: each plans to change everybody.
      const prepared = [await scene.prepare(history, { policy }), await scene.prepare(history, { policy })];
      const reports = await Promise.all(prepared.map((each) => scene.run(each)));
      for (const report of reports) {
        assert.deepEqual(Object.keys(byState(report)), ["migrated"]);
        assert.equal(report.stopped, undefined);
      }
      assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init 0002_once 0003_more"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [11]);
      for (const { name } of scene.tenants) {
        const people = await (
          await scene.sql(name)
        ).execute({ sql: "SELECT email FROM people ORDER BY email", args: [] });
        assert.deepEqual(
          people.rows.map(({ email }) => email),
          ["more", "somebody"],
        );
      }
      const runs = await listRollouts((await scene.bench.context().registrySql("eu"))!);
      assert.equal(runs.filter(({ target, endedAt }) => target === "0003_more" && endedAt !== undefined).length, 2);
    });
  });

  it("lets the newer run of the same stack go on, and ends the older one where they meet", async () => {
    await withFleet(20, async (scene) => {
      let reachFifth = (): void => {};
      const atFifth = new Promise<void>((resolve) => (reachFifth = resolve));
      let letGo = (): void => {};
      const newerDone = new Promise<void>((resolve) => (letGo = resolve));
      const { context } = await scene.bench.contextOn(async ({ path, body }) => {
        if (path.startsWith("/db/t05/") && body.includes("UPDATE counter")) {
          reachFifth();
          await newerDone;
        }
        return "pass" as const;
      });
      const begun: string[] = [];
      const policy = { canary: 0, concurrency: 1 };
      const older = scene.rollOut([init, once], { policy, context, stack, onBegun: (name) => begun.push(name) });
      await atFifth;
      const newer = await scene.rollOut([init, once], { policy: { canary: 0 }, stack });
      letGo();
      assert.deepEqual(byState(newer)["current"], ["t01", "t02", "t03", "t04"]);
      assert.equal(byState(newer)["migrated"]?.length, 16);
      const report = await older;
      assert.equal(report.stopped, "a newer run is at work");
      assert.deepEqual(begun, ["t01", "t02", "t03", "t04", "t05"]);
      assert.deepEqual(byState(report)["failed"], ["t05"]);
      assert.match(report.outcomes[4]!.why!, /^t05: a newer run has migrated it\./);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
    });
  });
});

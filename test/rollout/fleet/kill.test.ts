import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { type RolloutRecord, listRollouts } from "../../../provider/registry/rollouts";
import { observeFleet } from "../../../provider/rollout/fleet/observe";
import type { RolloutProgress } from "../../../provider/rollout/fleet/progress";
import type { TenantOutcome } from "../../../provider/rollout/fleet/report";
import { digestOf } from "../../../provider/rollout/source";
import { runChild } from "../../local/child";
import { stack } from "../../support/bench";
import { randomOf } from "../../support/kill-points";
import { type FleetScene, init, migrationOf, once, withFleet } from "./fleet-scene";

const seed = Number(process.env["TENANTRY_KILL_SEED"] || randomInt(1_000_000));
const size = 200;
const inFlight = 32;
const kills = 5;
const more = migrationOf("0003_more", "UPDATE counter SET n = n + 10;\nINSERT INTO people VALUES ('more');");
const history = [init, once, more];

/** A run in a process of its own. */
function startRun({ bench: { platform }, tenants }: FleetScene) {
  const template = { name: "app", digest: digestOf(history) };
  const policy = { canary: 0, concurrency: inFlight, verify: false };
  const request = { template, migrations: history, tenants, policy, stack, startedBy: "a child" };
  const given = { apiUrl: platform.url, apiToken: platform.apiToken, request };
  return runChild("test/rollout/fleet/rollout-child.js", JSON.stringify(given));
}

const journal = async ({ bench }: FleetScene): Promise<RolloutRecord<RolloutProgress>[]> =>
  (await listRollouts<RolloutProgress>((await bench.context().registrySql("eu"))!, 100)).filter(
    ({ startedBy }) => startedBy === "a child",
  );

describe(`a rollout that is killed (seed ${seed})`, function () {
  this.timeout(240_000);

  it(`migrates each of ${size} tenants exactly once, with ${kills} kills among ${inFlight} in flight`, async () => {
    let onAnswer = (): void => {};
    const onRequest = ({ method, path }: { method: string; path: string }): void => {
      if (method === "POST" && path.startsWith("/db/t") && !path.startsWith("/db/tenantry-")) onAnswer();
    };
    await withFleet(
      size,
      async (scene) => {
        const random = randomOf(seed);
        for (let kill = 1; kill <= kills; kill++) {
          // Every tenant is looked at once, and then written to: so many of the writes are answered when it dies.
          const at = size + 1 + Math.floor(random() * 24);
          let answered = 0;
          const child = startRun(scene);
          onAnswer = () => {
            if (++answered === at) child.process.kill("SIGKILL");
          };
          const code = await child.ended();
          onAnswer = () => {};
          assert.equal(code, null, `kill ${kill} at ${at}: it ended by itself: ${child.output().stderr}`);
          const runs = await journal(scene);
          assert.equal(runs.length, kill);
          assert.ok(
            runs.every(({ endedAt }) => endedAt === undefined),
            "broken off",
          );
          const left = await pendingTenants(scene);
          assert.ok(left >= inFlight, `kill ${kill} at ${at}: ${left} left, which is too few for the next one`);
        }

        const last = startRun(scene);
        assert.equal(await last.ended(), 0, last.output().stderr);
        const outcomes = JSON.parse(last.output().stdout) as TenantOutcome[];
        assert.equal(outcomes.length, size);
        assert.deepEqual(
          outcomes.filter(({ state }) => state !== "migrated" && state !== "current"),
          [],
        );
        assert.ok(
          outcomes.some(({ state }) => state === "current") && outcomes.some(({ state }) => state === "migrated"),
        );
        assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init 0002_once 0003_more"]);
        assert.deepEqual([...new Set((await scene.counters()).values())], [11]);
        for (const { name } of scene.tenants) {
          const sql = await scene.sql(name);
          const { rows } = await sql.execute({ sql: "SELECT email FROM people ORDER BY email", args: [] });
          assert.deepEqual(
            rows.map(({ email }) => email),
            ["more", "somebody"],
            name,
          );
        }
        const ended = (await journal(scene)).filter(({ endedAt }) => endedAt !== undefined);
        assert.equal(ended.length, 1);
        assert.equal(ended[0]!.progress.stage, "ended");
      },
      { onRequest },
    );
  });
});

async function pendingTenants({ bench, tenants }: FleetScene): Promise<number> {
  const seen = await observeFleet(bench.context(), tenants, 8, history);
  return tenants.filter((tenant) => {
    const observation = seen.observation(tenant);
    assert.ok("applied" in observation);
    return observation.applied.length < history.length;
  }).length;
}

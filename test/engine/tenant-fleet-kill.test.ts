import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { unpackFleet } from "../../provider/resources/tenant-fleet/pack";
import { withDoomedRun } from "../support/doomed-run";
import { type Fate, type LineCall } from "../support/faulty-line";
import { randomOf } from "../support/kill-points";
import { killSeed } from "../support/kill-series";
import { comeBack } from "../support/kill-stage";
import { type Scene, withScene } from "../support/scene";

const program = `
const { readFileSync } = require("node:fs");
const { SchemaTemplate, TenantFleet } = require("tenantry");
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const tenants = JSON.parse(readFileSync("fleet.json", "utf8"));
new TenantFleet("prod", { tenants, schema, group: "eu", maxRemovals: 50, rollout: { verify: false } });
`;
const skipped = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

/** More of them at leisure: the environment says how many, and which. */
const kills = Number(process.env["TENANTRY_FLEET_KILLS"] || 6);

interface Kill {
  readonly victim: "engine" | "provider";
  readonly write: number;
  readonly when: "before" | "after";
  readonly checkpoints: boolean;
}

/** The n-th deployment: some tenants are new, some are gone, all have another migration to come. */
function declared(n: number): Record<string, object> {
  const ids = Array.from({ length: 24 }, (_, i) => `t${String(i + n * 5).padStart(3, "0")}`);
  return Object.fromEntries(
    ids.map((id, i) => [id, i % 8 === n % 8 ? { deleteProtection: false, labels: { n: `${n}` } } : {}]),
  );
}

const migration = (n: number): Record<string, string> => ({
  [`migrations/${String(n + 1).padStart(4, "0")}_table.sql`]: `CREATE TABLE table_${n} (x);\nINSERT INTO table_${n} VALUES (${n});\n`,
});

/** Runs `up` and kills its engine or its provider at a write; answers whether it came so far. */
async function killedUp({ project, fault }: Scene, { victim, write, when, checkpoints }: Kill): Promise<boolean> {
  let isKilled = false;
  const env = checkpoints ? {} : skipped;
  await withDoomedRun(
    project,
    ["up", "--yes", "--skip-preview"],
    async (run) => {
      const act = (): void => {
        isKilled = true;
        if (victim === "engine") run.killEngine();
        else run.killProvider();
      };
      let writes = 0;
      fault((call: LineCall): Fate => {
        if (isKilled || call.method === "GET" || ++writes !== write) return "pass";
        if (when === "after") return () => (act(), victim === "engine" ? "pass" : "lose");
        act();
        return "drop";
      });
      await run.ended;
      await comeBack(project, victim === "engine" && isKilled);
      // At once, beside a provider that has not noticed yet.
      fault();
      const up = await project.pulumi(["up", "--yes", "--skip-preview", "--stack", project.stack], env);
      assert.equal(up.code, 0, up.output);
      await run.providersEnded();
    },
    env,
  );
  return isKilled;
}

/** All that is declared is there once, as state and registry have it; nothing else is. */
async function assertWhole({ project, databases, sql, claims }: Scene, n: number, before: Record<string, string>) {
  const ids = Object.keys(declared(n)).sort();
  const all = Object.entries(await databases()).filter(([name]) => !name.startsWith("tenantry-"));
  const now = Object.fromEntries(all);
  assert.deepEqual(Object.keys(now).sort(), ids);
  for (const id of ids) {
    if (before[id] !== undefined) assert.equal(now[id], before[id], `${id} was made anew`);
  }
  const { resources = [] } = (await project.stackExport()).deployment;
  const { outputs } = resources.find(({ urn }) => urn.endsWith("TenantFleet::prod"))!;
  const records = unpackFleet(String(outputs!["packed"]));
  assert.deepEqual(
    records.map(({ id, databaseId, state, schemaVersion }) => [id, databaseId, state, schemaVersion]),
    ids.map((id) => [id, now[id], "ready", `${String(n + 1).padStart(4, "0")}_table`]),
  );
  assert.deepEqual(
    await claims(),
    ids.map((id) => `database ${id} held organization/test-project/dev/prod/${id}`),
  );
  for (const id of [ids[0]!, ids.at(-1)!]) {
    const rows = await sql(id, `SELECT count(*) AS rows FROM table_${n}`);
    assert.equal(Number(rows[0]!["rows"]), 1, `${id} was migrated twice`);
  }
}

describe("a fleet whose run is killed", function () {
  this.timeout(kills * 60_000);

  it(`is finished by the next run, nothing doubled and nothing left over (seed ${killSeed})`, async () => {
    const random = randomOf(killSeed);
    const files = { "package.json": '{ "main": "index.js" }', "index.js": program };
    await withScene({ files }, async (scene) => {
      const { project } = scene;
      let killed = 0;
      for (let n = 0; n < kills; n++) {
        const kill: Kill = {
          victim: n % 2 === 0 ? "engine" : "provider",
          write: 1 + Math.floor(random() * 60),
          when: random() < 0.5 ? "before" : "after",
          checkpoints: random() < 0.5,
        };
        await project.write({ ...migration(n), "fleet.json": JSON.stringify(declared(n)) });
        const before = await scene.databases();
        try {
          if (await killedUp(scene, kill)) killed += 1;
          await assertWhole(scene, n, before);
        } catch (error) {
          throw new Error(`run ${n}, ${JSON.stringify(kill)}: ${(error as Error).message}`, { cause: error });
        }
      }
      assert.ok(killed > kills / 3, `only ${killed} of ${kills} runs were killed`);
      await project.pulumi(["refresh", "--yes", "--clear-pending-creates", "--stack", project.stack]);
      assert.deepEqual((await project.up()).counts, { same: 2 });
      await project.destroy();
      assert.deepEqual(await scene.tenants(), []);
      assert.deepEqual(await scene.claims(), []);
    });
  });
});

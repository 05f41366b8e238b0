import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { unpackFleet } from "../../provider/resources/tenant-fleet/pack";
import { randomOf } from "../support/kill-points";
import { killSeed } from "../support/kill-series";
import { type KillAtWrite, withKilledRun } from "../support/killed-run";
import { type Scene, withScene } from "../support/scene";

const program = `
const { readFileSync } = require("node:fs");
const { SchemaTemplate, TenantFleet } = require("tenantry");
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const tenants = JSON.parse(readFileSync("fleet.json", "utf8"));
new TenantFleet("prod", { tenants, schema, group: "eu", maxRemovals: 50, rollout: { verify: false } });
`;
const skipped = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

/** That many come about. More of them at leisure: the environment says how many, and which. */
const kills = Number(process.env["TENANTRY_FLEET_KILLS"] || 10);
/** Small, so that a run takes little longer than its engine needs to start; still more than are at work at once. */
const size = 12;

/** A run that dies, and one that was to finish it and dies too: the engine of one, the provider of the other. */
function drawKills(random: () => number): readonly KillAtWrite[] {
  const victims = random() < 0.5 ? (["engine", "provider"] as const) : (["provider", "engine"] as const);
  return victims.map((victim, i) => ({
    victim,
    // The second one has less to do.
    write: 1 + Math.floor(random() * (i === 0 ? 30 : 15)),
    when: random() < 0.5 ? "before" : "after",
  }));
}

/** The n-th deployment: some tenants are new, some are gone, all have another migration to come. */
function declared(n: number): Record<string, object> {
  const ids = Array.from({ length: size }, (_, i) => `t${String(i + n * 3).padStart(3, "0")}`);
  return Object.fromEntries(
    ids.map((id, i) => [id, i % 6 === n % 6 ? { deleteProtection: false, labels: { n: `${n}` } } : {}]),
  );
}

const migration = (n: number): Record<string, string> => ({
  [`migrations/${String(n + 1).padStart(4, "0")}_table.sql`]: `CREATE TABLE table_${n} (x);\nINSERT INTO table_${n} VALUES (${n});\n`,
});

/**
 * `up` that is killed, and at once another, which may be killed in turn; the last one must succeed. Answers how many of the
 * kills came about.
 */
async function deploy(
  scene: Scene,
  [kill, ...more]: readonly KillAtWrite[],
  env: Record<string, string>,
): Promise<number> {
  const { project } = scene;
  const up = ["up", "--yes", "--skip-preview"];
  if (!kill) {
    const { code, output } = await project.pulumi([...up, "--stack", project.stack], env);
    assert.equal(code, 0, output);
    return 0;
  }
  let killed = 0;
  const next = async (): Promise<void> => void (killed += await deploy(scene, more, env));
  return Number(await withKilledRun(scene, up, kill, next, env)) + killed;
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
  const { checkpoint } = JSON.parse((await project.stateFile()).text) as {
    checkpoint: { latest: { resources: { urn: string; outputs: { packed: string } }[] } };
  };
  const { outputs } = checkpoint.latest.resources.find(({ urn }) => urn.endsWith("TenantFleet::prod"))!;
  const records = unpackFleet(outputs.packed);
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
      for (let n = 0; killed < kills; n++) {
        assert.ok(n < kills, `only ${killed} of ${kills} kills came about`);
        const drawn = drawKills(random);
        const env = random() < 0.5 ? {} : skipped;
        await project.write({ ...migration(n), "fleet.json": JSON.stringify(declared(n)) });
        const before = await scene.databases();
        try {
          killed += await deploy(scene, drawn, env);
          await assertWhole(scene, n, before);
        } catch (error) {
          const what = `deployment ${n}, ${JSON.stringify({ drawn, env })}`;
          throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
        }
      }
      await project.pulumi(["refresh", "--yes", "--clear-pending-creates", "--stack", project.stack]);
      assert.deepEqual((await project.up()).counts, { same: 2 });
      await project.destroy();
      assert.deepEqual(await scene.tenants(), []);
      assert.deepEqual(await scene.claims(), []);
    });
  });
});

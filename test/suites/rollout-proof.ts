import assert from "node:assert/strict";
import { createContext } from "../../provider/context";
import type { ConnectionSettings } from "../../provider/platform/settings";
import type { PolicyInputs } from "../../provider/rollout/fleet/policy";
import { prepareRollout, runRollout } from "../../provider/rollout/fleet/rollout";
import { type Migration, digestOf } from "../../provider/rollout/source";
import { findDrift } from "../../provider/rollout/schema/drift";
import { byState, migrationOf } from "../rollout/fleet/fleet-scene";
import { type Stage, column } from "./driver";

const init = migrationOf("0001_init", "CREATE TABLE people (email TEXT);\nINSERT INTO people VALUES ('ada');");
const unique = migrationOf("0002_unique", "CREATE UNIQUE INDEX people_email ON people (email);");
const dropped = migrationOf("0003_drop", "DROP TABLE people;");

/** Canary, waves, dry run, destructive analysis and drift, each as it works on tenants of the driver's platform. */
export async function rollsOut(stage: Stage): Promise<void> {
  const { platform, group } = stage;
  const context = createContext(platform, { concurrency: 4 } as ConnectionSettings);
  const databases = await Promise.all([1, 2, 3].map(() => stage.create()));
  const [first, second, third] = databases.map(({ name }) => name);
  const all = await Promise.all(databases.map((database) => stage.sqlOn(database)));
  const everywhere = async (sql: string) => (await Promise.all(all.map((one) => column(one, sql)))).map(([x]) => x);

  const stages: string[] = [];
  const rollOut = async (migrations: readonly Migration[], policy: PolicyInputs) => {
    const tenants = databases.map(({ name }) => ({ name, group }));
    const template = { name: "app", digest: digestOf(migrations) };
    const request = { context, template, migrations, tenants, policy, stack: undefined, startedBy: "a test" };
    const onProgress = (now: { stage: string }) => void (stages.at(-1) === now.stage || stages.push(now.stage));
    return runRollout(await prepareRollout(request), { onProgress });
  };
  const policy = { canary: [first!], waves: [0.4, 1], allowDestructive: ["0002_unique"] };

  // Canary and waves, one after the other.
  const report = await rollOut([init], { ...policy, allowDestructive: [] });
  assert.deepEqual(byState(report), { migrated: [first, second, third] }, JSON.stringify(report));
  assert.deepEqual(stages, ["verify", "canary", "wave 1 (to 40 %)", "wave 2 (to 100 %)", "ended"]);

  // The dry run on the canary finds what would fail, and leaves nothing.
  await all[0]!.execute({ sql: "INSERT INTO people VALUES ('ada')", args: [] });
  const tried = await rollOut([init, unique], policy);
  assert.match(tried.stopped ?? "", new RegExp(`tried on ${first}.*taken back`));
  assert.deepEqual(await everywhere("SELECT count(*) AS x FROM _tenantry_migrations"), [1, 1, 1]);
  assert.deepEqual(await everywhere("SELECT count(*) AS x FROM sqlite_schema WHERE name = 'people_email'"), [0, 0, 0]);

  // What would lose rows is refused before anybody is touched.
  await assert.rejects(rollOut([init, unique, dropped], policy), { code: "needs-decision" });
  assert.deepEqual(await everywhere("SELECT count(*) AS x FROM people"), [2, 1, 1]);

  // What somebody changed past Tenantry shows.
  await all[2]!.execute({ sql: "CREATE TABLE stray (x)", args: [] });
  const looked = databases.map((database) => ({ name: database.name, sql: () => context.sql({ ...database, group }) }));
  const drift = await findDrift({ migrations: [init, unique], tenants: looked });
  assert.deepEqual(
    drift.map(({ state }) => state),
    ["in-sync", "in-sync", "drifted"],
    JSON.stringify(drift),
  );
  assert.match(JSON.stringify(drift[2]), /stray/);
}

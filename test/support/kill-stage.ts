import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { registryName, templateName } from "../../provider/registry/reserved-names";
import { digestOf, readMigrations } from "../../provider/rollout/source";
import { checkpointCheck } from "../../sdk/cli/doctor/checkpoint";
import { type CountedPlatform, withCountedPlatform } from "./counted-platform";
import { withDoomedRun } from "./doomed-run";
import { type Project, withProject } from "./engine";
import { type Fate, type LineCall, openFaultyLine } from "./faulty-line";
import { type Kill, describeKill } from "./kill-points";
import { type Declared, type Phase, filesOf, resourceCount, scene, stepsOf } from "./kill-scene";

/** Where runs of the scene are killed: each begins from the same platform and the same state as the one before. */
export interface KillStage {
  /** The steps of each request of an unharmed run of that phase, in order. */
  dryRun(phase: Phase): Promise<string[][]>;
  /** Kills, recovers as a pipeline would, and asserts that nothing is lost, doubled or left over. */
  play(kill: Kill): Promise<Outcome>;
}

export interface Outcome {
  /** How long provider processes outlived their engine, ms; 0 where they were killed too. */
  readonly outlived: number;
}

/** The engine's own fast way of large stacks: state is written once, at the end of a run. */
const withoutCheckpoints = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
/** Runs are told apart by their tokens; the platform has but one. */
const [killedToken, nextToken] = ["token-of-the-killed-run", "token-of-the-next-run"];
const parallel = ["--parallel", "8"];
/** What a row of a tenant's own looks like, which no migration wrote. */
const kept = "INSERT INTO notes (body) VALUES ('kept')";

export async function withKillStage(use: (stage: KillStage) => Promise<void>): Promise<void> {
  const store = await mkdtemp(path.join(tmpdir(), "tenantry-kills-"));
  let platform: CountedPlatform | undefined;
  let fate: (call: LineCall) => Fate | Promise<Fate> = () => "pass";
  const line = await openFaultyLine(
    () => platform!.url,
    (call) => fate(call),
    (given) => (/token-of-the/.test(given) ? `Bearer ${platform!.apiToken}` : given),
  );
  const env = { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: line.url, TENANTRY_API_TOKEN: killedToken };
  try {
    await withProject({ files: filesOf(scene.create.declared), env }, async (project) => {
      const backend = fileURLToPath(project.env["PULUMI_BACKEND_URL"]!);
      const beginnings = new Map<Declared | undefined, Promise<string>>();

      /** Both halves of what is, platform and state, in a folder. */
      const beginning = (of: Declared | undefined): Promise<string> => {
        const known = beginnings.get(of);
        if (known) return known;
        const made = makeBeginning(of);
        beginnings.set(of, made);
        return made;
      };
      const makeBeginning = async (of: Declared | undefined): Promise<string> => {
        const from = of ? await beginning(undefined) : undefined;
        const folder = await mkdtemp(path.join(store, "beginning-"));
        if (from) {
          await cp(path.join(from, "platform"), path.join(folder, "platform"), { recursive: true });
          await rm(backend, { recursive: true });
          await cp(path.join(from, "backend"), backend, { recursive: true });
        }
        await withCountedPlatform({ directory: path.join(folder, "platform") }, async (first) => {
          platform = first;
          if (!of) return;
          await project.write(filesOf(of));
          await project.up({ args: parallel });
          for (const name of of.tenants) await first.sql("eu", name, kept);
        });
        await cp(backend, path.join(folder, "backend"), { recursive: true });
        return folder;
      };

      const during = async <Result>(phase: Phase, work: (on: CountedPlatform) => Promise<Result>): Promise<Result> => {
        const from = await beginning(scene[phase].before);
        const directory = await mkdtemp(path.join(store, "platform-"));
        await cp(path.join(from, "platform"), directory, { recursive: true });
        await rm(backend, { recursive: true });
        await cp(path.join(from, "backend"), backend, { recursive: true });
        await rm(path.join(project.folder, "migrations"), { recursive: true });
        await project.write(filesOf(scene[phase].declared));
        let result: { value: Result } | undefined;
        await withCountedPlatform({ directory }, async (fresh) => {
          platform = fresh;
          result = { value: await work(fresh) };
        });
        await rm(directory, { recursive: true, force: true });
        return result!.value;
      };

      await use({
        dryRun: (phase) =>
          during(phase, async () => {
            const asked: string[][] = [];
            fate = (call) => {
              asked.push(stepsOf(call));
              return "pass";
            };
            await project[scene[phase].command]({ args: parallel });
            fate = () => "pass";
            return asked;
          }),
        play: (kill) =>
          during(kill.phase, async (on) => {
            try {
              return await killAndRecover(kill, on, project, (next) => (fate = next));
            } catch (error) {
              throw new Error(`${describeKill(kill)}: ${String(error)}`, { cause: error });
            } finally {
              fate = () => "pass";
            }
          }),
      });
    });
  } finally {
    await line.close();
    await rm(store, { recursive: true, force: true });
  }
}

async function killAndRecover(
  kill: Kill,
  platform: CountedPlatform,
  project: Project,
  setFate: (fate: (call: LineCall) => Fate | Promise<Fate>) => void,
): Promise<Outcome> {
  const { command, declared } = scene[kill.phase];
  const mode = kill.checkpoints ? {} : withoutCheckpoints;
  const args = [command, "--yes", "--skip-preview", ...parallel];
  return withDoomedRun(
    project,
    args,
    async (run) => {
      let reached = false;
      const act = (): void => {
        if (kill.victim !== "provider") run.killEngine();
        if (kill.victim !== "engine") run.killProvider();
      };
      const isIt = counter(kill);
      setFate((call) => {
        if (reached || !isIt(call)) return "pass";
        reached = true;
        if (kill.when === "after") return () => (act(), kill.victim === "engine" ? "pass" : "lose");
        act();
        return "drop";
      });
      await run.died;
      assert.ok(reached, `the run ended before it was killed\n${(await run.ended).output}`);
      const ends = run.providersEnded();
      // Looked at where it is awaited; a failure in between is not to end the process.
      ends.catch(() => undefined);

      const watch = watchNextRun(platform);
      setFate(watch.fate);
      await comeBack(project, kill.victim !== "provider");
      // State may still hold what a killed destroy has deleted, and an unchanged `up` asks the platform nothing.
      const look = kill.phase === "destroy" ? ["--refresh"] : [];
      const next = ["up", "--yes", "--skip-preview", ...look, ...parallel, "--stack", project.stack];
      const up = await project.pulumi(next, { ...mode, TENANTRY_API_TOKEN: nextToken });
      assert.equal(up.code, 0, up.output);
      assert.deepEqual(watch.intrusions, [], "the killed run went on beside the next one");
      assert.ok(watch.found, "the next run asked nothing");
      const outlived = kill.victim === "engine" ? await ends : (await ends, 0);
      assert.ok(outlived < 5_000, `a provider ended ${outlived} ms after its engine`);
      setFate(() => "pass");

      await assertWhole(platform, declared, watch.found, kill.phase, path.join(project.folder, "migrations"));
      await assertState(platform, project, declared);
      if (kill.settles) await assertSettles(project, declared);
      return { outlived };
    },
    mode,
  );
}

/** Says of each call of a run whether it is the one at which it dies. */
function counter({ at }: Kill): (call: LineCall) => boolean {
  let seen = 0;
  return (call) => (at.label === undefined || stepsOf(call).includes(at.label)) && ++seen === at.nth;
}

/** What a pipeline does after a kill; see "After a crash" in the README. */
export async function comeBack(project: Project, locked: boolean): Promise<void> {
  const { file } = await project.stateFile();
  const name = `organization/test-project/${project.stack}`;
  const torn = await checkpointCheck(path.resolve(file, "../../../.."), { name, from: "--stack" });
  if (torn) {
    const [, command] = /`([^`]+)`/.exec(torn.fix ?? "") ?? [];
    assert.ok(command, `${torn.found} ${torn.fix}`);
    execFileSync("sh", ["-c", command]);
  }
  if (!locked) return;
  const { code, output } = await project.pulumi(["cancel", "--yes", "--stack", project.stack]);
  assert.equal(code, 0, output);
}

/** Sees the first call of the next run, looks around before it is carried on, and hears whoever speaks besides. */
function watchNextRun(platform: CountedPlatform) {
  const others = new Set<string>([`Bearer ${killedToken}`]);
  const intrusions: string[] = [];
  const watch = {
    intrusions,
    /** What the next run found: tenants by name, with their ids. */
    found: undefined as Map<string, string> | undefined,
    fate: async (call: LineCall): Promise<Fate> => {
      const { authorization } = call;
      if (watch.found) {
        if (others.has(authorization)) intrusions.push(...stepsOf(call));
      } else if (authorization === `Bearer ${nextToken}`) {
        watch.found = await tenantsOf(platform);
        for (const name of watch.found.keys()) await writeRow(platform, name);
      } else if (authorization !== "") {
        others.add(authorization);
      }
      return "pass";
    },
  };
  return watch;
}

/** A row of its own for a tenant that has none and has the table already: a recovery must not make it anew. */
async function writeRow(platform: CountedPlatform, name: string): Promise<void> {
  const tables = await platform.sql("eu", name, "SELECT 1 FROM sqlite_schema WHERE name = 'notes'");
  if (tables.length > 0 && (await rowsOf(platform, name, "kept")) === 0) await platform.sql("eu", name, kept);
}

/** Everything that is declared is there, once, with what it had, and nothing else. */
async function assertWhole(
  platform: CountedPlatform,
  { tenants, migrations }: Declared,
  found: ReadonlyMap<string, string>,
  phase: Phase,
  migrationsFolder: string,
): Promise<void> {
  const now = await databasesOf(platform);
  const others = [...now.keys()].filter((name) => !tenants.includes(name)).sort();
  assert.deepEqual(
    [...now.keys()].filter((name) => tenants.includes(name)),
    [...tenants],
  );
  // No template database is needed where every tenant was there already.
  const digest = digestOf(readMigrations(migrationsFolder).migrations);
  assert.deepEqual(
    others.filter((name) => name !== templateName("eu", "app", digest)),
    [registryName("eu")],
    "left over",
  );
  for (const name of tenants) {
    const ledger = await platform.sql("eu", name, "SELECT id FROM _tenantry_migrations ORDER BY seq");
    assert.deepEqual(
      ledger.map(({ id }) => id),
      Object.keys(migrations),
      name,
    );
    if (phase === "update") assert.equal(await rowsOf(platform, name, "welcome"), 1, `${name} was migrated twice`);
    if (!found.has(name)) continue;
    assert.equal(now.get(name), found.get(name), `${name} was made anew`);
    assert.equal(await rowsOf(platform, name, "kept"), 1, `${name} lost its row`);
  }
  if (phase === "update") {
    for (const name of tenants.filter((one) => scene.create.declared.tenants.includes(one))) {
      assert.ok(found.has(name), `${name} was lost`);
    }
  }
  const claims = await platform.sql(
    "eu",
    registryName("eu"),
    "SELECT kind, name, state, database_id FROM claims WHERE kind = 'database' OR state <> 'held' ORDER BY name",
  );
  // A delete that was announced and not done stays announced: the next run has nothing to change there.
  const expected = phase === "destroy" ? /^(held|deleting)$/ : /^held$/;
  for (const { name, state } of claims) assert.match(String(state), expected, String(name));
  assert.deepEqual(
    claims.map(({ state: _, ...claim }) => claim),
    tenants.map((name) => ({ kind: "database", name, database_id: now.get(name) })),
  );
}

/** State knows each resource once, and the databases as they are. */
async function assertState(platform: CountedPlatform, project: Project, declared: Declared): Promise<void> {
  const { checkpoint } = JSON.parse((await project.stateFile()).text) as {
    checkpoint: { latest: { resources: { urn: string; type: string; outputs?: Record<string, unknown> }[] } };
  };
  const own = checkpoint.latest.resources.filter(({ type }) => type.includes("tenantry:"));
  assert.equal(own.length, resourceCount(declared), own.map(({ urn }) => urn).join("\n"));
  assert.equal(new Set(own.map(({ urn }) => urn)).size, own.length);
  const now = await databasesOf(platform);
  for (const { type, outputs = {} } of own) {
    if (type.endsWith(":TenantDatabase")) assert.equal(outputs["databaseId"], now.get(String(outputs["name"])));
    if (type.endsWith(":DatabaseToken")) assert.equal(outputs["databaseId"], now.get("t1"), "the token is another's");
  }
}

/** Nothing is left to do, and nothing left to say. */
async function assertSettles(project: Project, declared: Declared): Promise<void> {
  const { pending_operations: pending = [] } = (await project.stackExport()).deployment;
  if (pending.length > 0) {
    const cleared = await project.pulumi(["refresh", "--yes", "--clear-pending-creates", "--stack", project.stack]);
    assert.equal(cleared.code, 0, cleared.output);
  }
  const { counts, diagnostics, output } = await project.up();
  assert.deepEqual(counts, { same: resourceCount(declared) }, output);
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "warning" || severity === "error"),
    [],
    output,
  );
}

async function databasesOf(platform: CountedPlatform): Promise<Map<string, string>> {
  const { databases } = await platform.api.ok<{ databases: { Name: string; DbId: string }[] }>("GET", "/databases");
  return new Map(databases.map(({ Name, DbId }) => [Name, DbId] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const tenantsOf = async (platform: CountedPlatform): Promise<Map<string, string>> =>
  new Map([...(await databasesOf(platform))].filter(([name]) => !name.startsWith("tenantry-")));

async function rowsOf(platform: CountedPlatform, name: string, body: string): Promise<number> {
  const [row] = await platform.sql("eu", name, `SELECT count(*) AS rows FROM notes WHERE body = '${body}'`);
  return Number(row?.["rows"]);
}

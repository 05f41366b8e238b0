import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { group } from "../../provider/resources/group";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { stack, tenant, withBench } from "../support/bench";
import { usePostgres } from "../support/postgres";
import { failure } from "../support/tenantsdb/replies";
import { type Shop, withShop } from "../support/tenantsdb/shop";
import type { StandInOptions } from "../support/tenantsdb/stand-in";
import { connectionChecks } from "../../sdk/cli/doctor/connection";
import { readerCommands } from "../../sdk/cli/readers";
import { restoreCommand } from "../../sdk/cli/restore";
import { resumeCommand, suspendCommand } from "../../sdk/cli/suspend";
import { writeFakePulumi } from "./fake-pulumi";
import { type Ended, runCli } from "./run-cli";
import { runHere } from "./run-here";

/** One project for all tests, each of which has a tenant of its own. */
interface Scene extends Shop {
  /** Runs `tenantry ...` in this process; fails where it ends otherwise than `code` says, 0 by default, or prints a secret. */
  cli(args: readonly string[], code?: number): Promise<Ended>;
  /** The same in a process of its own. */
  start(args: readonly string[], code?: number): Promise<Ended>;
  json<Document>(args: readonly string[]): Promise<Document>;
  /** A tenant with a table of notes, by a run of its own: a restore by hand overtakes those before it. */
  make(name: string): ReturnType<typeof tenantDatabase.create>;
}

describe("tenantry on TenantsDB", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);
  const postgres = usePostgres("tenantry on TenantsDB");
  /** What is answered in place of the truth to whatever is asked for of this tenant. */
  let trouble:
    { readonly tenant: string; readonly is: ReturnType<NonNullable<StandInOptions["interfere"]>> } | undefined;
  let scene: Scene;
  let end: (() => void) | undefined;
  let ended: Promise<void> | undefined;

  const interfere: StandInOptions["interfere"] = ({ method, path }) => {
    if (method !== "POST" || !trouble || !path.startsWith(`/tenants/${trouble.tenant}/`)) return undefined;
    const { is } = trouble;
    if (is === "lost") trouble = undefined;
    return is;
  };

  const withScene = (use: (scene: Scene) => Promise<void>): Promise<void> =>
    withShop({ postgres: postgres(), interfere }, async (shop) => {
      const { context, standIn, project, template, tenant: declared, fresh } = shop;
      const { apiKey, proxyPassword } = standIn.project;
      const cwd = await mkdtemp(join(tmpdir(), "tenantry-life-"));
      const env = {
        ...{ TENANTRY_PLATFORM: "tenantsdb", TENANTRY_ORGANIZATION: project, TENANTRY_API_URL: standIn.url },
        ...{ TENANTRY_API_TOKEN: apiKey, TENANTRY_PROXY_PASSWORD: proxyPassword },
      };
      const judged = (done: Ended, code = 0): Ended => {
        const said = `${done.stdout}${done.stderr}`;
        assert.ok(!said.includes(apiKey) && !said.includes(proxyPassword), "it prints a secret");
        assert.equal(done.code, code, said);
        return done;
      };
      const verbs = () => [suspendCommand(), resumeCommand(), restoreCommand(), ...readerCommands()];
      const cli: Scene["cli"] = async (args, code) => judged(await runHere(verbs(), args, { cwd, env }), code);
      const start: Scene["start"] = async (args, code) => judged(await runCli([...args], { cwd, env }), code);
      try {
        const self = "organization/shop/dev/eu";
        await group.create({ inputs: { self, name: project, location: "default" }, context });
        await schemaTemplate.create({ inputs: template(), context });
        await use({
          ...shop,
          cli,
          start,
          json: async (args) => JSON.parse((await cli([...args, "--json"])).stdout) as never,
          make: (name) =>
            tenantDatabase.create({ inputs: declared(name, { schema: template().ref }), context: fresh() }),
        });
      } finally {
        await rm(cwd, { recursive: true, force: true });
      }
    });

  before(
    () =>
      new Promise<void>((ready, failed) => {
        ended = withScene((made) => {
          scene = made;
          ready();
          return new Promise((resolve) => (end = resolve));
        });
        ended.catch(failed);
      }),
  );
  after(() => {
    end?.();
    return ended;
  });

  it("brings back what was deleted softly, says what it lacks, and puts it back to the backup of then", async () => {
    const { cli, json, standIn, start, fresh, make } = scene;
    const acme = await make("acme");
    await standIn.sql("app__acme", "INSERT INTO notes VALUES (1, 'a'), (2, 'b')");
    await tenantDatabase.delete({ ...acme, context: fresh() });
    const { stderr } = await start(["restore", "acme"], 1);
    const backup = standIn.project.tenants.get("acme")!.backups[0]!.path;
    const said =
      `tenantry: acme: it is back, but not with the rows it was deleted with: app.public.notes has 0 rows and had 2; ` +
      `what it had is in the backup "${backup}". Before anything writes there, put it back with ` +
      `\`npx tenantry restore acme --backup "${backup}"\`.\n`;
    assert.equal(stderr, said);
    const put = await json<Record<string, unknown>>(["restore", "acme", "--backup", backup]);
    assert.deepEqual([put["name"], put["backups"]], ["acme", [backup]]);
    assert.deepEqual(await standIn.sql("app__acme", "SELECT body FROM notes ORDER BY id"), [
      { body: "a" },
      { body: "b" },
    ]);
    assert.match((await cli(["restore", "acme"])).stdout, /^acme: it is not in the trash, so nothing was done\.$/m);
    const unknown = await cli(["restore", "acme", "--backup", "s3://nothing"], 1);
    assert.match(unknown.stderr, /Could not roll tenant "acme" back to "s3:\/\/nothing": backup not found \(404\)/);
  });

  it("brings back what has all its rows without a word more", async () => {
    const { cli, fresh, make, project } = scene;
    await tenantDatabase.delete({ ...(await make("bolt")), context: fresh() });
    // Where the platform has the trash it is not listed, and no claim of it is to be given up.
    const checks: string[] = [];
    for await (const { name, status, found } of connectionChecks(fresh().settings, "organization/shop/dev")) {
      if (name === `registry of group "${project}"`) checks.push(`${status}: ${found}`);
    }
    assert.equal(checks.length, 1, checks.join("\n"));
    assert.match(checks[0]!, /^ok: \d names held, 0 unfinished, 1 in the trash$/);
    assert.match((await cli(["restore", "bolt"])).stdout, /^bolt: it is back, with all its rows\.$/m);
  });

  it("says in one line what failed, in which state a tenant is, and does it the next time", async () => {
    const { cli, standIn, platform, make } = scene;
    await make("corp");
    const stored = standIn.project.tenants.get("corp")!;
    const { id: backup } = (await platform.takeBackup!("corp"))!;
    const fails = async (args: readonly string[], says: RegExp): Promise<void> => {
      const { stdout, stderr } = await cli(args, 1);
      assert.equal(stdout, "");
      assert.match(stderr, says);
      assert.match(stderr, /^tenantry: [^\n]+\n$/);
    };
    const putBack = ["restore", "corp", "--backup", backup];
    trouble = { tenant: "corp", is: failure(403, "this key may only read", "role_required") };
    await fails(
      ["suspend", "corp"],
      /Could not suspend tenant "corp": this key may only read \(403\)\. Use an API key/,
    );
    await fails(putBack, /Could not roll tenant "corp" back to .*only read \(403\)/);
    trouble = { tenant: "corp", is: failure(503, "maintenance") };
    await fails(["suspend", "corp"], /Could not suspend tenant "corp": maintenance \(503\)/);
    await fails(putBack, /Could not roll tenant "corp" back to .*maintenance \(503\)/);
    trouble = undefined;
    await cli(["suspend", "corp"]);
    await fails(putBack, /it is suspended.* Resume it first: `npx tenantry resume corp`/);
    // Done, and the reply lost: asked again, it is found to be done.
    trouble = { tenant: "corp", is: "lost" };
    assert.match((await cli(["resume", "corp"])).stdout, /^corp: it goes on\.$/m);
    assert.deepEqual([trouble, stored.status], [undefined, "ready"]);
    assert.match((await cli(putBack)).stdout, /^corp: it is as it was in "s3:/m);
  });

  it("suspends and resumes, and lists deployments and backups", async () => {
    const { cli, json, standIn, start, make } = scene;
    await make("dock");
    const stored = standIn.project.tenants.get("dock")!;
    assert.match((await start(["suspend", "dock"])).stdout, /^dock: reads and writes are refused, its data stays\.$/m);
    assert.equal(stored.status, "suspended");
    assert.match((await cli(["suspend", "dock"])).stdout, /^dock: it was suspended already\.$/m);
    assert.match((await cli(["resume", "dock"])).stdout, /^dock: it goes on\.$/m);
    assert.equal(stored.status, "ready");

    const all = (await cli(["deployments"])).stdout;
    assert.match(all, /^AT +BLUEPRINT +VERSION +STATUS +TENANTS +DEPLOYMENT$/m);
    assert.match(all, /^20\S+Z +app +1\.1 +completed +0 of 0 +dep_/m);
    assert.match((await cli(["deployments", "dock"])).stdout, /^There are none yet\.$/m);
    stored.deployments.push(...standIn.project.deployments.values());
    const { deployments } = await json<{ deployments: Record<string, unknown>[] }>(["deployments", "dock"]);
    assert.deepEqual(
      deployments.map(({ blueprint, version, status }) => [blueprint, version, status]),
      [["app", "1.1", "completed"]],
    );
    assert.match((await start(["deployments", "--limit", "0"], 1)).stderr, /--limit: "0" is not a whole number/);
    assert.match((await cli(["backups", "dock", "--take"])).stdout, /^A backup was asked for: s3:/m);
  });

  it("says with move --plan that no rows leave here or come here, and what moves all the same", async () => {
    const { make, project, standIn } = scene;
    const { apiKey } = standIn.project;
    const fern = await make("fern");
    const folder = await mkdtemp(join(tmpdir(), "tenantry-move-"));
    try {
      await withBench(async (bench) => {
        const other = await tenantDatabase.create({ inputs: tenant("gale"), context: bench.context() });
        const { url, apiToken } = bench.platform;
        await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
        await writeFakePulumi(folder, {
          name: stack,
          resources: { "TenantDatabase fern": fern.id, "TenantDatabase gale": other.id },
          outputs: {
            "TenantDatabase fern": fern.outputs,
            "TenantDatabase gale": { ...other.outputs, connection: "other" },
          },
          config: {
            ...{ "tenantry:platform": "tenantsdb", "tenantry:organization": project, "tenantry:apiUrl": standIn.url },
            "tenantry:apiToken": apiKey,
            "tenantry:connections": JSON.stringify({ other: { platform: "local", apiUrl: url, apiToken } }),
          },
        });
        const env = { PATH: [folder, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter) };
        const plan = (flags: string[]) => runCli(["move", "--plan", ...flags], { cwd: folder, env });
        const [leaving, coming] = await Promise.all([
          plan(["--to-connection", "other", "--to-group", "eu"]),
          plan(["--connection", "other", "--to-connection", "", "--to-group", project]),
        ]);
        const why =
          "the tenants of tenantsdb are no SQLite databases, and only such are carried, from one SQLite platform to another";
        const instead = "declare a new tenant there, and carry the rows over with the tools of its engine";
        const itself = "; what moves at tenantsdb are `isolation` and `region`";
        for (const [{ code, stdout, stderr }, name, ending] of [
          [leaving, "fern", itself],
          [coming, "gale", ""],
        ] as const) {
          assert.deepEqual([code, stderr], [2, ""], stdout);
          const [first, second, ...rest] = stdout.split("\n").slice(2);
          assert.match(first!, new RegExp(`^${name}: from group "`));
          assert.equal(second, `  cannot be moved: ${why}: ${instead}${ending}`);
          assert.deepEqual(rest, ["", "Nothing was written.", ""]);
          assert.ok(!stdout.includes(apiKey) && !stdout.includes(apiToken));
        }
        assert.deepEqual(await bench.databases(), ["gale"]);
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("reads logs, metrics and statistics", async () => {
    const { cli, json, standIn, start, make } = scene;
    await make("elba");
    const at = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
    standIn.project.tenants
      .get("elba")!
      .logs.push(
        { query: "SELECT\n1", source: "proxy", success: true, ms: 2, at: at(0.1) },
        { query: "SELECT slow", source: "api", success: true, ms: 5_000, at: at(2) },
        { query: "SELECT wrong", source: "proxy", success: false, ms: 1, at: at(30) },
      );
    const logs = async (...flags: string[]): Promise<string[]> =>
      (await json<{ logs: { query: string }[] }>(["logs", "elba", ...flags])).logs.map(({ query }) => query);
    assert.deepEqual(await logs(), ["SELECT\n1", "SELECT slow", "SELECT wrong"]);
    assert.deepEqual(await logs("--type", "error"), ["SELECT wrong"]);
    assert.deepEqual(await logs("--type", "slow"), ["SELECT slow"]);
    assert.deepEqual(await logs("--source", "proxy", "--since", "90m"), ["SELECT\n1"]);
    assert.deepEqual(await logs("--search", "SELECT", "--since", "3h", "--limit", "1"), ["SELECT\n1"]);
    assert.match((await start(["logs", "elba", "--since", "yesterday"], 1)).stderr, /--since/);
    assert.match((await cli(["metrics", "elba"])).stdout, /^queries today +3$/m);
    assert.match((await cli(["stats", "elba"])).stdout, /^queries +3$/m);
    assert.match(
      (await cli(["instances", "elba"], 1)).stderr,
      /tenantsdb has nothing to tell of where a database runs/,
    );
  });
});

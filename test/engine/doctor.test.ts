import assert from "node:assert/strict";
import { startLocalPlatform } from "../../provider/local";
import type { Check } from "../../sdk/cli/doctor/check";
import { execFile } from "node:child_process";
import { access, copyFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { runCli } from "../cli/run-cli";
import { withCountedPlatform } from "../support/counted-platform";
import { withDoomedRun } from "../support/doomed-run";
import { type Project, withProject } from "../support/engine";

describe("tenantry doctor on a real engine", function () {
  // Some twenty commands, one after the other.
  this.timeout(600_000);

  it("reads a stack's config through it, secrets and connections too, and shows no secret", async () => {
    const platform = await startLocalPlatform({ organizations: ["local", "globex"] });
    const secret = { secret: platform.apiToken };
    const config = { "tenantry:platform": "local", "tenantry:apiUrl": platform.url, "tenantry:apiToken": secret };
    try {
      await withProject({ files: { "index.ts": "" }, config }, async (project) => {
        const path = "tenantry:connections.eu";
        for (const [key, value, ...flag] of [
          ["platform", "local"],
          ["organization", "globex"],
          ["apiUrl", platform.url],
          ["apiToken", platform.apiToken, "--secret"],
        ] as const) {
          const stack = ["--stack", project.stack];
          const set = await project.pulumi([
            "config",
            "set",
            ...stack,
            "--path",
            ...flag,
            `${path}.${key}`,
            "--",
            value,
          ]);
          assert.equal(set.code, 0, set.output);
        }
        const doctor = (...args: string[]) => runCli(["doctor", ...args], { cwd: project.folder, env: project.env });
        const { code, stdout, stderr } = await doctor("--json", "--stack", project.stack);
        assert.equal(code, 0, stdout + stderr);
        const { checks } = JSON.parse(stdout) as { checks: Check[] };
        const found = (name: string, connection?: string): string =>
          checks.find((check) => check.name === name && check.connection === connection)?.found ?? "";
        assert.match(found("engine"), /^pulumi v3\.\d+\.\d+ with its language host/);
        assert.match(found("settings"), /API token \(tenantry:apiToken\)/);
        assert.match(
          found("settings", "eu"),
          /"globex" \(tenantry:connections\.eu\.organization\), .*connections\.eu\.apiToken/,
        );
        assert.match(found("organization", "eu"), /"globex" has 0 groups/);
        assert.ok(!stdout.includes(platform.apiToken));

        const other = await doctor("--stack", "prod");
        assert.equal(other.code, 1);
        assert.match(other.stdout, /problem {2}stack: The config of stack "prod" cannot be read: .*prod/);
        const locked = await runCli(["doctor", "--stack", project.stack], {
          cwd: project.folder,
          env: { ...project.env, PULUMI_CONFIG_PASSPHRASE: "another" },
        });
        assert.match(locked.stdout, /problem {2}stack: .*passphrase/);
        assert.ok(!locked.stdout.includes("another"));
      });
    } finally {
      await platform.close();
    }
  });

  it("sees lock and pending operations of a killed run, a torn checkpoint, and what it prints repairs them", async () => {
    let onCreate = (): void => undefined;
    const onRequest = ({ method, path: asked }: { method: string; path: string }): void => {
      if (method === "POST" && asked.endsWith("/databases")) onCreate();
    };
    await withCountedPlatform({ latency: 40, onRequest }, async (platform) => {
      const files = { "index.ts": program };
      await withProject({ files, env: platform.env }, async (project) => {
        assert.match(
          (await find(project, "state"))!.found,
          /"organization\/test-project\/dev" \(selected in this folder\)/,
        );
        await withDoomedRun(project, ["up", "--yes", "--skip-preview", "--parallel", "4"], async (run) => {
          let creates = 0;
          // The registry's own is the first; checkpoints with the tenants' pending creates have been written by then.
          onCreate = () => void (++creates === 3 && run.killEngine());
          assert.equal((await run.ended).code, null, "it was killed");
          await run.providersEnded();
        });
        onCreate = () => undefined;

        const torn = await find(project, "checkpoint");
        if (torn) await follow(project, torn);
        const lock = await find(project, "lock");
        assert.equal(lock?.status, "problem");
        assert.match(lock.found, /process \d+, since 2\d{3}-\S+, which does not run any more/);
        assert.equal((await project.pulumi(["up", "--yes", "--stack", project.stack])).code === 0, false);
        await follow(project, lock);
        assert.equal(await find(project, "lock"), undefined);

        const pending = await find(project, "state");
        assert.equal(pending?.status, "warning");
        assert.match(pending.found, /has \d+ pending operations? of a run that did not end \(creating /);
        await follow(project, pending);
        assert.equal((await find(project, "state"))?.status, "ok");
        await project.up();
        assert.deepEqual((await project.up()).counts, { same: 5 });

        const { file } = await project.stateFile();
        for (const tear of [() => truncate(file), () => truncate(file, 500)]) {
          await tear();
          const { found, status, fix = "" } = (await find(project, "checkpoint"))!;
          assert.equal(status, "problem");
          assert.ok(found.includes(file));
          assert.ok(fix.includes(`cp ${file}.bak ${file}`), fix);
          assert.equal((await project.pulumi(["stack", "export", "--stack", project.stack])).code === 0, false);
          await follow(project, { name: "checkpoint", status, found, fix });
          assert.equal(await find(project, "checkpoint"), undefined);
        }
        assert.deepEqual((await project.up()).counts, { same: 5 });

        // Both torn: the engine's backups are next, and where there is none it names no command that cannot work.
        await writeFile(`${file}.bak`, "");
        await copyFile(`${file}.bak`, file);
        const { fix = "" } = (await find(project, "checkpoint"))!;
        const [, source] = /`cp (\S+) /.exec(fix) ?? [];
        if (source === undefined) assert.match(fix, /There is no whole one beside it/);
        else await access(source);
      });
    });
  });

  it("names the claims whose database is gone, and how to settle them", async () => {
    await withCountedPlatform({}, async (platform) => {
      await withProject({ files: { "index.ts": program }, env: platform.env }, async (project) => {
        await project.up();
        await platform.api.ok("DELETE", "/databases/t2");
        const name = 'registry of group "eu"';
        const all = (await checks(project)).filter((check) => check.name === name);
        assert.match(all[0]!.found, /5 names held, 0 unfinished, 1 without database/);
        assert.match(all[1]!.found, /database "t2": it is claimed \(organization\/test-project\/dev\/t2\), but not/);
        await follow(project, all[1]!);
        const after = (await checks(project)).filter((check) => check.name === name);
        assert.match(
          after[1]!.fix ?? "",
          /npx tenantry registry release t2 --group eu --stack organization\/test-project\/dev/,
        );
      });
    });
  });
});

const program = `
import { Group, TenantDatabase } from "tenantry";
const eu = new Group("eu", { location: "local" });
for (const name of ["t1", "t2", "t3", "t4"]) new TenantDatabase(name, { group: eu });
`;

/** What the command finds in a project's folder; the stack is the selected one. */
async function checks({ folder, env }: Project): Promise<Check[]> {
  const { stdout, stderr } = await runCli(["doctor", "--json"], { cwd: folder, env });
  assert.equal(stderr, "");
  return (JSON.parse(stdout) as { checks: Check[] }).checks;
}

const find = async (project: Project, name: string): Promise<Check | undefined> =>
  (await checks(project)).find((check) => check.name === name);

/** Runs the first command that a check prints, as a person would. */
async function follow({ folder, env }: Project, { fix = "" }: Check): Promise<void> {
  const [, command] = /`([^`]+)`/.exec(fix) ?? [];
  assert.ok(command, `no command in: ${fix}`);
  await promisify(execFile)("sh", ["-c", command], { cwd: path.resolve(folder), env });
}

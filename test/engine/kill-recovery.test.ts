import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { startLocalPlatform } from "../../provider/local";
import { registryName } from "../../provider/registry/reserved-names";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { withDoomedRun } from "../support/doomed-run";
import { type Project, withProject } from "../support/engine";

const up = ["up", "--yes", "--skip-preview"];
const destroy = ["destroy", "--yes", "--skip-preview"];
const readme = readFileSync(path.join(__dirname, "..", "..", "README.md"), "utf8");

/** The commands of a part of the README, as they stand there. */
function commandsUnder(title: string): string[] {
  const part = readme.split(/^#+ /m).find((text) => text.startsWith(`${title}\n`));
  assert.ok(part, `the README has a part "${title}"`);
  return [...part.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, commands]) => commands!);
}

/** As a pipeline's shell does: without a terminal, to the first command that fails. */
async function shell(project: Project, commands: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)("sh", ["-e", "-c", commands], {
    cwd: project.folder,
    env: project.env,
  });
  return stdout + stderr;
}

describe("the README's way back after a crash", function () {
  this.timeout(300_000);

  it("unlocks the stack, finishes the run, and clears the warning about its creates", async () => {
    await withStory(async ({ project, platform, killEngineAt }) => {
      const [unlock, clear] = commandsUnder("The run was killed") as [string, string];
      await killEngineAt(up, isTenantCreate, 2);
      const locked = await project.pulumi([...up, "--stack", project.stack]);
      assert.match(locked.output, /currently locked/);
      await shell(project, unlock);
      assert.deepEqual(await tenantsOf(platform), ["t1", "t2", "t3"]);
      assert.ok((await warningsOf(project)).length > 0, "the engine still warns of the killed run");
      await shell(project, clear);
      assert.deepEqual(await warningsOf(project), []);
      assert.deepEqual((await project.up()).counts, { same: 5 });
    });
  });

  it("recovers a state file that a kill has left empty", async () => {
    await withStory(async ({ project, platform, killEngineAt }) => {
      // Where the README's commands look: in the home folder, which is a temporary one here.
      const home = String(project.env["HOME"]);
      project.env["PULUMI_BACKEND_URL"] = `file://${home}`;
      assert.equal((await project.pulumi(["stack", "init", project.stack])).code, 0);
      await killEngineAt(up, isTenantCreate, 2);
      const file = path.join(home, ".pulumi", "stacks", "shop", "dev.json");
      const text = await readFile(file, "utf8");
      // Whether the kill has torn it is chance; this is what it looks like then.
      if (text !== "") await rename(file, `${file}.bak`);
      await writeFile(file, "");
      const torn = await project.pulumi(["stack", "export", "--stack", project.stack]);
      assert.notEqual(torn.code, 0);
      assert.match(torn.output, /failed to load checkpoint/);
      const [recover] = commandsUnder("The state file is empty") as [string];
      await shell(project, recover);
      assert.deepEqual(await tenantsOf(platform), ["t1", "t2", "t3"]);
      assert.deepEqual((await project.up()).counts, { same: 5 });
    });
  });
});

describe("a run killed in a forced replacement", function () {
  this.timeout(300_000);

  const ways: Record<string, (project: Project) => Promise<string[]>> = {
    "up --replace": async () => ["--replace", urnOf("t1")],
    "state taint": async (project) => {
      const { code, output } = await project.pulumi(["state", "taint", "--yes", urnOf("t1"), "--stack", project.stack]);
      assert.equal(code, 0, output);
      return [];
    },
    replacementTrigger: async (project) => {
      await project.write({ "index.ts": program('{ replacementTrigger: "second" }') });
      return [];
    },
  };
  for (const [way, prepare] of Object.entries(ways)) {
    it(`${way}: the database and its rows survive, and it is destroyed with the stack`, async () => {
      await withStory(
        async ({ project, platform, killEngineAt }) => {
          await project.up();
          await platform.sql("eu", "t1", "INSERT INTO notes VALUES ('kept')");
          const [before] = await claimsOf(platform, "t1");
          // The new incarnation is held by then, and nobody has begun to delete the old one.
          await killEngineAt([...up, ...(await prepare(project))], ({ path: asked }) => /^\/db\/t1\//.test(asked), 1);
          const [after] = await claimsOf(platform, "t1");
          assert.notEqual(after?.["incarnation"], before?.["incarnation"], "it was killed too early to show anything");
          await shell(project, "pulumi cancel --yes");
          await project.up();
          assert.deepEqual(await platform.sql("eu", "t1", "SELECT body FROM notes"), [{ body: "kept" }]);
          assert.deepEqual(
            (await claimsOf(platform, "t1")).map(({ state, database_id }) => ({ state, database_id })),
            [{ state: "held", database_id: before?.["database_id"] }],
          );
          assert.deepEqual((await project.up()).counts, { same: 5 });
          // State has only the old one where the replacement was asked for on the command line alone.
          if (way === "up --replace") {
            const refused = await project.destroy({ fails: true });
            assert.match(refused.output, /t1: a forced replacement took it over and was broken off/);
            assert.ok((await tenantsOf(platform)).includes("t1"));
            await project.up({ args: ["--replace", urnOf("t1")] });
          }
          await project.destroy();
          assert.deepEqual(await databasesOf(platform), []);
        },
        { options: '{ replacementTrigger: "first" }' },
      );
    });
  }
});

describe("what is left", function () {
  this.timeout(300_000);

  it("after a destroy over pending creates is what the registry's claims show, and one more up takes it back", async () => {
    await withStory(async ({ project, platform, killEngineAt }) => {
      // The first two are Tenantry's own.
      await killEngineAt(up, isTenantCreate, 3);
      await shell(project, "pulumi cancel --yes");
      const made = await tenantsOf(platform);
      assert.ok(made.length > 0);
      const { code, output } = await project.pulumi([...destroy, "--stack", project.stack]);
      assert.notEqual(code, 0, output);
      assert.match(output, /the group still holds databases that this stack does not have/);
      assert.deepEqual(await tenantsOf(platform), made, "nothing was deleted that state does not hold");
      const claims = await claimsOf(platform);
      for (const name of made) assert.ok(claims.some((claim) => claim["name"] === name, `${name} has no claim`));
      assert.ok(claims.every(({ state }) => state === "open" || state === "held"));

      await project.up();
      await project.destroy();
      assert.deepEqual(await databasesOf(platform), []);
    });
  });

  it("after retainOnDelete is what the registry's claims show", async () => {
    await withStory(
      async ({ project, platform }) => {
        await project.up();
        await project.destroy();
        assert.deepEqual(await tenantsOf(platform), ["t1", "t2", "t3"]);
        assert.deepEqual(
          (await claimsOf(platform)).map(({ name, state }) => ({ name, state })),
          ["t1", "t2", "t3"].map((name) => ({ name, state: "held" })),
        );
      },
      { options: "{ retainOnDelete: true }", groupOptions: "{ retainOnDelete: true }" },
    );
  });
});

describe("Ctrl-C", function () {
  this.timeout(300_000);

  it("among creates with slow calls: what is under way is finished, nothing else is begun, and the next up does it", async () => {
    await withStory(
      async ({ project, platform, at }) => {
        const took = await withDoomedRun(project, [...up, "--parallel", "8"], async (run) => {
          let pressed = 0;
          at(isTenantCreate, 3, () => {
            pressed = Date.now();
            run.interrupt();
          });
          const { code, output } = await run.ended;
          const took = Date.now() - pressed;
          assert.ok(code, output);
          assert.match(output, /update canceled/);
          await run.providersEnded();
          return took;
        });
        // 2.6 s with calls of 500 ms; the bound is for a busy machine.
        assert.ok(took < 30_000, `it ended ${took} ms after Ctrl-C`);
        const made = await tenantsOf(platform);
        assert.ok(made.length >= 3 && made.length <= 8, `${made.length} were made`);
        const { resources = [], pending_operations: pending = [] } = (await project.stackExport()).deployment;
        const known = resources.filter(({ type }) => type.endsWith(":TenantDatabase"));
        assert.deepEqual(known.map(({ outputs }) => String(outputs?.["name"])).sort(), made);
        assert.deepEqual(pending, []);
        assert.deepEqual((await project.up()).counts, { create: 20 - made.length, same: 2 + made.length });
        assert.equal((await tenantsOf(platform)).length, 20);
      },
      { latency: 300, tenants: 20 },
    );
  });
});

interface Story {
  project: Project;
  platform: CountedPlatform;
  at(what: (request: Request) => boolean, nth: number, act: () => void): void;
  /** Runs a command whose engine is killed once the platform has dealt with the n-th such request. */
  killEngineAt(args: string[], what: (request: Request) => boolean, nth: number): Promise<void>;
}

type Request = Parameters<NonNullable<NonNullable<Parameters<typeof startLocalPlatform>[0]>["onRequest"]>>[0];

const isTenantCreate = ({ method, path: asked, status }: Request): boolean =>
  method === "POST" && asked.endsWith("/databases") && status === 200;

const urnOf = (tenant: string): string =>
  `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/tenantry:TenantDatabase::${tenant}`;

const program = (options = "{}", groupOptions = "{}", tenants = 3): string => `
import { Group, SchemaTemplate, TenantDatabase } from "tenantry";
const group = new Group("eu", { location: "local" }, ${groupOptions});
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
for (let i = 1; i <= ${tenants}; i++) new TenantDatabase("t" + i, { group, schema }, ${options});
`;

async function withStory(
  use: (story: Story) => Promise<void>,
  given: { options?: string; groupOptions?: string; latency?: number; tenants?: number } = {},
): Promise<void> {
  let watch = (_: Request): void => undefined;
  // Slow enough that the others are under way when one is answered.
  const { latency = 20, tenants = 3, options, groupOptions } = given;
  await withCountedPlatform({ latency, onRequest: (entry) => watch(entry) }, async (platform) => {
    const files = {
      "package.json": '{ "main": "index.ts" }',
      "index.ts": program(options, groupOptions, tenants),
      "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);\n",
    };
    await withProject({ name: "shop", files, env: platform.env }, async (project) => {
      const at: Story["at"] = (what, nth, act) => {
        let seen = 0;
        watch = (entry) => {
          if (what(entry) && ++seen === nth) act();
        };
      };
      await use({
        project,
        platform,
        at,
        killEngineAt: (args, what, nth) =>
          withDoomedRun(project, args, async (run) => {
            at(what, nth, run.killEngine);
            assert.equal((await run.ended).code, null, "it was killed");
            await run.providersEnded();
            watch = () => undefined;
          }),
      });
    });
  });
}

async function databasesOf(platform: CountedPlatform): Promise<string[]> {
  const { databases } = await platform.api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
  return databases.map(({ Name }) => Name).sort();
}

const tenantsOf = async (platform: CountedPlatform): Promise<string[]> =>
  (await databasesOf(platform)).filter((name) => !name.startsWith("tenantry-"));

const claimsOf = (platform: CountedPlatform, name?: string) =>
  platform.sql(
    "eu",
    registryName("eu"),
    `SELECT * FROM claims WHERE kind = 'database' ${name ? `AND name = '${name}'` : ""} ORDER BY name`,
  );

async function warningsOf(project: Project): Promise<string[]> {
  const { diagnostics } = await project.up();
  return diagnostics.filter(({ severity }) => severity === "warning").map(({ message }) => message);
}

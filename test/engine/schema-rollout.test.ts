import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { type Project, type Run, withProject } from "../support/engine";
import { errorsOf } from "../support/scene";

/** The last resource stands for the application's deployment: it is what waits for the schema. */
const program = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Group, SchemaRollout, SchemaTemplate, TenantDatabase } from "tenantry";

const { tenants, policy } = JSON.parse(readFileSync("fleet.json", "utf8"));
const eu = new Group("eu", { location: "local" });
const app = new SchemaTemplate("app", { migrations: "./migrations", migrate: "rollout" });
const declared = tenants.map(
  (name: string, i: number) =>
    new TenantDatabase(name, { group: eu, schema: app, labels: { ring: i === 0 ? "canary" : "stable" } }),
);
const rollout = new SchemaRollout("app", { schema: app, tenants: declared, ...policy });
new pulumi.Stash("deployment", { input: rollout.minSchemaVersion.apply((version) => version ?? "none") });
export const { minSchemaVersion, counts, quarantined } = rollout;
`;

const first = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n";
const texts = "CREATE TABLE texts (text TEXT);\nINSERT INTO texts SELECT json(text) FROM notes;\n";
const corrected = texts.replace("json(text)", "text");

const named = (size: number): string[] => Array.from({ length: size }, (_, i) => `t${String(i + 1).padStart(2, "0")}`);
const policy = { canary: { ring: "canary" }, waves: [0.1, 0.5, 1] };
/** The file backend writes the whole state at each step; here it is written once, at the end of a command. */
const oneCheckpoint = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

interface Fleet {
  readonly platform: CountedPlatform;
  readonly project: Project;
  readonly names: string[];
  up(options?: { fails?: boolean }): Promise<Run>;
  declare(fleet: { tenants?: string[]; policy: object }): Promise<void>;
  /** Ledgers of tenants, each as its ids. */
  ledgers(of: string[]): Promise<string[]>;
}

async function withFleet(size: number, use: (fleet: Fleet) => Promise<void>): Promise<void> {
  const names = named(size);
  await withCountedPlatform({}, async (platform) => {
    const files = {
      "index.ts": program,
      "migrations/0001_notes.sql": first,
      "fleet.json": JSON.stringify({ tenants: names, policy }),
    };
    await withProject({ files, env: { ...platform.env, ...oneCheckpoint } }, (project) =>
      use({
        platform,
        project,
        names,
        up: (options = {}) => project.up({ args: ["--parallel", "16"], ...options }),
        declare: ({ tenants = names, policy: changed }) =>
          project.write({ "fleet.json": JSON.stringify({ tenants, policy: changed }) }),
        ledgers: (of) =>
          Promise.all(
            of.map(async (name) => {
              const rows = await platform.sql("eu", name, "SELECT id FROM _tenantry_migrations ORDER BY seq");
              return rows.map(({ id }) => id).join(" ");
            }),
          ),
      }),
    );
  });
}

/** What was said on the rollout's own line. */
const saidOf = (run: Run): string[] =>
  run.diagnostics
    .filter(({ urn, severity }) => urn.includes("SchemaRollout::app") && severity !== "error")
    .map(({ message }) => message.trim());

const changed = (run: Run): string[] =>
  run.operations
    .filter(({ op }) => op !== "same")
    .map(({ op, name, type }) => `${op} ${type.split(":").at(-1)} ${name}`);

const spoil = (platform: CountedPlatform, name: string) =>
  platform.sql("eu", name, "INSERT INTO notes (text) VALUES ('no JSON')");

describe("a schema rollout, through pulumi commands", () => {
  it("is previewed, rolled out in waves, refreshed and destroyed; destroying it changes no database", async function () {
    this.timeout(300_000);
    await withFleet(10, async ({ platform, project, names, up, declare, ledgers }) => {
      const before = await project.preview();
      assert.deepEqual(before.counts, { create: 14 });
      assert.deepEqual(saidOf(before), [
        'schema "app": 0 of 10 tenants to be brought to 0001_notes\n  new: 10, made with 0001_notes',
      ]);
      await up();
      assert.deepEqual(await project.outputs(), {
        minSchemaVersion: "0001_notes",
        counts: { current: 10, skipped: 0, failed: 0, quarantined: 0, unknown: 0 },
        quarantined: [],
      });
      assert.deepEqual((await up()).counts, { same: 14 });

      await project.write({ "migrations/0002_texts.sql": texts });
      await declare({ tenants: [...names, "t11"], policy });
      const preview = await platform.during(() => project.preview());
      assert.deepEqual(preview.asked.writes, { "POST groups/eu/auth/tokens": 1 }, "a token that can only read");
      assert.deepEqual(saidOf(preview.result), [
        [
          'schema "app": 10 of 11 tenants to be brought to 0002_texts',
          "  new: 1, made with 0002_texts",
          "  from 0001_notes: 10, to apply: 0002_texts",
          "  canary: 1: t01",
          "  wave 1 (to 10 %): 1: t02",
          "  wave 2 (to 50 %): 4: t03, t04, t05 and 1 more",
          "  wave 3 (to 100 %): 4: t07, t08, t09 and 1 more",
          "  migrations/0002_texts.sql:1: CREATE TABLE texts (text TEXT)",
          "  migrations/0002_texts.sql:2: INSERT INTO texts SELECT json(text) FROM notes",
        ].join("\n"),
      ]);
      assert.deepEqual(new Set(await ledgers(names)), new Set(["0001_notes"]));

      const run = await up();
      assert.deepEqual(changed(run).sort(), [
        "create TenantDatabase t11",
        "update SchemaRollout app",
        "update SchemaTemplate app",
        "update Stash deployment",
        ...names.map((name) => `update TenantDatabase ${name}`),
      ]);
      const said = saidOf(run);
      assert.match(said[0]!, /^schema "app": 10 of 11 tenants to be brought to 0002_texts\n {2}at 0002_texts: 1/);
      assert.deepEqual(said.slice(1), [
        "canary: begins, 1 of 10",
        "canary: ended, 1 migrated",
        "wave 1 (to 10 %): begins, 1 of 10",
        "wave 1 (to 10 %): ended, 1 migrated",
        "wave 2 (to 50 %): begins, 4 of 10",
        "wave 2 (to 50 %): ended, 4 migrated",
        "wave 3 (to 100 %): begins, 4 of 10",
        "wave 3 (to 100 %): ended, 4 migrated",
        "11 of 11 tenants are at 0002_texts",
      ]);
      assert.deepEqual(new Set(await ledgers([...names, "t11"])), new Set(["0001_notes 0002_texts"]));
      assert.deepEqual((await up()).counts, { same: 15 });

      const versionInState = async (name: string) => {
        const { resources = [] } = (await project.stackExport()).deployment;
        return resources.find(({ urn }) => urn.endsWith(`TenantDatabase::${name}`))?.outputs?.["schemaVersion"];
      };
      assert.equal(await versionInState("t10"), "0001_notes");
      await project.refresh();
      assert.equal(await versionInState("t10"), "0002_texts");
      assert.deepEqual((await up()).counts, { same: 15 });
      assert.equal((await project.outputs())["minSchemaVersion"], "0002_texts");

      const rollout = `urn:pulumi:${project.stack}::test-project::pulumi-nodejs:dynamic/tenantry:SchemaRollout::app`;
      const removed = await platform.during(() =>
        project.destroy({ args: ["--target", rollout, "--target-dependents"] }),
      );
      assert.deepEqual(changed(removed.result).sort(), ["delete SchemaRollout app", "delete Stash deployment"]);
      assert.deepEqual(removed.asked.all, [], "nothing was asked of the platform");
      assert.deepEqual(new Set(await ledgers(names)), new Set(["0001_notes 0002_texts"]));
      await project.destroy();
    });
  });

  it("touches none of 49 behind a canary that fails, and finishes once the file is corrected", async function () {
    this.timeout(300_000);
    await withFleet(50, async ({ platform, project, names, up, ledgers }) => {
      await up();
      await spoil(platform, "t01");
      await project.write({ "migrations/0002_texts.sql": texts });
      const failed = await up({ fails: true });
      const [error, ...others] = errorsOf(failed);
      assert.deepEqual(others, []);
      assert.match(
        error!,
        /schema "app": 0 of 50 tenants are at 0002_texts; .*tried on t01, taken back, and had failed/,
      );
      assert.match(error!, /t01: .*0002_texts\.sql, line 2: .*malformed JSON/);
      assert.match(error!, /Correct what failed and run it again/);
      assert.deepEqual(new Set(await ledgers(names)), new Set(["0001_notes"]));
      assert.ok(!changed(failed).includes("update Stash deployment"), "the application waits");

      // What is unfinished outlives a refresh, which takes the engine's own record of the failure away.
      await project.refresh();
      const again = await up({ fails: true });
      assert.match(errorsOf(again).join(), /tried on t01, taken back/);

      await project.write({ "migrations/0002_texts.sql": corrected });
      const run = await up();
      assert.ok(changed(run).includes("update Stash deployment"));
      assert.deepEqual(new Set(await ledgers(names)), new Set(["0001_notes 0002_texts"]));
      assert.deepEqual((await up()).counts, { same: 54 });
      assert.equal((await project.outputs())["minSchemaVersion"], "0002_texts");
    });
  });

  it("puts one in quarantine and goes on, tries it again with another file, and lets the application wait", async function () {
    this.timeout(300_000);
    await withFleet(10, async ({ platform, project, names, up, declare, ledgers }) => {
      await up();
      await spoil(platform, "t04");
      await project.write({ "migrations/0002_texts.sql": texts });
      await declare({ policy: { ...policy, onFailure: "quarantine", maxFailures: "10%" } });
      const run = await up();
      assert.ok(!changed(run).includes("update Stash deployment"), "the application waits");
      assert.match(saidOf(run).join("\n"), /^t04: .*malformed JSON/m);
      const { minSchemaVersion, quarantined, counts } = await project.outputs();
      assert.deepEqual([minSchemaVersion, quarantined], ["0001_notes", ["t04"]]);
      assert.deepEqual(counts, { current: 9, skipped: 0, failed: 0, quarantined: 1, unknown: 0 });
      assert.match(saidOf(await project.preview()).join("\n"), /quarantined: 1: t04 \(/);
      assert.deepEqual(changed(await up()), ["update SchemaRollout app"], "it is looked at, and left out");

      await platform.sql("eu", "t04", "DELETE FROM notes");
      await project.write({ "migrations/0003_tags.sql": "CREATE TABLE tags (id INTEGER PRIMARY KEY);\n" });
      assert.ok(changed(await up()).includes("update Stash deployment"));
      assert.deepEqual(new Set(await ledgers(names)), new Set(["0001_notes 0002_texts 0003_tags"]));
      assert.deepEqual((await project.outputs())["quarantined"], []);
    });
  });

  it("fails a preview in which an applied file was edited, and says at once what is wrong with the policy", async function () {
    this.timeout(200_000);
    await withFleet(2, async ({ project, up, declare }) => {
      await up();
      await project.write({ "migrations/0001_notes.sql": `${first}-- edited\n` });
      const edited = await project.preview({ fails: true });
      assert.match(edited.output, /t01: migration \S+0001_notes\.sql was edited since.*No tenant was touched/);
      assert.doesNotMatch(edited.output, /^\s+at .+:\d+:\d+\)?$/m, "a stack trace");

      await project.write({ "migrations/0001_notes.sql": first });
      await declare({ policy: { canary: ["t3"], timeout: "soon", wave: [1] } });
      const refused = await project.preview({ fails: true });
      assert.match(refused.output, /wave: there is no such property; did you mean "waves"\?/);
      assert.match(refused.output, /timeout: "soon" is not a duration/);
      await declare({ policy: { canary: ["t3"] } });
      assert.match((await project.preview({ fails: true })).output, /canary: "t3" is no tenant of this rollout/);
    });
  });
});

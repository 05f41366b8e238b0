import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { runCli } from "../cli/run-cli";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { type Project, type ProjectOptions, type Run, withProject } from "../support/engine";

const root = path.resolve(__dirname, "..", "..");

/** An example's files, to be run elsewhere: the tree stays as it is. */
async function filesOf(folder: string, from = root): Promise<Record<string, string>> {
  const entries = await readdir(path.join(from, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"));
  const read = files.map(async ({ parentPath, name }) => {
    const file = path.join(parentPath, name);
    return [path.relative(from, file), await readFile(file, "utf8")] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** An example as a project of its own; "." is the root's, which runs the quickstart's program. */
async function withExample(
  name: string,
  config: ProjectOptions["config"],
  use: (project: Project) => Promise<void>,
): Promise<void> {
  const files =
    name === "."
      ? {
          "Pulumi.yaml": await readFile(path.join(root, "Pulumi.yaml"), "utf8"),
          ...(await filesOf("examples/quickstart")),
        }
      : await filesOf(".", path.join(root, "examples", name));
  const project = /^name: *(\S+)/m.exec(files["Pulumi.yaml"] ?? "")?.[1];
  await withProject({ files, config, name: project }, use);
}

/** The same with a platform that runs in the project's folder, as `npx tenantry local` would there. */
const withRunningExample = (
  name: string,
  options: { config?: ProjectOptions["config"]; organizations?: string[] },
  use: (project: Project, platform: CountedPlatform) => Promise<void>,
) =>
  withExample(name, options.config, (project) =>
    withCountedPlatform(
      { directory: path.join(project.folder, ".tenantry", "local"), organizations: options.organizations },
      (platform) => use(project, platform),
    ),
  );

const replacements = (run: Run): string[] =>
  run.operations.filter(({ op }) => /replace/.test(op)).map(({ op, name }) => `${op} ${name}`);

/**
 * Runs a step of the example's pipeline by its name, as a runner would: in a repository whose main branch has the files
 * as they are now. Answers what it printed; a step that fails rejects with that.
 */
async function withPipeline(
  project: Project,
  use: (step: (name: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const at = (file: string) => path.join(project.folder, file);
  const run = (file: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
    promisify(execFile)(file, args, { cwd: project.folder, env: { ...process.env, ...env } });
  const git = (...args: string[]) => run("git", ["-c", "user.name=a", "-c", "user.email=a@b.example", ...args]);
  await git("init", "-q", "-b", "main");
  await git("add", "tenants.yaml");
  await git("-c", "commit.gpgsign=false", "commit", "-qm", "As it is");
  await git("update-ref", "refs/remotes/origin/main", "main");
  const tenantry = path.join(root, "dist", "sdk", "cli", "main.js");
  await project.write({ "bin/npx": `#!/bin/sh\nshift\nexec "${process.execPath}" "${tenantry}" "$@"\n` });
  await chmod(at("bin/npx"), 0o755);

  const { jobs } = parse(await readFile(at(".github/workflows/tenants.yaml"), "utf8")) as {
    jobs: Record<string, { steps: { name?: string; run?: string }[] }>;
  };
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  await use(async (name) => {
    const script = steps.find((step) => step.name === name)!.run!;
    const env = { BASE: "main", GITHUB_STEP_SUMMARY: at("summary.md") };
    const search = `${at("bin")}${path.delimiter}${process.env["PATH"]}`;
    const ended = run("bash", ["-e", "-c", script], { ...env, PATH: search });
    return ended.then(
      ({ stdout }) => stdout,
      (error: { stdout: string }) => Promise.reject(new Error(error.stdout)),
    );
  });
}

describe("the examples", () => {
  it("quickstart: at the root, then with another tenant and another migration", async function () {
    this.timeout(200_000);
    await withRunningExample(".", {}, async (project) => {
      assert.deepEqual((await project.up()).counts, { create: 6 });
      const { fleet } = (await project.outputs()) as { fleet: { name: string; schema: string }[] };
      assert.deepEqual(
        fleet.map(({ name, schema }) => [name, schema]),
        ["acme", "globex", "initech"].map((name) => [name, "0002_authors"]),
      );
      assert.deepEqual((await project.up()).counts, { same: 6 });

      const { token } = (await project.outputs({ showSecrets: true })) as { token: string };
      await project.setConfig({ tenants: '["acme","globex","initech","hooli"]' });
      await project.write({
        "examples/quickstart/migrations/0003_tags.sql": "CREATE TABLE tags (id INTEGER PRIMARY KEY, tag TEXT);\n",
      });
      const changed = await project.up();
      assert.deepEqual(changed.counts, { create: 1, update: 4, same: 2 });
      assert.deepEqual(replacements(changed), []);
      assert.equal(((await project.outputs({ showSecrets: true })) as { token: string }).token, token);
      assert.deepEqual((await project.destroy()).counts, { delete: 7 });
    });
  });

  it("multi-org: one name in two organizations", async function () {
    this.timeout(200_000);
    await withRunningExample(
      "multi-org",
      { organizations: ["local", "products", "internal"] },
      async (project, platform) => {
        assert.deepEqual((await project.up()).counts, { create: 4 });
        const { customerId, sandboxId, urls } = await project.outputs();
        assert.notEqual(customerId, sandboxId);
        assert.deepEqual(urls, [platform.databaseUrl("acme", "products"), platform.databaseUrl("acme", "internal")]);
        const text = await readFile(path.join(project.folder, "index.ts"), "utf8");
        await project.write({
          "index.ts": text.replace(
            '{ group: products, connection: "products" }',
            '{ group: products, connection: "products", blockWrites: true }',
          ),
        });
        const changed = await project.up();
        assert.deepEqual(changed.counts, { update: 1, same: 3 });
        assert.deepEqual(replacements(changed), []);
        assert.deepEqual((await project.destroy()).counts, { delete: 4 });
      },
    );
  });

  it("adopt: takes over what exists, changes nothing about it, and leaves it where it is", async function () {
    this.timeout(200_000);
    await withRunningExample("adopt", { config: { existing: '["north"]' } }, async (project, platform) => {
      await platform.api.ok("POST", "/groups", { name: "default", location: "local" });
      for (const name of ["north", "south"]) {
        await platform.api.ok("POST", "/databases", { name, group: "default" });
        await platform.sql("default", name, "CREATE TABLE notes (body TEXT)");
        await platform.sql("default", name, `INSERT INTO notes VALUES ('${name}')`);
      }
      const first = await platform.during(() => project.up());
      assert.deepEqual(first.result.counts, { create: 1 });
      assert.deepEqual(first.asked.writes, { "POST databases": 1, "POST groups/default/auth/tokens": 1 });
      await project.setConfig({ existing: '["north","south"]' });
      const second = await platform.during(() => project.up());
      assert.deepEqual(second.result.counts, { create: 1, same: 1 });
      assert.deepEqual(replacements(second.result), []);
      assert.deepEqual(second.asked.writes, { "POST groups/default/auth/tokens": 1 });
      await project.setConfig({ existing: '["south"]' });
      assert.deepEqual((await project.up()).counts, { delete: 1, same: 1 });
      assert.deepEqual((await project.destroy()).counts, { delete: 1 });
      for (const name of ["north", "south"]) {
        assert.deepEqual(await platform.sql("default", name, "SELECT body FROM notes"), [{ body: name }]);
      }
    });
  });

  it("schema-rollout: a migration goes over 20 shops in waves, and the application waits for it", async function () {
    this.timeout(200_000);
    await withRunningExample("schema-rollout", {}, async (project, platform) => {
      assert.deepEqual((await project.up()).counts, { create: 24 });
      const { deployed } = await project.outputs();
      assert.deepEqual(deployed, { image: "shop:42", schemaVersion: "0002_paid" });

      const gifts =
        "CREATE TABLE gifts (order_id INTEGER, note TEXT);\n" +
        "INSERT INTO gifts SELECT id, details ->> '$.gift' FROM orders;\n";
      await project.write({ "migrations/0003_gifts.sql": gifts });
      await platform.sql("eu", "staff", "INSERT INTO orders (total, details) VALUES (5, 'for ann')");
      const preview = await project.preview();
      assert.match(preview.output, /20 of 20 tenants to be brought to 0003_gifts/);
      assert.match(preview.output, /canary: 1: staff\s+wave 1 \(to 10 %\): 1: shop-1\s+wave 2 \(to 50 %\): 8: shop-2/);

      const failed = await project.up({ fails: true });
      assert.match(failed.output, /staff: failed: .*0003_gifts\.sql, line 2: .*malformed JSON/);
      const { counts, deployed: still } = await project.outputs();
      assert.deepEqual([counts, still], [{ current: 20, skipped: 0, failed: 0, quarantined: 0, unknown: 0 }, deployed]);
      assert.deepEqual(await platform.sql("eu", "shop-19", "SELECT max(id) AS last FROM _tenantry_migrations"), [
        { last: "0002_paid" },
      ]);

      await project.write({
        "migrations/0003_gifts.sql": gifts.replace("orders;", "orders WHERE json_valid(details);"),
      });
      const done = await project.up();
      assert.deepEqual(replacements(done), []);
      const reached = await project.outputs();
      assert.deepEqual(reached["deployed"], { image: "shop:42", schemaVersion: "0003_gifts" });
      assert.deepEqual((await project.up()).counts, { same: 24 });
      assert.deepEqual((await project.destroy()).counts, { delete: 24 });
    });
  });

  it("manifest-fleet: a pull request shows what it means, a merge does that", async function () {
    this.timeout(300_000);
    await withRunningExample("manifest-fleet", {}, async (project, platform) => {
      await withPipeline(project, async (pipeline) => {
        assert.match(await pipeline("Is the manifest right?"), /4 tenants in 2 groups, 2 plans, 1 schema/);
        assert.deepEqual((await project.up()).counts, { create: 4 });
        assert.deepEqual((await project.up()).counts, { same: 4 });
        const { minSchemaVersion, acme } = await project.outputs();
        assert.deepEqual([minSchemaVersion, acme], ["0001_init", platform.databaseUrl("tenant-acme")]);

        const text = await readFile(path.join(project.folder, "tenants.yaml"), "utf8");
        const changed = text
          .replace("  initech:\n", "  hooli: { geo: eu }\n")
          .replace("{ tier: pro }", "{ tier: large }");
        await project.write({
          "tenants.yaml": changed,
          "migrations/0002_tags.sql": "CREATE TABLE tags (note INTEGER, tag TEXT);\n",
        });
        const meaning = await pipeline("What does the change mean?");
        assert.match(meaning, /1 added, 1 removed, 2 changed, 1 unchanged\./);
        assert.match(
          meaning,
          /\+ added to eu, plan free: hooli\n- removed: .*: initech\n~ 2 tenants labels.tier pro -> large: acme, globex\n/,
        );
        const preview = await project.preview();
        assert.match(
          preview.output,
          /create 1: hooli; change 2: acme, globex; bring 3 to 0002_tags: acme, globex, staff; remove 1: initech/,
        );
        const up = await project.up();
        assert.deepEqual([up.counts, replacements(up)], [{ update: 2, same: 2 }, []]);
        assert.equal((await project.outputs())["minSchemaVersion"], "0002_tags");
        const { databases } = await platform.api.ok<{ databases: { Name: string; group: string }[] }>(
          "GET",
          "/databases",
        );
        const found = databases
          .filter(({ Name }) => Name.startsWith("tenant-"))
          .map(({ Name, group }) => [Name, group]);
        assert.deepEqual(found.sort(), [
          ["tenant-acme", "eu"],
          ["tenant-globex", "us"],
          ["tenant-hooli", "eu"],
          ["tenant-staff", "us"],
        ]);

        await project.write({
          "tenants.yaml": changed.replace("globex: { plan: pro }", "globex: { plan: pro, geo: eu, group: us }"),
        });
        await assert.rejects(
          pipeline("Is the manifest right?"),
          /tenants\.yaml:\d+:33: tenants\.globex\.group: group "us" is not allowed/,
        );
        const refused = await project.preview({ fails: true });
        assert.match(
          refused.output,
          /prod: tenants\.yaml:\d+:33: tenants\.globex\.group: group "us" is not allowed for geo "eu"; allowed: eu\./,
        );
        assert.doesNotMatch(refused.output, /\bat .*:\d+:\d+\)?$/m, "a stack trace");
        await project.write({ "tenants.yaml": changed });
        assert.deepEqual((await project.destroy()).counts, { delete: 4 });
      });
    });
  });

  it("sharded-stacks: one fleet as two stacks that are deployed side by side", async function () {
    this.timeout(200_000);
    await withRunningExample("sharded-stacks", {}, async (project, platform) => {
      const typescript = ["--require", require.resolve("ts-node/register/transpile-only")];
      const deploy = (...args: string[]) =>
        promisify(execFile)(process.execPath, [...typescript, "deploy.ts", ...args], {
          cwd: project.folder,
          env: project.env,
        });
      const where = async (): Promise<Record<string, string[]>> => {
        const { databases } = await platform.api.ok<{ databases: { Name: string; group: string }[] }>(
          "GET",
          "/databases",
        );
        const tenants = databases.filter(({ Name }) => Name.startsWith("tenant-"));
        const groups = [...new Set(tenants.map(({ group }) => group))].sort();
        const inGroup = (name: string) => tenants.filter(({ group }) => group === name).map(({ Name }) => Name);
        return Object.fromEntries(groups.map((name) => [name, inGroup(name).sort()]));
      };

      const first = await deploy();
      assert.match(first.stdout, /^shard-a: .*create 10: /m);
      assert.match(first.stdout, /^shard-b: .*create 10: /m);
      const before = await where();
      assert.deepEqual(
        Object.entries(before).map(([group, names]) => [group, names.length]),
        [
          ["eu-1", 10],
          ["eu-2", 10],
        ],
      );

      // Who is there keeps its stack, whoever comes or goes.
      const tenants = JSON.parse(await readFile(path.join(project.folder, "tenants.json"), "utf8")) as string[];
      await project.write({ "tenants.json": JSON.stringify(["another-1", ...tenants.slice(1)]) });
      const plan = await deploy("preview");
      assert.match(plan.stdout, /^shard-b: +create 1: another-1$/m);
      assert.match(plan.stdout, /^shard-a: +remove 1: customer-1$/m);
      // A stack is split: half of its buckets and their tenants go to another one, and no database is made or deleted.
      const shards = await readFile(path.join(project.folder, "shards.ts"), "utf8");
      const split =
        '"shard-a": { buckets: [0, 15], groups: ["eu-1"] },\n  "shard-c": { buckets: [16, 31], groups: [] },';
      await project.write({
        "tenants.json": JSON.stringify(tenants),
        "shards.ts": shards.replace(/"shard-a": .*/, split),
      });
      const leaving = [1, 8, 25, 26, 27].map((n) => `tenant-customer-${n}`);
      const to = ["--to-fleet", "prod", "--to-stack", "organization/tenantry-sharded-stacks/shard-c"];
      const move = ["move", ...leaving, "--stack", "shard-a", ...to, "--yes"];
      const moved = await runCli(move, { cwd: project.folder, env: project.env });
      assert.equal(moved.code, 0, moved.stderr);
      const ids = async (): Promise<string[]> =>
        (await platform.api.ok<{ databases: { DbId: string }[] }>("GET", "/databases")).databases.map(
          ({ DbId }) => DbId,
        );
      const were = await ids();
      await deploy();
      assert.deepEqual(await where(), before);
      const now = await ids();
      assert.deepEqual(
        were.filter((id) => !now.includes(id)),
        [],
      );
      const status = await runCli(["fleet", "status", "--stack", "shard-c"], { cwd: project.folder, env: project.env });
      assert.match(status.stdout, /ready +5$/m, status.stderr);
      await deploy("destroy");
      assert.deepEqual(await where(), {});

      const workflow = parse(
        await readFile(path.join(project.folder, ".github", "workflows", "shards.yaml"), "utf8"),
      ) as { jobs: { deploy: { strategy: { matrix: { stack: string[] } } } } };
      assert.deepEqual(workflow.jobs.deploy.strategy.matrix.stack, ["shard-a", "shard-b"]);
      await assert.rejects(deploy("refresh"), /refresh is none of up, preview, destroy/);
    });
  });

  it("a lookup without a platform running: says so without a stack trace", async function () {
    this.timeout(100_000);
    await withExample("adopt", { existing: '["north"]' }, async (project) => {
      const { output } = await project.up({ fails: true });
      assert.match(output, /npx tenantry local/);
      assert.doesNotMatch(output, /\bat .*:\d+:\d+\)?$/m, "a stack trace");
    });
  });

  it("at the root without a platform running: names the command that starts one", async function () {
    this.timeout(100_000);
    await withExample(".", {}, async (project) => {
      for (const run of [await project.preview({ fails: true }), await project.up({ fails: true })]) {
        assert.match(run.output, /npx tenantry local/);
        assert.doesNotMatch(run.output, /\bat .*:\d+:\d+\)?$/m, "a stack trace");
      }
    });
  });
});

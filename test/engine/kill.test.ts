import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "mocha";
import type { RequestEntry } from "../../provider/local";
import { registryName } from "../../provider/registry/reserved-names";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { withDoomedRun } from "../support/doomed-run";
import { type Project, type Run, withProject } from "../support/engine";

/** Long enough that several calls are under way at any moment. */
const latency = 40;
const up = ["up", "--yes", "--skip-preview"];
const destroy = ["destroy", "--yes", "--skip-preview"];
const parallel = (count: number): string[] => ["--parallel", String(count)];

const init = { "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);\n" };
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i + 1}`).sort();
const program = (tenants: number): string => `
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";
const eu = new Group("eu", { location: "local" });
const app = new SchemaTemplate("app", { migrations: "./migrations" });
for (let i = 1; i <= ${tenants}; i++) {
  // Short, for the platform that is gone: a new database is waited for.
  const tenant = new TenantDatabase("t" + i, { group: eu, schema: app, timeouts: { create: "10s" } });
  new DatabaseToken("t" + i + "-app", { database: tenant });
}
`;

const isCreate = ({ method, path: asked, status }: RequestEntry): boolean =>
  method === "POST" && asked.endsWith("/databases") && status === 200;
const isDelete = ({ method }: RequestEntry): boolean => method === "DELETE";

describe("the worst moments", function () {
  this.timeout(180_000);

  it("the engine is killed among 30 creates", async () => {
    await withStory(30, async ({ platform, project, at }) => {
      await withDoomedRun(project, [...up, ...parallel(8)], async (run) => {
        at(isCreate, 10, run.killEngine);
        assert.equal((await run.ended).code, null, "it was killed");
        const outlived = await run.providersEnded();
        assert.ok(outlived < 5_000, `the provider ended ${outlived} ms after its engine`);
      });
      await settled(platform);
      const early = await tenantsOf(platform);
      assert.ok(early.length >= 8 && early.length < 30, `${early.length} were made`);
      const { asked } = await platform.during(() => recover(project));
      assert.deepEqual(asked.all, [], "nobody is at work any more");
      await Promise.all(early.map((name) => platform.sql("eu", name, `INSERT INTO notes VALUES ('of ${name}')`)));

      await project.up({ args: parallel(16) });
      for (const name of early) {
        assert.deepEqual(await platform.sql("eu", name, "SELECT body FROM notes"), [{ body: `of ${name}` }]);
      }
      await assertWhole(platform, 30, ["0001_init"]);
      await assertSettled(project, 30);
      await project.destroy({ args: parallel(16) });
      await assertNothingLeft(platform, project);
    });
  });

  it("the provider is killed among 12 creates", async () => {
    await withStory(12, async ({ platform, project, at }) => {
      await withDoomedRun(project, [...up, ...parallel(8)], async (run) => {
        at(isCreate, 6, run.killProvider);
        const { code, output } = await run.ended;
        assert.ok(code, `the engine says that it failed\n${output}`);
      });
      await project.up({ args: parallel(16) });
      await assertWhole(platform, 12, ["0001_init"]);
      await assertSettled(project, 12);
    });
  });

  it("the platform stops among 12 creates and comes back", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "tenantry-stopped-"));
    try {
      let port = 0;
      await withProject({ files: { "index.ts": program(12), ...init } }, async (project) => {
        const stopped = await withPlatform({ directory }, async ({ platform, at }) => {
          port = Number(new URL(platform.url).port);
          Object.assign(project.env, platform.env);
          at(isCreate, 6, () => void platform.close());
          return project.up({ args: parallel(8), fails: true });
        });
        assertClear(stopped);
        await withPlatform({ directory, port }, async ({ platform }) => {
          await project.up({ args: parallel(16) });
          await assertWhole(platform, 12, ["0001_init"]);
          await assertSettled(project, 12);
        });
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it("engine and provider are killed while 15 tenants are migrated", async () => {
    await withStory(15, async ({ platform, project, at }) => {
      await project.up({ args: parallel(16) });
      await project.write({
        "migrations/0002_welcome.sql":
          "ALTER TABLE notes ADD COLUMN author TEXT;\nINSERT INTO notes (body) VALUES ('x');\n",
      });
      const both = ["0001_init", "0002_welcome"];
      await withDoomedRun(project, [...up, ...parallel(4)], async (run) => {
        // Each tenant's ledger is read twice before the migration: the canary's is done, others are under way.
        at(isTenantSql, 20, () => {
          run.killEngine();
          run.killProvider();
        });
        await run.providersEnded();
      });
      const ledgers = await Promise.all(names(15).map((name) => ledgerOf(platform, name)));
      const done = ledgers.filter((ids) => ids.length === 2).length;
      assert.ok(done > 0 && done < 15, `${done} were migrated when it was killed`);
      await recover(project);

      await project.up({ args: parallel(16) });
      await assertWhole(platform, 15, both);
      for (const name of names(15)) {
        assert.deepEqual(await platform.sql("eu", name, "SELECT count(*) AS rows FROM notes"), [{ rows: 1 }], name);
      }
      await assertSettled(project, 15);
    });
  });

  it("the engine is killed among 12 deletes, then at the group's", async () => {
    await withStory(12, async ({ platform, project, at }) => {
      await project.up({ args: parallel(16) });
      await withDoomedRun(project, [...destroy, ...parallel(4)], async (run) => {
        at(isDelete, 5, run.killEngine);
        await run.providersEnded();
      });
      const left = await tenantsOf(platform);
      assert.ok(left.length > 0 && left.length < 12, `${left.length} were left`);
      await recover(project);
      await withDoomedRun(project, [...destroy, ...parallel(4)], async (run) => {
        at(
          (entry) => isDelete(entry) && entry.path.endsWith("/groups/eu"),
          1,
          () => {
            run.killEngine();
            run.killProvider();
          },
        );
        await run.providersEnded();
      });
      await recover(project);
      await project.destroy();
      await assertNothingLeft(platform, project);
    });
  });

  it("two projects want the same name at the same time: one gets it and keeps it", async () => {
    const files = (own: string) => ({
      ...init,
      "index.ts": `
import { SchemaTemplate, TenantDatabase } from "tenantry";
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
for (const name of ["wanted", "${own}"]) new TenantDatabase(name, { group: "eu", schema });
`,
    });
    await withPlatform({}, async ({ platform }) => {
      await platform.api.ok("POST", "/groups", { name: "eu", location: "local" });
      const { env } = platform;
      await withProject({ name: "shop", files: files("of-shop"), env }, async (shop) => {
        await withProject({ name: "blog", files: files("of-blog"), env }, async (blog) => {
          const projects = [shop, blog];
          const runs = await Promise.all(projects.map((project) => project.pulumi([...up, "--stack", project.stack])));
          const codes = runs.map(({ code }) => code === 0);
          assert.deepEqual([...codes].sort(), [false, true], runs.map(({ output }) => output).join("\n"));
          const [winner, loser] = codes[0] ? [shop, blog] : [blog, shop];
          const told = runs[codes.indexOf(false)]!.output;
          assert.match(told, /"wanted" belongs to organization\/(shop|blog)\/dev\/wanted/);
          await platform.sql("eu", "wanted", "INSERT INTO notes VALUES ('the winner''s')");

          await loser.destroy();
          const own = winner === shop ? "of-shop" : "of-blog";
          assert.deepEqual(await tenantsOf(platform), [own, "wanted"]);
          assert.deepEqual(await platform.sql("eu", "wanted", "SELECT body FROM notes"), [{ body: "the winner's" }]);
          assert.equal((await winner.up()).counts["same"], 3);
          await winner.destroy();
          assert.deepEqual(await tenantsOf(platform), []);
          assert.deepEqual(await claims(platform), []);
        });
      });
    });
  });
});

interface Watched {
  platform: CountedPlatform;
  /** Acts at the moment when the platform has dealt with the n-th such request and nobody has its answer yet. */
  at(what: (entry: RequestEntry) => boolean, nth: number, act: () => void): void;
}

async function withPlatform<Result>(
  options: { directory?: string; port?: number },
  use: (watched: Watched) => Promise<Result>,
): Promise<Result> {
  let watch = (_: RequestEntry): void => undefined;
  let result: { value: Result } | undefined;
  await withCountedPlatform({ ...options, latency, onRequest: (entry) => watch(entry) }, async (platform) => {
    const value = await use({
      platform,
      at(what, nth, act) {
        let seen = 0;
        watch = (entry) => {
          if (what(entry) && ++seen === nth) act();
        };
      },
    });
    result = { value };
  });
  return result!.value;
}

/** A platform and a project of that many tenants with a token each. */
async function withStory(
  tenants: number,
  use: (story: Watched & { project: Project }) => Promise<void>,
): Promise<void> {
  await withPlatform({}, async (watched) => {
    const files = { "index.ts": program(tenants), ...init };
    await withProject({ files, env: watched.platform.env }, (project) => use({ ...watched, project }));
  });
}

/**
 * What a person does after a kill. The file backend does not write its checkpoint in one step, so that a kill can leave
 * it empty, with the one before beside it; and the killed run's lock stays.
 */
async function recover(project: Project): Promise<void> {
  const { file, text } = await project.stateFile();
  if (text.trim() === "") await copyFile(`${file}.bak`, file);
  const { code, output } = await project.pulumi(["cancel", "--yes", "--stack", project.stack]);
  assert.equal(code, 0, output);
}

async function databasesOf(platform: CountedPlatform): Promise<string[]> {
  const { databases } = await platform.api.ok<{ databases: { Name: string }[] }>("GET", "/databases?limit=1000");
  return databases.map(({ Name }) => Name).sort();
}

const tenantsOf = async (platform: CountedPlatform): Promise<string[]> =>
  (await databasesOf(platform)).filter((name) => !name.startsWith("tenantry-"));

/** What was under way when its caller died has been answered: SQL on a database comes after what was asked there before. */
async function settled(platform: CountedPlatform): Promise<void> {
  let before: string;
  let now = "";
  do {
    before = now;
    const names = await databasesOf(platform);
    await Promise.all(names.map((name) => platform.sql("eu", name, "SELECT 1")));
    now = names.join();
  } while (now !== before);
}

const claims = (platform: CountedPlatform) =>
  platform.sql("eu", registryName("eu"), "SELECT kind, name, state FROM claims ORDER BY kind, name");

async function ledgerOf(platform: CountedPlatform, name: string): Promise<unknown[]> {
  return (await platform.sql("eu", name, "SELECT id FROM _tenantry_migrations ORDER BY seq")).map(({ id }) => id);
}

/** The tenants are there, each once and with each migration once, and the registry holds them and nothing else. */
async function assertWhole(platform: CountedPlatform, count: number, migrations: string[]): Promise<void> {
  assert.deepEqual(await tenantsOf(platform), names(count));
  for (const name of names(count)) assert.deepEqual(await ledgerOf(platform, name), migrations, name);
  const expected = names(count).map((name) => ({ kind: "database", name, state: "held" }));
  assert.deepEqual(await claims(platform), [...expected, { kind: "group", name: "eu", state: "held" }]);
}

/** Nothing is left to do, for the engine neither. */
async function assertSettled(project: Project, count: number): Promise<void> {
  assert.deepEqual((await project.up()).counts, { same: 2 * count + 2 });
}

async function assertNothingLeft(platform: CountedPlatform, project: Project): Promise<void> {
  assert.deepEqual(await databasesOf(platform), []);
  assert.deepEqual((await platform.api.ok<{ groups: unknown[] }>("GET", "/groups")).groups, []);
  const { resources = [] } = (await project.stackExport()).deployment;
  assert.deepEqual(
    resources.filter(({ type }) => type !== "pulumi:pulumi:Stack").map(({ urn }) => urn),
    [],
  );
}

/** One message a resource at most, which says what is wrong, without a stack. */
function assertClear({ diagnostics, output }: Run): void {
  const errors = diagnostics.filter(({ severity, urn }) => severity === "error" && urn.includes("tenantry:"));
  assert.ok(errors.length > 0, output);
  assert.equal(new Set(errors.map(({ urn }) => urn)).size, errors.length, output);
  const known = /connection refused|connection was lost|Not done, for the reason given at another resource/;
  for (const { message } of errors) assert.match(message, known, output);
  assert.doesNotMatch(output, /\n\s+at |Internal error/);
}

const isTenantSql = ({ path: asked }: RequestEntry): boolean => /^\/db\/t\d+\//.test(asked);

import assert from "node:assert/strict";
import type { RequestEntry } from "../../provider/local";
import { registryName } from "../../provider/registry/reserved-names";
import type { Orphan } from "../../sdk/cli/registry/orphan";
import { type Ended, runCli } from "../cli/run-cli";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { withDoomedRun } from "../support/doomed-run";
import { type Project, withProject } from "../support/engine";

const tenants = Array.from({ length: 10 }, (_, i) => `t${i}`);
const unfinished = `
import { Group, TenantDatabase } from "tenantry";
const eu = new Group("eu", { location: "local" });
for (const name of ${JSON.stringify(tenants)}) new TenantDatabase(name, { group: eu });
`;
const retained = `
import { Group, TenantDatabase } from "tenantry";
const kept = { retainOnDelete: true };
const eu = new Group("eu", { location: "local" }, kept);
for (const name of ["acme", "globex"]) new TenantDatabase(name, { group: eu }, kept);
new TenantDatabase("initech", { group: eu });
`;
const adopting = `
import { TenantDatabase } from "tenantry";
new TenantDatabase("acme", { group: "eu", adopt: "unowned" });
new TenantDatabase("taken", { name: "globex", group: "eu" });
`;
const isCreate = ({ method, path, status }: RequestEntry): boolean =>
  method === "POST" && path.endsWith("/databases") && status === 200;

describe("tenantry registry on a real engine", function () {
  this.timeout(300_000);

  it("shows exactly what a run without checkpoints left when it was killed; `up` adopts it, and nothing is left", async () => {
    let creates = 0;
    let kill = (): void => undefined;
    const onRequest = (entry: RequestEntry): void => void (isCreate(entry) && ++creates === 6 && kill());
    await withCountedPlatform({ latency: 40, onRequest }, async (platform) => {
      const env = { ...platform.env, PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
      await withProject({ files: { "index.ts": unfinished }, env }, async (project) => {
        await withDoomedRun(project, ["up", "--yes", "--skip-preview", "--parallel", "4"], async (run) => {
          kill = run.killEngine;
          assert.equal((await run.ended).code, null, "it was killed");
          await run.providersEnded();
        });
        const { resources = [] } = (await project.stackExport()).deployment;
        assert.deepEqual(resources, [], "no checkpoint was written");
        const claims = await claimsOf(platform);
        const made = await databasesOf(platform);
        assert.ok(made.length >= 4 && made.length < 10, `${made.length} were made`);

        const found = await orphans(project);
        assert.deepEqual(
          found.map(({ kind, name, state, address }) => ({ kind, name, state, address })),
          claims,
        );
        for (const { kind, name, status, state, exists } of found) {
          assert.equal(status, state === "open" ? "unfinished-create" : "without-state", name);
          assert.equal(exists, kind === "group" || made.includes(name), name);
        }
        assert.deepEqual(
          made.filter((name) => !found.some((one) => one.name === name)),
          [],
        );

        await project.pulumi(["cancel", "--yes", "--stack", project.stack]);
        const ids = await identities(platform);
        await project.up();
        assert.deepEqual(await orphans(project), []);
        assert.deepEqual(await databasesOf(platform), tenants);
        const now = await identities(platform);
        for (const name of made) assert.equal(now.get(name), ids.get(name), name);
        assert.deepEqual((await project.up()).counts, { same: 11 });
      });
    });
  });

  it("shows what retainOnDelete left; released or claimed, another stack adopts it with its data", async () => {
    await withCountedPlatform({}, async (platform) => {
      const { env } = platform;
      await withProject({ name: "shop", files: { "index.ts": retained }, env }, async (shop) => {
        await shop.up();
        assert.deepEqual(await orphans(shop), []);
        await platform.sql("eu", "acme", "CREATE TABLE notes (body TEXT)");
        await platform.sql("eu", "globex", "CREATE TABLE notes (body TEXT)");
        await shop.destroy();
        const left = (await orphans(shop)).map(({ kind, name, status }) => `${kind} ${name} ${status}`);
        const lost = ["database acme without-state", "database globex without-state", "group eu without-state"];
        assert.deepEqual(left, lost);

        const ids = await identities(platform);
        await withProject({ name: "blog", files: { "index.ts": adopting }, env }, async (blog) => {
          const refused = await blog.up({ fails: true });
          assert.match(
            refused.output,
            /npx tenantry registry claim acme --as organization\/blog\/dev\/acme --stack organization/,
          );
          ok(await cli(shop, "release", "acme", "--yes"));
          ok(await cli(shop, "claim", "globex", "--as", "organization/blog/dev/taken", "--yes"));
          await blog.up();
          assert.deepEqual(await identities(platform), ids);
          for (const name of ["acme", "globex"]) await platform.sql("eu", name, "SELECT body FROM notes");
          assert.deepEqual(await orphans(blog), []);
          assert.deepEqual(
            (await orphans(shop)).map(({ name }) => name),
            ["eu"],
          );
          assert.deepEqual((await blog.up()).counts, { same: 2 });

          const kept = await cli(blog, "release", "acme", "--yes");
          assert.equal(kept.code, 1);
          assert.match(kept.stderr, /the state of organization\/blog\/dev has it/);
          // What was adopted stays; what was claimed is the stack's own, which its first owner had made.
          await blog.destroy();
          assert.deepEqual(await databasesOf(platform), ["acme"]);
        });
      });
    });
  });
});

const cli = ({ folder, env }: Project, ...args: string[]): Promise<Ended> =>
  runCli(["registry", ...args], { cwd: folder, env });

const ok = ({ code, stdout, stderr }: Ended): void => assert.equal(code, 0, stdout + stderr);

/** Compared with the state of the project's selected stack. */
async function orphans(project: Project): Promise<Orphan[]> {
  const ended = await cli(project, "orphans", "--json");
  ok(ended);
  const { stack, orphans: found } = JSON.parse(ended.stdout) as { stack: string; orphans: Orphan[] };
  assert.match(stack, /^organization\/[\w-]+\/dev$/);
  return found;
}

const claimsOf = (platform: CountedPlatform) =>
  platform.sql("eu", registryName("eu"), "SELECT kind, name, state, address FROM claims ORDER BY kind, name");

async function identities(platform: CountedPlatform): Promise<Map<string, string>> {
  const listed = await platform.api.ok<{ databases: { Name: string; DbId: string }[] }>("GET", "/databases?limit=1000");
  const own = listed.databases.filter(({ Name }) => !Name.startsWith("tenantry-"));
  return new Map(own.map(({ Name, DbId }) => [Name, DbId] as const).sort());
}

const databasesOf = async (platform: CountedPlatform): Promise<string[]> => [...(await identities(platform)).keys()];

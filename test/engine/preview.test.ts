import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import type { PreviewReport } from "../../provider/preview/report";
import { decodePreview } from "../../provider/preview/value";
import { createTenantry } from "../../sdk/client";
import { type Ended, runCli } from "../cli/run-cli";
import { mint } from "../local/api-caller";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { type Project, withProject } from "../support/engine";

const ids = Array.from({ length: 200 }, (_, i) => `t${String(i + 1).padStart(3, "0")}`);
const manifest = `version: 1
namePattern: "shop-{id}"
groups: { eu: { location: local } }
schemas: { shop: { migrations: ./migrations } }
defaults: { group: eu, schema: shop }
tenants: { ${ids.map((id) => `${id}: {}`).join(", ")} }
`;

/** The whole of each database as SQL, as a digest. */
async function contents(platform: CountedPlatform, names: readonly string[]): Promise<string[]> {
  const token = await mint(platform.api, "groups/eu");
  return Promise.all(
    names.map(async (name) => {
      const dump = await fetch(`${platform.databaseUrl(name)}dump`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(dump.status, 200, name);
      return createHash("sha256")
        .update(await dump.text())
        .digest("hex");
    }),
  );
}

const databases = async ({ api }: CountedPlatform): Promise<string[]> =>
  (await api.ok<{ databases: { Name: string }[] }>("GET", "/databases?limit=1000")).databases.map(({ Name }) => Name);
const branchesIn = async (platform: CountedPlatform): Promise<string[]> =>
  (await databases(platform)).filter((name) => name.startsWith("tenantry-pr-"));

describe("a pull request's branches, beside a fleet that pulumi deploys", () => {
  it("open, are pushed to and merged for 20 of 200 tenants; production stays as it is, nothing is left", async function () {
    this.timeout(600_000);
    const files = {
      "index.js":
        'const { TenantFleet } = require("tenantry");\nnew TenantFleet("prod", { manifest: "./tenants.yaml" });\n',
      "tenants.yaml": manifest,
      "migrations/0001_notes.sql": "CREATE TABLE notes (words INTEGER);\n",
    };
    await withCountedPlatform({}, async (platform) => {
      await withProject({ files, env: platform.env }, (project) => story(platform, project));
    });
  });

  it("are a resource too: made, kept, migrated, and deleted with the stack, without their sources", async function () {
    this.timeout(600_000);
    const program = (more = "") => `
      const { PreviewBranch, SchemaTemplate } = require("tenantry");
      const schema = new SchemaTemplate("app", { migrations: "./migrations" });
      const from = ["shop-acme", "shop-globex"];
      const preview = new PreviewBranch("pr-42", { from, data: "copy", schema, expiresIn: "7d"${more} });
      exports.value = preview.preview;
      exports.branches = preview.branches;
    `;
    const files = { "index.js": program(), "migrations/0001_tags.sql": "CREATE TABLE tags (tag TEXT);\n" };
    await withCountedPlatform({}, async (platform) => {
      const sources = ["shop-acme", "shop-globex"];
      await platform.api.ok("POST", "/groups", { name: "eu", location: "local" });
      for (const name of sources) {
        await platform.api.ok("POST", "/databases", { name, group: "eu" });
        await platform.sql("eu", name, "CREATE TABLE notes (words INTEGER)");
        await platform.sql("eu", name, "INSERT INTO notes VALUES (1)");
      }
      const before = await contents(platform, sources);
      await withProject({ files, env: platform.env }, async (project) => {
        assert.deepEqual((await project.up()).counts, { create: 2 });
        const value = async () => decodePreview(String((await project.outputs({ showSecrets: true }))["value"]));
        const first = await value();
        assert.equal((await branchesIn(platform)).length, 2);
        const { text } = await project.stateFile();
        for (const { token } of Object.values(first.tenants)) assert.ok(!text.includes(token), "a token in clear");
        assert.deepEqual((await project.up()).counts, { same: 2 });

        const acme = (await branchesIn(platform)).find((name) => name.includes("acme"))!;
        await platform.sql("eu", acme, "INSERT INTO notes VALUES (2)");
        await project.write({ "migrations/0002_more.sql": "ALTER TABLE tags ADD COLUMN color TEXT;\n" });
        assert.deepEqual((await project.up()).counts, { update: 2 });
        assert.equal((await value()).tenants["shop-acme"]?.databaseId, first.tenants["shop-acme"]?.databaseId);
        assert.equal(
          (await platform.sql("eu", acme, "SELECT * FROM notes, (SELECT count(color) FROM tags)")).length,
          2,
        );

        await project.write({ "index.js": program(', refresh: "monday"') });
        const refreshed = await project.up();
        assert.match(refreshed.output, /all branches will be made anew from their sources/);
        assert.notEqual((await value()).tenants["shop-acme"]?.databaseId, first.tenants["shop-acme"]?.databaseId);

        await project.destroy();
        assert.deepEqual(
          (await databases(platform)).filter((name) => !name.startsWith("tenantry-registry")).sort(),
          sources,
        );
        assert.deepEqual(await contents(platform, sources), before);
      });
    });
  });
});

async function story(platform: CountedPlatform, project: Project): Promise<void> {
  const cli = (...args: string[]): Promise<Ended> => runCli(args, { cwd: project.folder, env: platform.env });
  const pullRequest = ["--repository", "acme/shop", "--pull-request", "7"];
  const push = async (code: number, ...more: string[]): Promise<{ report: PreviewReport; comment: string }> => {
    const options = ["--manifest", "tenants.yaml", "--sample", "20", "--data", "copy", "--migrations", "./migrations"];
    const up = await cli(
      "preview",
      "up",
      ...options,
      ...pullRequest,
      ...more,
      "--to-env-file",
      "preview.env",
      "--json",
    );
    assert.equal(up.code, code, up.stdout + up.stderr);
    await project.write({ "preview.json": up.stdout });
    const comment = await cli("preview", "comment", "preview.json");
    assert.equal(comment.code, 0, comment.stderr);
    return { report: JSON.parse(up.stdout) as PreviewReport, comment: comment.stdout };
  };
  const names = ids.map((id) => `shop-${id}`);

  assert.deepEqual((await project.up()).counts, { create: 3 });
  for (const [i, name] of names.entries()) await platform.sql("eu", name, `INSERT INTO notes VALUES (${i})`);
  const before = await contents(platform, names);
  const all = await databases(platform);

  // Opened.
  await project.write({
    "migrations/0002_long.sql": "ALTER TABLE notes ADD COLUMN long INTEGER;\nUPDATE notes SET long = words > 9;\n",
  });
  const opened = await push(0);
  assert.equal(opened.report.branches.length, 20);
  assert.deepEqual(opened.report.fleet.tenants, 200);
  assert.ok(opened.report.branches.every(({ created, to }) => created && to === "0002_long"));
  assert.match(opened.comment, /^20 of 20 ready: copies with all their rows\./m);
  assert.match(opened.comment, /^Over the whole fleet \(200 tenants\)/m);

  // Pushed to, with a migration that fails on one tenant's data: said before anything is merged.
  const unlucky = opened.report.branches[7]!;
  const words = ids.indexOf(unlucky.tenant);
  const checked = (but: string) =>
    `CREATE TABLE checked (words INTEGER${but});\nINSERT INTO checked SELECT words FROM notes;\n`;
  await project.write({ "migrations/0003_checked.sql": checked(` CHECK (words <> ${words})`) });
  const failed = await push(3);
  assert.deepEqual(
    failed.report.branches.filter(({ state }) => state !== "ready").map(({ tenant, state }) => [tenant, state]),
    [[unlucky.tenant, "migration-failed"]],
  );
  assert.match(failed.comment, /^\*\*A migration fails on 1 tenant\.\*\* 19 of 20 ready/m);
  assert.match(failed.comment, /0003_checked\.sql, line 2: .*CHECK constraint failed/);
  assert.deepEqual(
    failed.report.branches.map(({ databaseId, created }) => [databaseId, created]),
    opened.report.branches.map(({ databaseId }) => [databaseId, false]),
    "the same branches, with their rows",
  );

  // Corrected. Where the file was applied as it was then it cannot be taken again, so all of them start over.
  await project.write({ "migrations/0003_checked.sql": checked("") });
  const again = await push(0, "--reset");
  assert.equal(again.report.branches.length, 20);
  assert.deepEqual(
    again.report.branches.map(({ tenant }) => tenant),
    opened.report.branches.map(({ tenant }) => tenant),
    "the same sample",
  );
  assert.deepEqual(await contents(platform, names), before, "production is as it was");

  // An application with the value serves the branch's rows, and production refuses what it holds.
  const { TENANTRY_PREVIEW: value } = variablesIn(await readFile(path.join(project.folder, "preview.env"), "utf8"));
  const branch = again.report.branches[0]!;
  await platform.sql("eu", branch.branch, "INSERT INTO notes (words) VALUES (-1)");
  const served = createTenantry({ preview: value });
  const rows = async (of: ReturnType<typeof createTenantry>, tenant: string) =>
    (await (await of.connect(tenant)).execute("SELECT words FROM notes ORDER BY words")).rows.map(
      (row) => row["words"],
    );
  assert.deepEqual(await rows(served, branch.tenant), [-1, ids.indexOf(branch.tenant)]);
  const outside = ids.find((id) => !again.report.branches.some(({ tenant }) => tenant === id))!;
  await assert.rejects(served.connect(outside), { code: "wrong-scope" });
  const held = decodePreview(value!).tenants[branch.tenant]!.token;
  const production = createTenantry({ urlFor: () => platform.databaseUrl(branch.source), tokenFor: () => held });
  await assert.rejects(rows(production, branch.source), { code: "credentials-rejected" });
  // Without it, the reverse.
  const { url: apiUrl, apiToken: token } = platform;
  const plain = createTenantry({ platform: "local", apiUrl, token, access: "full-access" });
  assert.deepEqual(await rows(plain, branch.source), [ids.indexOf(branch.tenant)]);
  const own = await mint(platform.api, `databases/${branch.source}`);
  const bent = createTenantry({ urlFor: () => branch.url, tokenFor: () => own });
  await assert.rejects(rows(bent, branch.tenant), { code: "credentials-rejected" });

  // Merged.
  assert.deepEqual((await project.up()).counts, { update: 2, same: 1 });
  const down = await cli("preview", "down", ...pullRequest, "--json");
  assert.equal(down.code, 0, down.stderr);
  assert.equal((JSON.parse(down.stdout) as { deleted: string[] }).deleted.length, 20);
  const isTemplate = (name: string): boolean => name.startsWith("tenantry-template-");
  assert.deepEqual(
    (await databases(platform)).filter((name) => !isTemplate(name)).sort(),
    all.filter((name) => !isTemplate(name)).sort(),
  );
  assert.deepEqual(await platform.sql("eu", "tenantry-registry-eu", "SELECT * FROM previews"), []);
  const claimed = "SELECT name FROM claims WHERE address LIKE 'preview/%'";
  assert.deepEqual(await platform.sql("eu", "tenantry-registry-eu", claimed), []);

  // Forgotten: nobody closed it, and its time is over.
  const forgotten = ["preview", "up", "t001", "--manifest", "tenants.yaml", "--data", "schema-only"];
  const made = await cli(...forgotten, "--repository", "acme/shop", "--pull-request", "8");
  assert.equal(made.code, 0, made.stderr);
  const end = "UPDATE claims SET expires_at = '2026-01-01T00:00:00.000Z' WHERE address LIKE 'preview/%'";
  await platform.sql("eu", "tenantry-registry-eu", end);
  assert.equal((await cli("preview", "reap")).code, 2);
  assert.equal((await branchesIn(platform)).length, 1);
  assert.equal((await cli("preview", "reap", "--yes")).code, 0);
  assert.deepEqual(await branchesIn(platform), []);
}

const variablesIn = (text: string): Record<string, string | undefined> =>
  Object.fromEntries(text.split("\n").flatMap((line) => [line.split(/=(.*)/s).slice(0, 2) as [string, string]]));

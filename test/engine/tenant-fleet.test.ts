import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createTenantry } from "../../sdk/client";
import type { FleetTenant } from "../../sdk/tenant-fleet";
import { mint } from "../local/api-caller";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { type Project, type Run, withProject } from "../support/engine";
import { errorsOf } from "../support/scene";

const program = `
const { readFileSync } = require("node:fs");
const { Group, SchemaTemplate, TenantFleet } = require("tenantry");

const { tenants, ...more } = JSON.parse(readFileSync("fleet.json", "utf8"));
const group = new Group("eu", { location: "local" });
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const fleet = new TenantFleet("prod", { tenants, group, schema, namePattern: "tenant-{id}", ...more });
exports.acme = fleet.tenants.apply(({ t01 }) => t01);
exports.counts = fleet.counts;
exports.minSchemaVersion = fleet.minSchemaVersion;
`;
const first = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n";
const texts = "CREATE TABLE texts (text TEXT);\nINSERT INTO texts SELECT json(text) FROM notes;\n";

const named = (size: number): string[] => Array.from({ length: size }, (_, i) => `t${String(i + 1).padStart(2, "0")}`);
const declared = (ids: readonly string[], more: Record<string, object> = {}): Record<string, object> => ({
  ...Object.fromEntries(ids.map((id) => [id, {}])),
  ...more,
});

interface Fleet {
  readonly platform: CountedPlatform;
  readonly project: Project;
  declare(tenants: object, more?: object): Promise<void>;
  tenants(): Promise<string[]>;
}

async function withFleet(use: (fleet: Fleet) => Promise<void>): Promise<void> {
  await withCountedPlatform({}, async (platform) => {
    const files = { "package.json": '{ "main": "index.js" }', "index.js": program, "migrations/0001_notes.sql": first };
    await withProject({ files, env: platform.env }, (project) =>
      use({
        platform,
        project,
        declare: (tenants, more = {}) => project.write({ "fleet.json": JSON.stringify({ tenants, ...more }) }),
        async tenants() {
          const { databases } = await platform.api.ok<{ databases: { Name: string }[] }>(
            "GET",
            "/databases?limit=1000",
          );
          return databases.map(({ Name }) => Name).filter((name) => !name.startsWith("tenantry-"));
        },
      }),
    );
  });
}

/** What was said on the fleet's own line. */
const saidOf = (run: Run): string[] =>
  run.diagnostics
    .filter(({ urn, severity }) => urn.includes("TenantFleet::prod") && severity !== "error")
    .map(({ message }) => message.trim());

describe("a fleet of tenants, through pulumi commands", () => {
  it("is previewed, made, left alone, changed, migrated, refreshed and destroyed", async function () {
    this.timeout(300_000);
    await withFleet(async ({ platform, project, declare, tenants }) => {
      const ids = named(30);
      await declare(declared(ids));
      const before = await project.preview();
      assert.deepEqual(before.counts, { create: 3 });
      assert.deepEqual(saidOf(before), ["create 30: t01, t02, t03 and 27 more"]);
      assert.deepEqual(await tenants(), []);

      await project.up();
      assert.deepEqual(
        await tenants(),
        ids.map((id) => `tenant-${id}`),
      );
      const { acme, counts, minSchemaVersion } = await project.outputs();
      const { name, url, state, schemaVersion } = acme as Record<string, unknown>;
      assert.deepEqual([name, url, state], ["tenant-t01", platform.databaseUrl("tenant-t01"), "ready"]);
      assert.deepEqual([schemaVersion, minSchemaVersion], ["0001_notes", "0001_notes"]);
      assert.equal((counts as Record<string, number>)["ready"], 30);

      const unchanged = await platform.during(() => project.up());
      assert.deepEqual(unchanged.result.counts, { same: 3 });
      assert.deepEqual(unchanged.asked.all, [], "nothing was asked of the platform");

      await declare(declared(ids.slice(1), { t02: { blockWrites: true }, t31: {} }));
      const changes = "create 1: t31; change 1: t02; remove 1: t01";
      assert.deepEqual(saidOf(await project.preview()), [changes]);
      assert.deepEqual(saidOf(await project.up()), [changes]);
      assert.equal((await tenants()).includes("tenant-t01"), false);

      await platform.sql("eu", "tenant-t05", "INSERT INTO notes (text) VALUES ('no JSON')");
      await project.write({ "migrations/0002_texts.sql": texts });
      const rest = named(31).slice(2);
      await declare(declared(rest), { maxRemovals: 1, rollout: { canary: ["t31"] } });
      const failed = await project.up({ fails: true });
      assert.match(errorsOf(failed).join("\n"), /tenant-t05: .*0002_texts\.sql, line 2: .*malformed JSON/);
      await platform.sql("eu", "tenant-t05", "DELETE FROM notes");
      await project.refresh();
      const fixed = await project.up();
      assert.match(saidOf(fixed)[0]!, /bring \d+ to 0002_texts/);
      assert.equal((await project.outputs())["minSchemaVersion"], "0002_texts");
      assert.deepEqual((await project.up()).counts, { same: 3 });

      await platform.api.ok("DELETE", "/databases/tenant-t09");
      await project.refresh();
      assert.deepEqual(saidOf(await project.up()), ["create 1: t09"]);
      assert.equal((await tenants()).length, 29);

      await declare({});
      const emptied = await project.up({ fails: true });
      assert.match(emptied.output, /tenants: all 29 of 29 tenants would be removed .*TENANTRY_MAX_REMOVALS=29/);
      assert.equal((await tenants()).length, 29);
      await project.destroy();
      assert.deepEqual(await tenants(), []);
    });
  });

  it("takes its tenants, groups, schemas and rollout from a manifest", async function () {
    this.timeout(120_000);
    await withFleet(async ({ platform, project, tenants }) => {
      const manifest = [
        "version: 1",
        'namePattern: "tenant-{id}"',
        "groups: { eu: { location: local } }",
        "schemas: { app: { migrations: ./migrations } }",
        "defaults: { group: eu, schema: app }",
        "rollout: { canary: [b] }",
        "tenants: { a: , b: { deleteProtection: true } }",
      ];
      await project.write({
        "index.js":
          'exports.tenants = new (require("tenantry").TenantFleet)("prod", { manifest: "tenants.yaml" }).tenants;',
        "tenants.yaml": manifest.join("\n"),
      });
      await project.up();
      assert.deepEqual(await tenants(), ["tenant-a", "tenant-b"]);
      const { database } = await platform.api.ok<{ database: object }>("GET", "/databases/tenant-b");
      assert.equal((database as Record<string, unknown>)["delete_protection"], true);
      // As an application gets them: the output as JSON, and no other word about where tenants are.
      const deployed = (await project.outputs())["tenants"] as Record<string, FleetTenant>;
      assert.equal(deployed["a"]!.schemaVersion, "0001_notes");
      const token = await mint(platform.api, "databases/tenant-a");
      const { result, asked } = await platform.during(async () => {
        const db = await createTenantry({ tenants: deployed, tokenFor: () => token }).connect("a");
        await db.execute("INSERT INTO notes (text) VALUES ('kept')");
        return db.execute("SELECT text FROM notes");
      });
      assert.equal(result.rows[0]!["text"], "kept");
      assert.deepEqual(asked.control, [], "neither address nor token was asked of the platform");
      const minting = { platform: "local", apiUrl: platform.url, token: platform.apiToken };
      const read = await createTenantry({ ...minting, tenants: deployed, access: "read-only" }).connect("a");
      assert.equal((await read.execute("SELECT text FROM notes")).rows.length, 1);
      await assert.rejects(read.execute("DELETE FROM notes"));

      await project.write({ "tenants.yaml": manifest.join("\n").replace("b: {", "b: { blokReads: true,") });
      const refused = await project.preview({ fails: true });
      assert.match(refused.output, /prod: tenants\.yaml:7:\d+: .*blokReads.*blockReads/);
      assert.doesNotMatch(refused.output, /^\s+at .+:\d+:\d+\)?$/m, "a stack trace");
    });
  });
});

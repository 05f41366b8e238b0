import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { type Project, withProject } from "../support/engine";

const files = {
  "index.ts": `
import { Group, SchemaTemplate, TenantFleet } from "tenantry";
import { readFileSync } from "node:fs";

const { more = {}, aliases, fleet = "prod" } = JSON.parse(readFileSync("program.json", "utf8"));
const group = new Group("home", { location: "local" });
const schema = new SchemaTemplate("plain", { migrations: "./plain", migrate: "rollout" });
const prod = new TenantFleet(fleet, { manifest: "./config/fleet", group, schema, ...more }, { aliases });
export const { tenants, counts } = prod;
`,
  "program.json": "{}",
  "plain/0001_plain.sql": "CREATE TABLE plain (id INTEGER);\n",
  "config/migrations/0001_notes.sql": "CREATE TABLE notes (body TEXT);\n",
  "config/fleet/head.yaml": `version: 1
namePattern: t-{id}
groups: { eu: { location: local }, old: }
residency: { eu: { groups: [eu] } }
schemas: { app: { migrations: ../migrations } }
plans: { pro: { schema: app } }
maxRemovals: 1
`,
  "config/fleet/tenants.yaml":
    "version: 1\ntenants: { acme: { plan: pro, geo: eu }, bolt: , core: { group: old, blockWrites: true } }\n",
  "config/fleet/more.csv": "id,plan,geo,label:ring\ndove,pro,eu,beta\n",
};

describe("a fleet from a manifest", function () {
  this.timeout(300_000);

  const withFleet = (use: (project: Project, platform: CountedPlatform) => Promise<void>) =>
    withCountedPlatform({}, (platform) =>
      withProject({ files, env: platform.env }, (project) => use(project, platform)),
    );

  it("has the groups and schemas that it names, and the program's for the rest", async () => {
    await withFleet(async (project, platform) => {
      const missing = await project.preview({ fails: true });
      assert.match(missing.output, /config\/fleet\/tenants\.yaml:2:\d+: tenants\.core\.group: there is no group "old"/);

      await platform.api.ok("POST", "/groups", { name: "old", location: "local" });
      await platform.api.ok("POST", "/databases", { name: "t-core", group: "old" });
      const taken = await project.preview({ fails: true });
      assert.match(
        taken.output,
        /prod: tenants\.core\.name: a database "t-core" exists already and is not this stack's/,
      );
      await platform.api.ok("DELETE", "/databases/t-core");
      const first = await project.preview();
      assert.match(first.output, /create 4: acme, bolt, core and 1 more/);
      // The fleet, a group and a template of its own, and the program's two.
      assert.deepEqual((await project.up()).counts, { create: 5 });
      const { tenants } = (await project.outputs()) as {
        tenants: Record<string, { name: string; schemaVersion: string }>;
      };
      assert.deepEqual(
        Object.entries(tenants).map(([id, { name, schemaVersion }]) => [id, name, schemaVersion]),
        [
          ["acme", "t-acme", "0001_notes"],
          ["bolt", "t-bolt", "0001_plain"],
          ["core", "t-core", "0001_plain"],
          ["dove", "t-dove", "0001_notes"],
        ],
      );
      const { databases } = await platform.api.ok<{ databases: { Name: string; group: string }[] }>(
        "GET",
        "/databases",
      );
      const groups = databases
        .filter(({ Name }) => Name.startsWith("t-"))
        .map(({ Name, group }) => `${Name} in ${group}`);
      assert.deepEqual(groups.sort(), ["t-acme in eu", "t-bolt in home", "t-core in old", "t-dove in eu"]);
      const withPreview = { args: ["--skip-preview=false"] };
      const unchanged = await platform.during(() => project.up(withPreview));
      assert.deepEqual([unchanged.result.counts, unchanged.asked.all], [{ same: 5 }, []]);
      assert.match(unchanged.result.output, /^Previewing update/m);

      await project.write({ "config/fleet/more.csv": "id,plan,geo,label:ring\neel,pro,eu,beta\n" });
      assert.match((await project.preview()).output, /create 1: eel; remove 1: dove/);
      assert.deepEqual((await project.up()).counts, { update: 1, same: 4 });

      // Another name of the fleet is another name of what stands beside it; nothing is made anew.
      await project.write({ "program.json": '{"fleet":"all","aliases":[{"name":"prod"}]}' });
      const renamed = await project.up();
      assert.deepEqual(
        renamed.operations.filter(({ op }) => /create|delete|replace/.test(op)),
        [],
        renamed.output,
      );
      assert.deepEqual((await project.destroy()).counts, { delete: 5 });
    });
  });

  it("is refused in the preview with all that is wrong, by file, line and column", async () => {
    await withFleet(async (project, platform) => {
      await project.write({
        "config/fleet/tenants.yaml":
          "version: 1\ntenants:\n  acme: { plan: prro }\n  bolt: { geo: eu, group: old }\n  dove: { group: old }\n",
      });
      for (const refused of [await project.preview({ fails: true }), await project.up({ fails: true })]) {
        const lines = [
          "prod: 3 problems:",
          'config/fleet/tenants.yaml:3:11: tenants.acme.plan: there is no plan "prro"; did you mean "pro"?',
          'config/fleet/tenants.yaml:4:20: tenants.bolt.group: group "old" is not allowed for geo "eu"; allowed: eu.',
          "config/fleet/tenants.yaml:5:3: tenants.dove: it is given twice; first in config/fleet/more.csv:2:1.",
        ];
        for (const line of lines) assert.ok(refused.output.includes(line), `${line}\n${refused.output}`);
        assert.doesNotMatch(refused.output, /\bat .*:\d+:\d+\)?$/m, "a stack trace");
      }
      const { databases } = await platform.api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
      const made = databases.map(({ Name }) => Name).filter((name) => !name.startsWith("tenantry-registry-"));
      assert.deepEqual(made, []);

      await project.write({
        "config/fleet/tenants.yaml": "version: 1\n",
        "program.json": '{"more":{"tenants":["a"]}}',
      });
      const both = await project.preview({ fails: true });
      assert.match(both.output, /prod: tenants: the manifest says which there are; give one of the two\./);
    });
  });

  it("loses no more tenants at once than it says", async () => {
    await withFleet(async (project, platform) => {
      await platform.api.ok("POST", "/groups", { name: "old", location: "local" });
      await project.up();
      await project.write({ "config/fleet/tenants.yaml": "version: 1\ntenants: { acme: { plan: pro, geo: eu } }\n" });
      const refused = await project.up({ fails: true });
      assert.match(refused.output, /2 of 4 tenants would be removed \(more than 1\): bolt, core/);
      const allowed = await project.up({ env: { TENANTRY_MAX_REMOVALS: "2" } });
      assert.deepEqual(allowed.counts["update"], 1);
      assert.equal(((await project.outputs())["counts"] as Record<string, number>)["ready"], 2);
      await project.destroy();
    });
  });
});

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { withScene } from "../support/scene";

const program = (settings: string): string => `
import { DatabaseToken, SchemaTemplate, TenantDatabase } from "tenantry";
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const acme = new TenantDatabase("acme", { group: "eu", schema, ${settings} });
new DatabaseToken("reader", { database: acme });
`;
/** What releases before this one stored, by the kind that theirs named. */
const earlier = (text: string): string =>
  `exports.handler=()=>require("module").createRequire(process.cwd()+"/")("tenantry/runtime").${/\)\.(\w+)[;}]/.exec(text)![1]};`;
/** What a release could have kept nothing about. */
const unknownThen = ["formerly", "nameIsDefault", "status", "url", "adopted", "presentId"];

describe("state of an earlier release", function () {
  this.timeout(290_000);

  it("is refreshed, changed and destroyed, with its old provider text and fewer outputs", async () => {
    const files = { "index.ts": program(""), "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);" };
    await withScene({ files }, async ({ project, platform, sql, databases, tenants }) => {
      await project.up();
      await sql("acme", "INSERT INTO notes VALUES ('kept')");
      const before = await databases();
      const age = async (): Promise<void> => {
        const exported = await project.stackExport();
        for (const resource of exported.deployment.resources!) {
          for (const of of [resource.inputs, resource.outputs]) {
            if (typeof of?.["__provider"] !== "string") continue;
            of["__provider"] = earlier(of["__provider"]);
            for (const key of unknownThen) delete of[key];
          }
        }
        const file = path.join(project.folder, "old.json");
        await writeFile(file, JSON.stringify(exported));
        const { code, output } = await project.pulumi(["stack", "import", "--stack", "dev", "--file", file]);
        assert.equal(code, 0, output);
      };
      const untouched = async (work: () => Promise<unknown>): Promise<void> => {
        const { asked } = await platform.during(work);
        const own = "POST groups/eu/auth/tokens";
        assert.deepEqual(
          Object.keys(asked.writes).filter((call) => call !== own),
          [],
        );
        assert.deepEqual(await databases(), before);
        assert.deepEqual(await sql("acme", "SELECT body FROM notes"), [{ body: "kept" }]);
      };

      await age();
      await untouched(() => project.refresh());
      await untouched(() => project.up());
      assert.deepEqual((await project.preview()).counts, { same: 3 });

      await age();
      await project.write({ "index.ts": program("blockWrites: true") });
      await project.up();
      assert.deepEqual(await databases(), before);
      assert.deepEqual((await project.preview()).counts, { same: 3 });

      await age();
      await project.destroy();
      assert.deepEqual(await tenants(), []);
    });
  });
});

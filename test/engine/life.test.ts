import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { runCli } from "../cli/run-cli";
import { errorsOf, withScene } from "../support/scene";

const program = (more: string): string => `
const { TenantDatabase } = require("tenantry");
${more}
`;
const declared = (more = ""): string =>
  program(`new TenantDatabase("acme", { group: "eu", deletionPolicy: "soft", ${more} });`);

describe("the life of a tenant, on the engine", function () {
  this.timeout(290_000);

  it("is deleted softly, found in the trash when declared again, and brought back with its rows", async () => {
    await withScene({ files: { "index.js": declared() } }, async ({ project, sql, claims, databases }) => {
      await project.up();
      const { acme } = await databases();
      await sql("acme", "CREATE TABLE kept (x)");
      await project.write({ "index.js": program("") });
      const removed = await project.up();
      assert.match(removed.output, /acme: in the trash until \d{4}-.*; `npx tenantry restore acme` brings it back/);
      assert.deepEqual(await claims(), ["database acme trashed organization/test-project/dev/acme"]);

      await project.write({ "index.js": declared() });
      const refused = await project.up({ fails: true });
      assert.match(errorsOf(refused).join(), /is in the trash until .* Bring it back with adopt: "restore"/);
      const { TENANTRY_PLATFORM, TENANTRY_API_URL, TENANTRY_API_TOKEN } = project.env;
      const env = { TENANTRY_PLATFORM: TENANTRY_PLATFORM ?? "local", TENANTRY_API_URL, TENANTRY_API_TOKEN };
      const { stdout, code } = await runCli(["reap"], { cwd: "/", env });
      assert.deepEqual([code, /1 database with an end to come/.test(stdout)], [0, true], stdout);

      await project.write({ "index.js": declared('adopt: "restore"') });
      await project.up();
      assert.equal((await databases())["acme"], acme);
      assert.deepEqual(await sql("acme", "SELECT name FROM sqlite_schema"), [{ name: "kept" }]);
      await project.refresh();
      assert.deepEqual((await project.preview()).counts, { same: 1 });
    });
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createTenantry } from "../../sdk/client";
import { runCli } from "../cli/run-cli";
import { withScene } from "../support/scene";

const program = `
const { TenantFleet } = require("tenantry");
const fleet = new TenantFleet("tenants", { manifest: "./tenants.yaml" });
exports.counts = fleet.counts;
`;

describe("databases that exist, taken over from a manifest that was written of them", function () {
  this.timeout(300_000);

  it("are all adopted by the first `up`, which changes nothing about them; the second one has nothing to do", async () => {
    const files = { "package.json": '{ "main": "index.js" }', "index.js": program };
    await withScene({ files }, async (scene) => {
      const { project, platform } = scene;
      const names = Array.from({ length: 25 }, (_, i) => `tenant-c${i}-${i % 2 ? "free" : "pro"}`);
      for (const name of names) await scene.make(name);
      await scene.sql("tenant-c7-free", "CREATE TABLE notes AS SELECT 'kept' AS x");
      const settings = { block_writes: true, delete_protection: true };
      await platform.api.ok("PATCH", "/databases/tenant-c4-pro/configuration", settings);
      const { url, apiToken } = platform;
      const tenantry = createTenantry({
        platform: "local",
        apiUrl: url,
        token: apiToken,
        group: "eu",
        access: "full-access",
      });
      const runtime = (await tenantry.provision("somebody")).database.name;
      tenantry.close();
      const before = await scene.databases();

      const { folder, env } = project;
      const pattern = "tenant-{id}-{label:plan}";
      const imported = await runCli(["import", "--pattern", pattern], { cwd: folder, env });
      assert.deepEqual([imported.code, imported.stderr], [0, ""]);
      assert.match(
        imported.stdout,
        /Written to tenants\.yaml: 26 tenants, 1 made by applications at run time among them/,
      );

      const { result, asked } = await platform.during(() => project.up());
      assert.deepEqual(result.counts, { create: 1 });
      assert.deepEqual(
        Object.keys(asked.writes).filter((call) => !call.endsWith("/auth/tokens")),
        [],
      );
      assert.deepEqual(await scene.databases(), before);
      const { counts } = await project.outputs();
      assert.equal((counts as Record<string, number>)["ready"], 26);
      assert.deepEqual(await scene.sql("tenant-c7-free", "SELECT x FROM notes"), [{ x: "kept" }]);
      const configured = await platform.api.ok<typeof settings>("GET", "/databases/tenant-c4-pro/configuration");
      assert.deepEqual([configured.block_writes, configured.delete_protection], [true, true]);
      const claims = await scene.claims();
      const address = "organization/test-project/dev/tenants";
      assert.ok(claims.includes(`database tenant-c7-free held ${address}/c7`), claims.join("\n"));
      assert.ok(claims.some((claim) => claim.startsWith(`database ${runtime} held ${address}/`)));

      const again = await platform.during(() => project.up());
      assert.deepEqual([again.result.counts, again.asked.all], [{ same: 1 }, []]);
      const second = await runCli(["import", "--out", "more.yaml"], { cwd: folder, env });
      assert.match(second.stdout, /has it/);
      assert.match(second.stderr, /There is no database to import/);

      // What was there before stays when the stack goes.
      await project.destroy();
      assert.deepEqual(await scene.databases(), before);
    });
  });
});

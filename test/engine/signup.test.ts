import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { createTenantry } from "../../sdk/client";
import { withCountedPlatform } from "../support/counted-platform";
import { withProject } from "../support/engine";

const example = path.resolve(__dirname, "..", "..", "examples", "signup");
const names = ["Pulumi.yaml", "package.json", "index.ts", "migrations/0001_notes.sql"];

describe("the example signup", () => {
  it("has its users' databases adopted by a deploy, which loses nothing and is not noticed", async function () {
    this.timeout(200_000);
    const read = async (name: string) => [name, await readFile(path.join(example, name), "utf8")] as const;
    const files = Object.fromEntries(await Promise.all(names.map(read)));
    await withCountedPlatform({}, async (platform) => {
      await platform.api.ok("POST", "/groups", { name: "eu", location: "local" });
      const { url: apiUrl, apiToken: token } = platform;
      const tenantry = createTenantry({
        ...{ platform: "local", apiUrl, token, group: "eu", access: "full-access" },
        ...{ templates: { app: path.join(example, "migrations") }, template: "app" },
      });
      const { database } = await tenantry.provision("ada");
      const db = await tenantry.connect({ subject: "ada" });
      await db.execute("INSERT INTO notes (text) VALUES ('kept')");

      const config = { users: '["ada"]' };
      await withProject({ files, config, name: "tenantry-signup", env: platform.env }, async (project) => {
        const up = await platform.during(() => project.up());
        assert.deepEqual(up.result.counts, { create: 2 });
        assert.equal(up.asked.writes["POST databases"], undefined, "nothing is made");
        assert.deepEqual((await project.outputs())["schemas"], ["0001_notes"]);

        const again = await tenantry.provision("ada");
        assert.deepEqual([again.database, again.created], [database, false]);
        assert.equal((await db.execute("SELECT text FROM notes")).rows[0]?.["text"], "kept");
        await assert.rejects(tenantry.deprovision("ada", { erase: true }), { code: "not-owner" });

        // The next migration reaches it as it does everybody else's.
        await project.write({ "migrations/0002_stars.sql": "ALTER TABLE notes ADD COLUMN stars INTEGER;\n" });
        assert.deepEqual((await project.up()).counts, { update: 2 });
        assert.equal((await db.execute("SELECT stars FROM notes")).rows.length, 1);
        await project.destroy();
      });
      const after = await tenantry.provision("ada");
      assert.deepEqual([after.database, after.created], [database, false]);
    });
  });
});

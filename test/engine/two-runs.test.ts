import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { withProject } from "../support/engine";
import type { Fate } from "../support/faulty-line";
import { errorsOf, isCreateOf, withScene } from "../support/scene";

const program = (names: string[]): string => `
import { DatabaseToken, SchemaTemplate, TenantDatabase } from "tenantry";
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
for (const name of ${JSON.stringify(names)}) {
  new DatabaseToken(name + "-app", { database: new TenantDatabase(name, { group: "eu", schema }) });
}
`;
const migrations = { "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);" };
const more = { "migrations/0002_more.sql": "ALTER TABLE notes ADD COLUMN author TEXT;" };

describe("two at once", function () {
  this.timeout(290_000);

  it("two stacks work in one group at the same time, each on its own", async () => {
    const own = { shop: ["s1", "s2", "s3", "s4"], blog: ["b1", "b2", "b3", "b4"] };
    await withScene({ name: "shop", files: { "index.ts": program(own.shop), ...migrations } }, async (scene) => {
      const { project: shop, tenants, claims, databases } = scene;
      const files = { "index.ts": program(own.blog), ...migrations };
      const env = { ...scene.platform.env };
      await withProject({ name: "blog", files, env }, async (blog) => {
        const both = (command: "up" | "destroy") => Promise.all([shop[command](), blog[command]()]);
        for (const { counts } of await both("up")) assert.deepEqual(counts, { create: 9 });
        assert.deepEqual(await tenants(), [...own.blog, ...own.shop]);
        const held = (project: "shop" | "blog") =>
          own[project].map((name) => `database ${name} held organization/${project}/dev/${name}`);
        assert.deepEqual(await claims(), [...held("blog"), ...held("shop")]);
        // One registry and one template for both.
        assert.equal(Object.keys(await databases()).length, 8 + 2);

        await Promise.all([shop.write(more), blog.write(more)]);
        for (const { counts } of await both("up")) assert.deepEqual(counts, { update: 5, same: 4 });
        for (const name of await tenants()) assert.deepEqual(await scene.sql(name, "SELECT author FROM notes"), []);

        const leaving = blog.destroy();
        await shop.up();
        await leaving;
        assert.deepEqual(await tenants(), own.shop);
        assert.deepEqual(await claims(), held("shop"));
        assert.deepEqual((await shop.preview()).counts, { same: 9 });
      });
    });
  });

  it("a stranger who takes the name between our look and our create keeps it, untouched", async () => {
    await withScene({ files: { "index.ts": program(["acme"]), ...migrations } }, async (scene) => {
      const { project, fault, make, sql, tenants, claims } = scene;
      fault(async (call): Promise<Fate> => {
        if (!isCreateOf(call, "acme")) return "pass";
        await make("acme");
        await sql("acme", "CREATE TABLE strange (x)");
        return "pass";
      });
      const errors = errorsOf(await project.up({ fails: true }));
      assert.match(errors.join(), /a database "acme" exists already and is not this stack's\. Choose another name/);
      fault();
      assert.deepEqual(await claims(), []);
      await project.up({ fails: true });
      await project.refresh();
      await project.destroy();
      assert.deepEqual(await tenants(), ["acme"]);
      assert.deepEqual(await sql("acme", "SELECT name FROM sqlite_schema"), [{ name: "strange" }]);
    });
  });
});

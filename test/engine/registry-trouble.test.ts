import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { registryName } from "../../provider/registry/reserved-names";
import { errorsOf, isCreateOf, tenantUrn, withScene, type Scene } from "../support/scene";

const registry = registryName("eu");
const program = (names: string[], settings = ""): string => `
import { SchemaTemplate, TenantDatabase } from "tenantry";
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
for (const name of ${JSON.stringify(names)}) new TenantDatabase(name, { group: "eu", schema, ${settings} });
`;
const files = { "index.ts": program(["a", "b"]), "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);" };

describe("the registry in trouble", function () {
  this.timeout(290_000);

  /** What goes on without it: an unchanged up, a refresh, a setting, a migration. */
  const goesOn = async ({ project, sql }: Scene, settings: string, migration: number): Promise<void> => {
    assert.deepEqual((await project.up()).counts, { same: 3 });
    await project.refresh();
    const column = `c${migration}`;
    await project.write({
      "index.ts": program(["a", "b"], settings),
      [`migrations/000${migration}_more.sql`]: `ALTER TABLE notes ADD COLUMN ${column} TEXT;`,
    });
    assert.deepEqual((await project.up()).counts, { update: 3 });
    for (const name of ["a", "b"]) assert.deepEqual(await sql(name, `SELECT ${column} FROM notes`), [], name);
  };

  it("blocked: creates and deletes stop and say why, all else goes on", async () => {
    await withScene({ files }, async (scene) => {
      const { project, platform, tenants } = scene;
      await project.up();
      for (const [nth, blocked] of ["writes", "reads"].entries()) {
        const block = (value: boolean) =>
          platform.api.ok("PATCH", `/databases/${registry}/configuration`, { [`block_${blocked}`]: value });
        await block(true);
        const settings = `deletionPolicy: "delete", deleteProtection: ${nth === 0}`;
        await goesOn(scene, settings, nth + 2);
        for (const names of [["a", "b", "c"], ["a"]]) {
          await project.write({ "index.ts": program(names, settings) });
          const errors = errorsOf(await project.up({ fails: true }));
          assert.equal(errors.length, 1);
          const said = `tenantry-registry-eu: .*${blocked} are blocked on this database\\. Lift the block, or check`;
          assert.match(errors[0]!, new RegExp(said));
          assert.deepEqual(await tenants(), ["a", "b"]);
        }
        await block(false);
        await project.write({ "index.ts": program(["a", "b"], settings) });
      }
      await project.write({ "index.ts": program(["a"]) });
      await project.up();
      assert.deepEqual(await tenants(), ["a"]);
    });
  });

  it("deleted: nothing that it knew is deleted or taken; what changes is recorded again", async () => {
    await withScene({ files }, async (scene) => {
      const { project, platform, tenants, claims, sql, fault } = scene;
      const held = (...names: string[]) =>
        names.map((name) => `database ${name} held organization/test-project/dev/${name}`);
      await project.up();
      await sql("a", "INSERT INTO notes (body) VALUES ('of a')");
      await platform.api.ok("DELETE", `/databases/${registry}`);

      // A plan that has no room for another database.
      const plan = { status: 402, text: '{"error":"not for you"}' };
      fault((call) => (isCreateOf(call, registry) ? plan : "pass"));
      await project.write({ "index.ts": program(["a", "b", "c"]) });
      const errors = errorsOf(await project.up({ fails: true }));
      assert.match(
        errors.join(),
        /create database "tenantry-registry-eu" .*not for you \(402\).*Upgrade the plan or free/,
      );
      assert.deepEqual(await tenants(), ["a", "b"]);
      await project.write({ "index.ts": program(["a", "b"]) });
      await sql("a", "DELETE FROM notes");
      await goesOn(scene, "", 2);
      await sql("a", "INSERT INTO notes (body) VALUES ('of a')");
      fault();

      await project.write({ "index.ts": program(["a", "b", "c"]) });
      await project.up();
      assert.deepEqual(await claims(), held("c"));
      await project.write({ "index.ts": program(["b", "c"]) });
      const refused = errorsOf(await project.up({ fails: true }));
      assert.match(
        refused.join(),
        /a: the registry of group "eu" has no record of it, so it was not deleted\. Delete it by hand/,
      );
      assert.deepEqual(await sql("a", "SELECT body FROM notes"), [{ body: "of a" }]);

      await project.write({ "index.ts": program(["a", "b", "c"], "tenant: 'x'") });
      await project.up();
      assert.deepEqual(await claims(), held("a", "b", "c"));
      await project.destroy();
      assert.deepEqual(await tenants(), []);
    });
  });

  it("restored from an old copy: what it has forgotten or has wrong is neither deleted nor taken", async () => {
    await withScene({ files: { ...files, "index.ts": program(["old", "again", "left"]) } }, async (scene) => {
      const { project, tenants, sql } = scene;
      const rows = async (names: string[]) => {
        for (const name of names) assert.deepEqual(await sql(name, "SELECT body FROM notes"), [{ body: name }]);
      };
      await project.up();
      await copyDatabase(scene, registry, "tenantry-backup");
      await project.write({ "index.ts": program(["old", "again", "young"]) });
      await project.up({ args: ["--replace", tenantUrn("again")] });
      for (const name of ["old", "again", "young"]) await sql(name, `INSERT INTO notes VALUES ('${name}')`);
      // A stranger has taken the name that the old copy still says is ours.
      await scene.make("left");
      await sql("left", "CREATE TABLE strange (x)");
      await copyDatabase(scene, "tenantry-backup", registry);

      assert.deepEqual((await project.up()).counts, { same: 4 });
      await project.refresh();
      await project.write({ "index.ts": program(["old", "again", "young", "left"]) });
      const taken = errorsOf(await project.up({ fails: true }));
      assert.match(taken.join(), /a database "left" exists already and is not this stack's/);
      const destroyed = await project.destroy({ fails: true, args: ["--continue-on-error"] });
      const refused = errorsOf(destroyed).join();
      // Of another incarnation it cannot be said whose it is now, so it stays.
      assert.match(refused, /again: .*or its registry is an old copy, so it is not known whether to delete it/);
      assert.match(refused, /young: the registry of group "eu" has no record of it/);
      assert.deepEqual(await tenants(), ["again", "left", "young"]);
      await rows(["again", "young"]);
      assert.deepEqual(await sql("left", "SELECT name FROM sqlite_schema"), [{ name: "strange" }]);

      // Declared again it is found, with its rows.
      await project.write({ "index.ts": program(["again"]) });
      await project.up({ fails: true });
      await rows(["again", "young"]);
    });
  });
});

/** As on Turso, where a restored database is a new one, copied from what there was. */
async function copyDatabase({ platform }: Scene, from: string, to: string): Promise<void> {
  await platform.api("DELETE", `/databases/${to}`);
  const seed = { type: "database", name: from };
  await platform.api.ok("POST", "/databases", { name: to, group: "eu", seed });
}

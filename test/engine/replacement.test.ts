import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { errorsOf, isSqlOf, tenantUrn, withScene } from "../support/scene";

const program = (trigger: number): string => `
import { Group, SchemaTemplate, TenantDatabase } from "tenantry";
const own = new Group("own", { location: "local" });
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
for (const name of ["a", "b"]) new TenantDatabase(name, { group: own, schema });
new TenantDatabase("triggered", { group: own, schema }, { replacementTrigger: ${trigger} });
`;
const names = ["a", "b", "triggered"];
const files = { "index.ts": program(1), "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);" };
const groupUrn = tenantUrn("own").replace("TenantDatabase", "Group");

describe("forced replacements", function () {
  this.timeout(290_000);

  it("keep the live database and its rows, whole, targeted or failing half-way", async () => {
    await withScene({ files }, async ({ project, platform, databases, fault }) => {
      await project.up();
      const first = await databases();
      for (const name of names) await platform.sql("own", name, `INSERT INTO notes VALUES ('${name}')`);
      const intact = async (): Promise<void> => {
        assert.deepEqual(await databases(), first);
        for (const name of names) {
          assert.deepEqual(await platform.sql("own", name, "SELECT body FROM notes"), [{ body: name }], name);
        }
      };
      const replace = (...urns: string[]) => urns.flatMap((urn) => ["--replace", urn]);
      const replaced = (run: { counts: Record<string, number> }) => run.counts["delete-replaced"];

      await project.write({ "index.ts": program(2) });
      assert.equal(replaced(await project.up()), 1);
      await intact();

      // The group, and with it everything that depends on it.
      assert.equal(replaced(await project.up({ args: replace(groupUrn, ...names.map((name) => tenantUrn(name))) })), 4);
      await intact();

      const targeted = await project.up({ args: ["--target", tenantUrn("a"), ...replace(tenantUrn("a"))] });
      assert.equal(replaced(targeted), 1);
      await intact();
      assert.equal(replaced(await project.up({ args: ["--target-replace", tenantUrn("b")] })), 1);
      await intact();

      // Its new life cannot be begun, and the engine goes on to the deletes all the same.
      const tainted = await project.pulumi([
        "state",
        "taint",
        "--yes",
        "--stack",
        "dev",
        tenantUrn("a"),
        tenantUrn("b"),
      ]);
      assert.equal(tainted.code, 0, tainted.output);
      fault((call) => (isSqlOf(call, "a") ? { status: 403, text: '{"error":"not from here"}' } : "pass"));
      const failed = await project.up({ fails: true, args: ["--continue-on-error"] });
      assert.match(errorsOf(failed).join(), /not from here/);
      await intact();
      fault((call) => (isSqlOf(call, "tenantry-registry-own") ? "drop" : "pass"));
      await project.up({ fails: true, args: ["--continue-on-error", ...replace(tenantUrn("b"))] });
      await intact();
      fault();
      await project.up();
      await intact();
      assert.deepEqual((await project.preview()).counts, { same: 5 });

      // The delete of one alone, then of all.
      await project.destroy({ args: ["--target", tenantUrn("a")] });
      const { a: _, ...others } = first;
      assert.deepEqual(await databases(), others);
      await project.destroy();
      assert.deepEqual(await databases(), {});
    });
  });
});

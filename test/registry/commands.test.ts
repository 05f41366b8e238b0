import assert from "node:assert/strict";
import { claimCommand, releaseCommand } from "../../provider/registry/commands";
import { group as groups } from "../../provider/resources/group";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { addressOf, group, tenant, withBench } from "../support/bench";

const blog = "organization/blog/prod";

describe("what refusals say about unclear ownership", () => {
  it("commands can be pasted into a shell, whatever a resource is called", () => {
    const child = "organization/shop/dev/my:app:Shop$it's";
    assert.equal(
      claimCommand({ kind: "database", name: "acme" }, child),
      `npx tenantry registry claim acme --as 'organization/shop/dev/my:app:Shop$it'\\''s'`,
    );
    assert.equal(
      releaseCommand({ kind: "group", name: "eu" }, "--yes"),
      "npx tenantry registry release eu --kind group --yes",
    );
  });

  it("a create and a delete name the command that would make the database theirs", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const made = await tenantDatabase.create({ inputs: tenant("acme"), context });
      const theirs = tenant("acme", { self: addressOf("a", blog) });
      await assert.rejects(tenantDatabase.create({ inputs: theirs, context: bench.context() }), {
        message:
          /`npx tenantry registry claim acme --as organization\/blog\/prod\/a --stack organization\/shop\/dev`, then `pulumi up`/,
      });
      const taken = { ...theirs, adopt: "force" } as const;
      await tenantDatabase.create({ inputs: taken, context: bench.context() });
      const back = /`npx tenantry registry claim acme --as organization\/shop\/dev\/acme --force`/;
      const removal = tenantDatabase.delete({ id: made.id, outputs: made.outputs, context: bench.context() });
      await assert.rejects(removal, { code: "not-owner", message: back });
      const news = { ...tenant("acme"), tenant: "42" };
      const update = tenantDatabase.update({ id: made.id, olds: made.outputs, news, context: bench.context() });
      await assert.rejects(update, { message: back });
    });
  });

  it("a group's delete names `orphans` only where claims are the reason", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const made = await groups.create({ inputs: group("eu"), context });
      const removal = { id: made.id, outputs: made.outputs };
      await bench.api.ok("POST", "/databases", { name: "by-hand", group: "eu" });
      await assert.rejects(groups.delete({ ...removal, context: bench.context() }), (error: Error) => {
        assert.match(error.message, /still holds databases .*\(by-hand\)/);
        assert.doesNotMatch(error.message, /orphans/);
        return true;
      });
      await tenantDatabase.create({ inputs: tenant("acme"), context });
      await assert.rejects(groups.delete({ ...removal, context: bench.context() }), {
        message: /`npx tenantry registry orphans --group eu` shows whose they are/,
      });
    });
  });
});

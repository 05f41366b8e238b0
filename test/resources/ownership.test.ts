import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { TenantryError } from "../../provider/platform/errors";
import type { Platform } from "../../provider/platform/platform";
import type { Registry } from "../../provider/registry/registry";
import { Unfinished } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { addressOf, tenant, withBench } from "../support/bench";

const create = async (inputs: ReturnType<typeof tenant>, context: Context) =>
  tenantDatabase.create({ inputs, context });

/** The same context with some of the platform's methods, or of the registry's, going wrong. */
function disturbed(context: Context, platform: Partial<Platform>, registry: Partial<Registry> = {}): Context {
  return {
    ...context,
    knownScope: undefined,
    platform: { ...context.platform, ...platform },
    registry: async (group, stack) => ({ ...(await context.registry(group, stack)), ...registry }),
  };
}

const down = async (): Promise<never> => {
  throw new TenantryError("unreachable", "connection refused.");
};

async function unfinished(work: Promise<unknown>): Promise<Unfinished<TenantDatabaseOutputs>> {
  const error = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Unfinished, String(error));
  return error as Unfinished<TenantDatabaseOutputs>;
}

describe("who owns a tenant's database", () => {
  it("is found through an alias when a renamed resource is replaced by force at the same time", async () => {
    await withBench(async (bench) => {
      const first = await create(tenant("old", { nameIsDefault: true }), bench.context());
      await bench.sql("old", "CREATE TABLE notes (x)");
      const inputs = tenant("new", { nameIsDefault: true, formerly: [addressOf("old")] });
      const context = bench.context();
      const second = await create(inputs, context);
      assert.equal(second.outputs.name, "old");
      assert.match((await tenantDatabase.delete({ ...first, context })) ?? "", /^old: kept/);
      assert.deepEqual(await bench.databases(), ["old"]);
      assert.deepEqual(await bench.sql("old", "SELECT * FROM notes"), []);
    });
  });

  it("stays with a resource that was renamed in the state, though a new one under its old name is created first", async () => {
    for (const name of ["old", "another"]) {
      await withBench(async (bench) => {
        const { id, outputs } = await create(tenant("old", { nameIsDefault: true }), bench.context());
        const context = bench.context();
        const news = { ...tenant("old", { nameIsDefault: true }), self: addressOf("renamed") };
        assert.equal((await tenantDatabase.diff({ id, olds: outputs, news, context })).changes, true);
        const made = create({ ...tenant(name, { nameIsDefault: true }), self: addressOf("old") }, context);
        if (name === "old")
          await assert.rejects(made, { code: "not-owner", message: /belongs to organization.shop.dev.renamed/ });
        else assert.equal((await made).outputs.name, name);
        const updated = await tenantDatabase.update({ id, olds: outputs, news, context });
        assert.equal(updated.incarnation, outputs.incarnation);
        const owners = (await bench.claims()).map((claim) => [claim.name, claim.address]);
        assert.deepEqual(
          owners.sort(),
          [["old", addressOf("renamed")], ...(name === "old" ? [] : [[name, addressOf("old")]])].sort(),
        );
        await tenantDatabase.delete({ id, outputs: updated, context: bench.context() });
        assert.equal((await bench.databases()).includes("old"), false);
      });
    }
  });

  it("is the one resource that two processes at once give its default name", async () => {
    await withBench(async (bench) => {
      const first = await create(tenant("old", { nameIsDefault: true }), bench.context());
      const renamed = tenant("new", { nameIsDefault: true, formerly: [addressOf("old")] });
      const contexts = [bench.context(), bench.context()];
      const both = await Promise.allSettled(contexts.map((context) => create(renamed, context)));
      const made = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      assert.ok(made.length > 0);
      for (const { id, outputs } of made) assert.deepEqual([id, outputs.name], [first.id, "old"]);
      for (const one of both) if (one.status === "rejected") assert.equal(one.reason.code, "superseded");
      assert.deepEqual(await bench.databases(), ["old"]);
      const [claim, ...others] = await bench.claims();
      assert.deepEqual([claim!.name, claim!.owner, others], ["old", first.id, []]);
      assert.ok(made.some(({ outputs }) => outputs.incarnation === claim!.incarnation));
    });
  });

  it("is recorded as moved only once the registry has it, or a later forced replacement would miss it", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await create(tenant("acme", { nameIsDefault: true, tenant: "1" }), bench.context());
      const news = { ...tenant("acme", { nameIsDefault: true, tenant: "2" }), self: addressOf("renamed") };
      const context = disturbed(bench.context(), {}, { amend: down });
      const error = await unfinished(tenantDatabase.update({ id, olds: outputs, news, context }));
      assert.equal(error.outputs.self, addressOf("acme"));
      assert.equal(error.outputs.tenant, "1");
      const again = bench.context();
      assert.equal((await tenantDatabase.diff({ id, olds: error.outputs, news, context: again })).changes, true);
      await tenantDatabase.update({ id, olds: error.outputs, news, context: again });
      assert.deepEqual(
        (await bench.claims()).map((claim) => claim.address),
        [addressOf("renamed")],
      );
    });
  });

  it("is recorded again by an update where a lost registry has forgotten it", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await create(tenant("acme"), bench.context());
      await bench.sql("tenantry-registry-eu", "DELETE FROM claims");
      const news = tenant("acme", { tenant: "2" });
      const context = bench.context();
      const updated = await tenantDatabase.update({ id, olds: outputs, news, context });
      const [claim] = await bench.claims();
      assert.deepEqual([claim!.owner, claim!.incarnation, claim!.state], [id, outputs.incarnation, "held"]);
      await tenantDatabase.delete({ id, outputs: updated, context });
      assert.deepEqual(await bench.databases(), []);
    });
  });

  it("is not somebody who left an intent for the name in another group", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      const inputs = tenant("acme", { group: "us" });
      await assert.rejects(create(inputs, disturbed(bench.context(), { createDatabase: down })));
      assert.equal((await bench.claims("us"))[0]!.state, "open");
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      await assert.rejects(create(inputs, bench.context()), { code: "already-exists", message: /in group "eu"/ });
    });
  });

  it("is still known when a lost reply is followed by the platform not showing the database yet", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const createDatabase: Platform["createDatabase"] = async (spec) => {
        const made = await context.platform.createDatabase(spec);
        if (spec.name !== "acme") return made;
        throw new TenantryError("already-exists", "taken.", { afterLostReply: true });
      };
      const getDatabase: Platform["getDatabase"] = async (name) =>
        name === "acme" ? undefined : context.platform.getDatabase(name);
      await assert.rejects(create(tenant("acme"), disturbed(context, { createDatabase, getDatabase })));
      const { outputs } = await create(tenant("acme"), bench.context());
      assert.equal(outputs.databaseId, await bench.databaseId("acme"));
      assert.equal(outputs.adopted, undefined);
    });
  }).timeout(30_000);

  it("is still known when a run dies right after making anew what was deleted by hand", async () => {
    for (const refreshed of [true, false]) {
      await withBench(async (bench) => {
        const { id, outputs } = await create(tenant("acme"), bench.context());
        await bench.api.ok("DELETE", "/databases/acme");
        if (refreshed) await tenantDatabase.read({ id, outputs, context: bench.context() });
        await assert.rejects(create(tenant("acme"), disturbed(bench.context(), {}, { hold: down })));
        assert.deepEqual(await bench.databases(), ["acme"]);
        const again = await create(tenant("acme"), bench.context());
        assert.equal(again.outputs.databaseId, await bench.databaseId("acme"));
        await tenantDatabase.delete({ ...again, context: bench.context() });
        assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
      });
    }
  });

  it("stays the old state's when a forced replacement fails before it holds the database", async () => {
    await withBench(async (bench) => {
      const first = await create(tenant("acme"), bench.context());
      await assert.rejects(create(tenant("acme"), disturbed(bench.context(), {}, { hold: down })));
      await tenantDatabase.delete({ ...first, context: bench.context() });
      assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
    });
  });

  it("has nothing to do for a tenant that is over, whatever else changes", async () => {
    await withBench(async (bench) => {
      const { ref } = await bench.template({ "0001_notes.sql": "CREATE TABLE notes (x);" });
      const inputs = tenant("acme", { schema: ref, expiresAt: "2020-01-01T00:00:00Z" });
      const { id, outputs } = await create(inputs, bench.context());
      await bench.api.ok("DELETE", "/databases/acme");
      const context = bench.context();
      const over = (await tenantDatabase.read({ id, outputs, context }))!;
      assert.equal(over.status, "expired");
      const { ref: next } = await bench.template({
        "0001_notes.sql": "CREATE TABLE notes (x);",
        "0002_more.sql": "CREATE TABLE more (x);",
      });
      const news = { ...inputs, schema: next };
      const { changes, note } = await tenantDatabase.diff({ id, olds: over, news, context });
      assert.equal(changes, false);
      assert.match(note ?? "", /expired at 2020/);
    });
  });
});

import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { Unfinished } from "../../provider/resources/handler";
import { respond } from "../../provider/response";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { addressOf, tenant, withBench } from "../support/bench";

const elsewhere = "organization/blog/prod";
const create = (inputs: TenantDatabaseInputs, context: Context) => tenantDatabase.create({ inputs, context });
type Made = { id: string; outputs: TenantDatabaseOutputs };
const remove = async ({ id, outputs }: Made, context: Context) => tenantDatabase.delete({ id, outputs, context });
const changes = async ({ id, outputs }: Made, news: TenantDatabaseInputs, context: Context) =>
  (await tenantDatabase.diff({ id, olds: outputs, news, context })).changes;

describe("TenantDatabase", () => {
  it("is created, read, changed in place, and deleted", async () => {
    await withBench(async (bench) => {
      const inputs = tenant("acme", { tenant: "42", blockWrites: true, allowedIps: ["10.0.0.0/8"] });
      const made = await create(inputs, bench.context());
      assert.equal(await changes(made, inputs, bench.context()), false);
      assert.deepEqual(
        respond((await tenantDatabase.read({ ...made, context: bench.context() }))!),
        respond(made.outputs),
      );
      assert.equal(made.outputs.url, bench.platform.databaseUrl("acme"));

      await bench.api.ok("PATCH", "/databases/acme/configuration", { block_writes: false, block_reads: true });
      const seen = (await tenantDatabase.read({ ...made, context: bench.context() }))!;
      assert.deepEqual([seen.blockWrites, seen.blockReads], [false, undefined]);
      assert.equal(await changes({ ...made, outputs: seen }, inputs, bench.context()), true);

      const news = tenant("acme", { tenant: "43" });
      assert.equal(await changes(made, news, bench.context()), true);
      const olds = await tenantDatabase.update({ id: made.id, olds: made.outputs, news, context: bench.context() });
      assert.deepEqual(await bench.api.ok("GET", "/databases/acme/configuration"), {
        ...(await bench.api.ok<object>("GET", "/databases/acme/configuration")),
        ...{ block_writes: false, block_reads: true, allowed_ips: [] },
      });
      assert.equal((await bench.claims())[0]!.tenant, "43");
      assert.equal(await changes({ id: made.id, outputs: olds }, news, bench.context()), false);

      await remove({ id: made.id, outputs: olds }, bench.context());
      assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
      await remove({ id: made.id, outputs: olds }, bench.context());
    });
  });

  it("refuses a stranger's database, leaves it as it is, and leaves no intent", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      for (let i = 0; i < 2; i++) {
        await assert.rejects(create(tenant("acme"), bench.context()), {
          code: "already-exists",
          message: /exists already and is not this stack's.*adopt: "unowned"/,
        });
      }
      assert.deepEqual([await bench.databases(), await bench.claims()], [["acme"], []]);
    });
  });

  it("leaves no intent on a stranger's database after dying between intent and refusal", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      const { context } = await bench.contextOn(({ body }) => (body.includes("INSERT INTO claims") ? "die" : "pass"));
      await assert.rejects(create(tenant("acme"), context));
      assert.equal((await bench.claims()).length, 1);
      await assert.rejects(create(tenant("acme"), bench.context()), { code: "already-exists" });
      assert.deepEqual(await bench.claims(), []);
    });
  });

  it("refuses a database of that name in another group", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      await bench.api.ok("POST", "/databases", { name: "acme", group: "us" });
      const refusal = { code: "already-exists", message: /in group "us" instead of "eu"/ };
      await assert.rejects(create(tenant("acme", { adopt: "force" }), bench.context()), refusal);
      assert.deepEqual(await bench.claims(), []);
    });
  });

  it("adopts an unowned database as it is, keeps what is not declared, and retains it", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      await bench.api.ok("PATCH", "/databases/acme/configuration", { block_writes: true, allowed_ips: ["10.1.2.3"] });
      const inputs = tenant("acme", { adopt: "unowned", deleteProtection: true });
      const before = await bench.databaseId("acme");
      const made = await create(inputs, bench.context());
      assert.equal(made.outputs.databaseId, before);
      assert.equal(made.outputs.adopted, true);
      assert.equal(await changes(made, inputs, bench.context()), false);
      const { block_writes, delete_protection, allowed_ips } = await bench.api.ok(
        "GET",
        "/databases/acme/configuration",
      );
      assert.deepEqual([block_writes, delete_protection, allowed_ips], [true, true, ["10.1.2.3"]]);
      // Made known again (a forced replacement) it stays adopted.
      const again = await create(inputs, bench.context());
      assert.deepEqual([again.id, again.outputs.adopted], [made.id, true]);
      await remove(again, bench.context());
      assert.deepEqual([await bench.databases(), await bench.claims()], [["acme"], []]);
    });
  });

  it("does not adopt another stack's database unless forced, and the old owner then leaves it alone", async () => {
    await withBench(async (bench) => {
      const theirs = await create(tenant("acme", { self: addressOf("acme", elsewhere) }), bench.context());
      for (const adopt of ["never", "unowned"] as const) {
        await assert.rejects(create(tenant("acme", { adopt }), bench.context()), {
          code: "not-owner",
          message: /belongs to organization\/blog\/prod\/acme/,
        });
      }
      const ours = await create(tenant("acme", { adopt: "force" }), bench.context());
      assert.notEqual(ours.id, theirs.id);
      assert.equal(ours.outputs.databaseId, theirs.outputs.databaseId);
      await assert.rejects(remove(theirs, bench.context()), { code: "not-owner" });
      assert.deepEqual(await bench.databases(), ["acme"]);
      await remove(ours, bench.context());
      assert.deepEqual([await bench.databases(), await bench.claims()], [["acme"], []]);
    });
  });

  it("survives a forced replacement: create finds its own, the delete of the old one a newer incarnation", async () => {
    await withBench(async (bench) => {
      const first = await create(tenant("acme"), bench.context());
      await bench.sql("acme", "CREATE TABLE kept (x)");
      const context = bench.context();
      const second = await create(tenant("acme"), context);
      assert.deepEqual([second.id, second.outputs.databaseId], [first.id, first.outputs.databaseId]);
      await remove(first, context);
      assert.equal((await bench.sql("acme", "SELECT name FROM sqlite_schema")).length, 1);
      await remove(second, bench.context());
      assert.deepEqual(await bench.databases(), []);
    });
  });

  it("does not delete what was made anew under its name", async () => {
    await withBench(async (bench) => {
      const made = await create(tenant("acme"), bench.context());
      await bench.api.ok("DELETE", "/databases/acme");
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      await remove(made, bench.context());
      assert.deepEqual([await bench.databases(), await bench.claims()], [["acme"], []]);
    });
  });

  it("does not delete what the registry does not know, nor when the registry cannot be read", async () => {
    await withBench(async (bench) => {
      const made = await create(tenant("acme"), bench.context());
      const { context } = await bench.contextOn(({ path }) => (path.includes("tenantry-registry") ? "die" : "pass"));
      await assert.rejects(remove(made, context));
      assert.deepEqual(await bench.databases(), ["acme"]);
      await bench.api.ok("DELETE", "/databases/tenantry-registry-eu");
      await assert.rejects(remove(made, bench.context()), { code: "not-owner", message: /has no record of it/ });
      assert.deepEqual(await bench.databases(), ["acme"]);
    });
  });

  it("keeps a default name when the resource is renamed, also through a forced replacement", async () => {
    await withBench(async (bench) => {
      const made = await create(tenant("acme", { nameIsDefault: true }), bench.context());
      const renamed = tenant("acme", {
        self: addressOf("customer"),
        formerly: [addressOf("acme")],
        nameIsDefault: true,
      });
      assert.equal(await changes(made, renamed, bench.context()), true);
      const olds = await tenantDatabase.update({
        id: made.id,
        olds: made.outputs,
        news: renamed,
        context: bench.context(),
      });
      assert.equal(await changes({ id: made.id, outputs: olds }, renamed, bench.context()), false);
      // The replacement is asked for with the default name of the new resource name.
      const forced = tenant("customer", { nameIsDefault: true });
      const context = bench.context();
      const again = await create(forced, context);
      assert.deepEqual([again.id, again.outputs.name], [made.id, "acme"]);
      await remove({ id: made.id, outputs: olds }, context);
      assert.deepEqual(await bench.databases(), ["acme"]);
    });
  });

  for (const policy of ["retain", "delete"] as const) {
    it(`obeys the policy that is in state: ${policy}`, async () => {
      await withBench(async (bench) => {
        const made = await create(tenant("acme"), bench.context());
        const news = tenant("acme", { deletionPolicy: policy });
        const outputs = await tenantDatabase.update({
          id: made.id,
          olds: made.outputs,
          news,
          context: bench.context(),
        });
        await remove({ id: made.id, outputs }, bench.context());
        assert.deepEqual(await bench.databases(), policy === "retain" ? ["acme"] : []);
        assert.deepEqual(await bench.claims(), []);
      });
    });
  }

  it("is not deleted while it is protected, and is held as before", async () => {
    await withBench(async (bench) => {
      const made = await create(tenant("acme", { deleteProtection: true }), bench.context());
      await assert.rejects(remove(made, bench.context()), { code: "protected" });
      assert.deepEqual(
        (await bench.claims()).map(({ state }) => state),
        ["held"],
      );
    });
  });

  it("reads as expired once its time is over and it is gone, and is not created anew", async () => {
    await withBench(async (bench) => {
      const inputs = tenant("acme", { expiresAt: "2020-01-01T00:00:00Z" });
      const made = await create(inputs, bench.context());
      assert.equal((await tenantDatabase.read({ ...made, context: bench.context() }))!.status, "ready");
      await bench.api.ok("DELETE", "/databases/acme");
      const outputs = (await tenantDatabase.read({ ...made, context: bench.context() }))!;
      assert.equal(outputs.status, "expired");
      assert.equal(await changes({ id: made.id, outputs }, inputs, bench.context()), false);
      const update = tenantDatabase.update({
        ...{ id: made.id, olds: outputs, news: tenant("acme", { blockWrites: true }) },
        context: bench.context(),
      });
      await assert.rejects(update, { code: "expired" });
      await remove({ id: made.id, outputs }, bench.context());
      assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
    });
  });

  it("fixes a lifetime when it is first seen", async () => {
    await withBench(async (bench) => {
      const inputs = tenant("acme", { expiresIn: "2d" });
      const made = await create(inputs, bench.context());
      const { expiresAt } = made.outputs;
      assert.ok(Math.abs(Date.parse(expiresAt!) - Date.now() - 172_800_000) < 60_000);
      assert.equal(await changes(made, inputs, bench.context()), false);
      const news = tenant("acme", { expiresIn: "2d", tenant: "42" });
      const kept = await tenantDatabase.update({ id: made.id, olds: made.outputs, news, context: bench.context() });
      assert.equal(kept.expiresAt, expiresAt);
      assert.equal((await bench.claims())[0]!.expiresAt, expiresAt);
      const longer = tenant("acme", { expiresIn: "3d", tenant: "42" });
      const moved = await tenantDatabase.update({ id: made.id, olds: kept, news: longer, context: bench.context() });
      assert.ok(Date.parse(moved.expiresAt!) > Date.parse(expiresAt!));
    });
  });

  it("says that state of another place is not worked on, with both names", async () => {
    await withBench(async (bench) => {
      const made = await create(tenant("acme"), bench.context());
      await withBench(async (other) => {
        const refusal = { code: "wrong-scope", message: new RegExp(`${bench.platform.id}.*${other.platform.id}`) };
        await assert.rejects(tenantDatabase.read({ ...made, context: other.context() }), refusal);
        await assert.rejects(remove(made, other.context()), refusal);
        const context = other.context();
        const update = { id: made.id, olds: made.outputs, news: tenant("acme"), context };
        await assert.rejects(tenantDatabase.update(update), refusal);
        await assert.rejects(async () => tenantDatabase.diff(update), refusal);
        assert.deepEqual(await other.databases(true), []);
      });
    });
  });

  it("names the groups there are when the group is not there, and makes nothing", async () => {
    await withBench(async (bench) => {
      await assert.rejects(create(tenant("acme", { group: "europe" }), bench.context()), {
        code: "group-not-found",
        message: /there is no group "europe".*There is "eu"/,
      });
      assert.deepEqual(await bench.databases(true), []);
    });
  });

  it("goes on from what is observed when it was deleted or made anew behind its back", async () => {
    await withBench(async (bench) => {
      const made = await create(tenant("acme"), bench.context());
      await bench.api.ok("DELETE", "/databases/acme");
      const news = tenant("acme", { blockWrites: true });
      const update = async () =>
        tenantDatabase.update({ id: made.id, olds: made.outputs, news, context: bench.context() });
      await assert.rejects(
        update,
        (error) => error instanceof Unfinished && /is not on the platform any more/.test(error.message),
      );
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      await assert.rejects(
        update,
        (error) => error instanceof Unfinished && /made again by somebody else/.test(error.message),
      );
      assert.equal((await bench.api.ok("GET", "/databases/acme/configuration"))["block_writes"], false);
      assert.equal(await tenantDatabase.read({ ...made, context: bench.context() }), undefined);
    });
  });
});

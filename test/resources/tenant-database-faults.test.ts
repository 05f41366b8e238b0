import assert from "node:assert/strict";
import { Unfinished } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, addressOf, stack, tenant, withBench } from "../support/bench";
import { type Fate, atEveryWrite } from "../support/faulty-line";

const migrations = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };

/** What the engine would have in state after this create, if anything. */
async function attempt(work: Promise<{ id: string; outputs: TenantDatabaseOutputs }>) {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Unfinished) return { id: error.id, outputs: error.outputs as TenantDatabaseOutputs };
    return undefined;
  }
}

/** One database, its claim held by the resource and nothing else begun. */
async function assertOurs(bench: Bench, name: string, id: string, outputs: TenantDatabaseOutputs): Promise<void> {
  assert.deepEqual(await bench.databases(), [name]);
  assert.equal(outputs.databaseId, await bench.databaseId(name));
  const claims = await bench.claims();
  assert.deepEqual(
    claims.map(({ kind, state, owner, incarnation, databaseId, adopted }) => ({
      ...{ kind, state, owner, incarnation, databaseId, adopted },
    })),
    [
      {
        ...{ kind: "database", state: "held", owner: id, incarnation: outputs.incarnation },
        ...{ databaseId: outputs.databaseId, adopted: false },
      },
    ],
  );
}

describe("TenantDatabase under fault", function () {
  for (const fate of ["lose", "die"] as const) {
    it(`${fate === "lose" ? "survives every lost reply" : "goes on after a death"} in create`, async function () {
      this.timeout(60_000);
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          const { ref } = await bench.template(migrations);
          const inputs = tenant("acme", { schema: ref, deleteProtection: false, blockWrites: false });
          const decide = ({ write }: { write: number | undefined }): Fate => (write === n ? fate : "pass");
          const { context, line } = await bench.contextOn(decide);
          const first = await attempt(tenantDatabase.create({ inputs, context }));
          writes = line.calls.filter(({ write }) => write !== undefined).length;
          const made = (await bench.databases()).includes("acme");
          let before: string | undefined;
          if (made) {
            before = await bench.databaseId("acme");
            await bench.sql("acme", "CREATE TABLE IF NOT EXISTS mine (x)");
            await bench.sql("acme", "INSERT INTO mine VALUES (1)");
          }
          const again = first?.outputs.status === "ready" && first.outputs.schemaVersion ? first : undefined;
          const { id, outputs } =
            again ?? (await tenantDatabase.create({ inputs, context: fate === "lose" ? context : bench.context() }));
          await assertOurs(bench, "acme", id, outputs);
          assert.equal(outputs.schemaVersion, "0001_notes");
          if (before) {
            assert.equal(outputs.databaseId, before, `write ${n}`);
            assert.equal((await bench.sql("acme", "SELECT * FROM mine")).length, 1);
          }
          assert.deepEqual(await bench.sql("acme", "SELECT id FROM _tenantry_migrations"), [{ id: "0001_notes" }]);
          await tenantDatabase.delete({ id, outputs, context: bench.context() });
          assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
        });
        return writes;
      });
    });

    it(`${fate === "lose" ? "survives every lost reply" : "goes on after a death"} in delete`, async function () {
      this.timeout(60_000);
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          const { id, outputs } = await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
          await tenantDatabase.create({ inputs: tenant("other"), context: bench.context() });
          const decide = ({ write }: { write: number | undefined }): Fate => (write === n ? fate : "pass");
          const { context, line } = await bench.contextOn(decide);
          await Promise.resolve(tenantDatabase.delete({ id, outputs, context })).catch(() => undefined);
          writes = line.calls.filter(({ write }) => write !== undefined).length;
          await tenantDatabase.delete({ id, outputs, context: bench.context() });
          assert.deepEqual(await bench.databases(), ["other"]);
          assert.deepEqual(
            (await bench.claims()).map(({ name, state }) => [name, state]),
            [["other", "held"]],
          );
        });
        return writes;
      });
    });
  }

  it("makes it anew when a delete died and the tenant is declared again", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
      const { context } = await bench.contextOn(({ method }) => (method === "DELETE" ? "die" : "pass"));
      await assert.rejects(Promise.resolve(tenantDatabase.delete({ id, outputs, context })));
      const again = await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
      assert.notEqual(again.outputs.databaseId, outputs.databaseId);
      await assertOurs(bench, "acme", again.id, again.outputs);
      // The engine may still hold the old one, pending deletion.
      await tenantDatabase.delete({ id, outputs, context: bench.context() });
      assert.deepEqual(await bench.databases(), ["acme"]);
    });
  });

  for (const [room, without] of [
    [0, "its registry"],
    [1, "the tenant beside its registry"],
  ] as const) {
    it(`a plan without room for ${without} refuses the tenant, and one with room goes on`, async () => {
      await withBench(
        async (bench) => {
          const others = Array.from({ length: 100 - room }, (_, i) => `other-${i}`);
          await Promise.all(others.map((name) => bench.api.ok("POST", "/databases", { name, group: "eu" })));
          const create = () => tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
          for (const _ of ["once", "and again"])
            await assert.rejects(Promise.resolve(create()), { code: "plan-refused", message: /100 databases/ });
          assert.equal((await bench.databases(true)).length, 100);
          for (const name of others) await bench.api.ok("DELETE", `/databases/${name}`);
          const { id, outputs } = await create();
          await assertOurs(bench, "acme", id, outputs);
        },
        { plan: "free" },
      );
    });
  }

  it("lets exactly one of two stacks have a name", async () => {
    await withBench(async (bench) => {
      const attempts = await Promise.allSettled(
        ["organization/shop/dev", "organization/shop/prod"].map((of) =>
          tenantDatabase.create({ inputs: tenant("acme", { self: addressOf("acme", of) }), context: bench.context() }),
        ),
      );
      const [won] = attempts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      const [lost] = attempts.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
      assert.ok(won && lost, JSON.stringify(attempts));
      assert.match(lost.message, /belongs to organization\/shop\/(?:dev|prod)\/acme/);
      assert.equal(lost.code, "not-owner");
      await assertOurs(bench, "acme", won.id, won.outputs);
    });
  });

  it("stops an older run of the same stack once a newer one has begun to write", async () => {
    await withBench(async (bench) => {
      const [older, newer] = [bench.context(), bench.context()];
      await tenantDatabase.create({ inputs: tenant("a"), context: older });
      await tenantDatabase.create({ inputs: tenant("b"), context: newer });
      await assert.rejects(tenantDatabase.create({ inputs: tenant("c"), context: older }), { code: "superseded" });
      assert.deepEqual(await bench.databases(), ["a", "b"]);
      // Another stack's run is no newer run of this one.
      const other = bench.context();
      await tenantDatabase.create({
        inputs: tenant("d", { self: addressOf("d", "organization/blog/dev") }),
        context: other,
      });
      await tenantDatabase.create({ inputs: tenant("c"), context: newer });
    });
  });

  it("gives two runs of one resource a single database", async () => {
    await withBench(async (bench) => {
      const results = await Promise.allSettled(
        [bench.context(), bench.context()].map((context) => tenantDatabase.create({ inputs: tenant("acme"), context })),
      );
      assert.ok(results.some((one) => one.status === "fulfilled"));
      assert.deepEqual(await bench.databases(), ["acme"]);
      const { id, outputs } = await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
      await assertOurs(bench, "acme", id, outputs);
    });
  });

  it("makes one registry and numbers one run when many tenants come first at once", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      // A refresh in the same process has found no registry before.
      assert.equal(await context.existingRegistry("eu", stack), undefined);
      await Promise.all(
        Array.from({ length: 12 }, (_, i) => tenantDatabase.create({ inputs: tenant(`t${i}`), context })),
      );
      assert.equal((await bench.databases()).length, 12);
      assert.equal((await bench.claims()).filter(({ state }) => state === "held").length, 12);
    });
  });
});

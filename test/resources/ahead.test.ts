import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Context } from "../../provider/context";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { type Bench, addressOf, tenant, withBench } from "../support/bench";

const create = (context: Context, inputs: TenantDatabaseInputs) => tenantDatabase.create({ inputs, context });

/** As the runtime does for each new resource that check lets pass, behind a first create; their intents are written. */
async function expectBehind(first: string, tenants: readonly TenantDatabaseInputs[], context: Context): Promise<void> {
  await create(context, tenant(first));
  for (const inputs of tenants) tenantDatabase.expect!({ inputs, context });
  // A claim that is asked for now travels with them.
  await create(context, tenant(`${first}-2`));
}

const statesOf = async (bench: Bench): Promise<string[]> =>
  (await bench.claims()).map(({ name, state, address }) => `${name} ${state} ${address.split("/").at(-1)}`);

const created = ["a held a", "a-2 held a-2"];
const tenants = ["b", "c", "d"].map((name) => tenant(name));

describe("intents written ahead", () => {
  it("are used by the creates that they were written for", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      await expectBehind("a", tenants, context);
      assert.deepEqual(await statesOf(bench), [...created, "b open b", "c open c", "d open d"]);
      const intents = (await bench.claims()).slice(2);
      const made: Awaited<ReturnType<typeof create>>[] = [];
      for (const inputs of tenants) made.push(await create(context, inputs));
      const claims = (await bench.claims()).slice(2);
      assert.deepEqual(
        claims,
        intents.map((intent, i) => ({ ...intent, state: "held", databaseId: made[i]!.outputs.databaseId })),
      );
      assert.deepEqual(
        made.map(({ id }) => id),
        claims.map(({ owner }) => owner),
      );
      assert.deepEqual(await bench.databases(), ["a", "a-2", "b", "c", "d"]);
    });
  });

  it("are not written in a preview, which creates nothing", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      for (const inputs of tenants) tenantDatabase.expect!({ inputs, context });
      await create(bench.context(), tenant("a"));
      assert.deepEqual(await statesOf(bench), ["a held a"]);
    });
  });

  it("are taken back when a create fails", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      await bench.api.ok("POST", "/databases", { name: "taken", group: "eu" });
      await expectBehind("a", tenants, context);
      await assert.rejects(create(context, tenant("taken")), { code: "already-exists" });
      assert.deepEqual(await statesOf(bench), created);
      for (const inputs of tenants) tenantDatabase.expect!({ inputs, context });
      // With --continue-on-error the engine goes on.
      await create(context, tenants[0]!);
      assert.deepEqual(await statesOf(bench), [...created, "b held b"]);
      for (const inputs of tenants.slice(1)) await create(context, inputs);
      assert.deepEqual(await statesOf(bench), [...created, "b held b", "c held c", "d held d"]);
    });
  });

  it("leave alone what somebody has, by name or by address", async () => {
    await withBench(async (bench) => {
      const theirs = tenant("b", { self: addressOf("other") });
      const moved = tenant("old-name", { self: addressOf("c") });
      for (const inputs of [theirs, moved]) await create(bench.context(), inputs);
      const before = await bench.claims();
      const context = bench.context();
      await expectBehind("a", tenants, context);
      assert.deepEqual(await statesOf(bench), [...created, "b held other", "d open d", "old-name held c"]);
      const kept = (await bench.claims()).filter(({ name }) => name === "b" || name === "old-name");
      assert.deepEqual(kept, before);
      await assert.rejects(create(context, tenant("b")), { code: "not-owner" });
      // "c" asks in its turn, as it would have without.
      const { outputs } = await create(context, tenant("c", { nameIsDefault: true }));
      assert.equal(outputs.name, "c");
    });
  });

  it("make nobody's database ours that came in between", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      await expectBehind("a", tenants, context);
      await bench.api.ok("POST", "/databases", { name: "b", group: "eu" });
      await bench.sql("b", "CREATE TABLE theirs (x)");
      await assert.rejects(create(context, tenants[0]!), { code: "already-exists" });
      assert.deepEqual(await statesOf(bench), created);
      assert.deepEqual(await bench.databases(), ["a", "a-2", "b"]);
    });
  });

  it("are taken over by the next run where one was killed", async () => {
    await withBench(async (bench) => {
      await expectBehind("a", tenants, bench.context());
      const context = bench.context();
      for (const inputs of tenants) await create(context, inputs);
      assert.deepEqual(await statesOf(bench), [...created, "b held b", "c held c", "d held d"]);
    });
  });

  it("are never written for what takes over or ends, which is asked in its turn", async () => {
    await withBench(async (bench) => {
      const later = [tenant("b", { adopt: "unowned" }), tenant("c", { expiresIn: "1d" })];
      await expectBehind("a", later, bench.context());
      assert.deepEqual(await statesOf(bench), created);
    });
  });
});

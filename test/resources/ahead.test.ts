import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Context } from "../../provider/context";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { type Bench, addressOf, tenant, withBench } from "../support/bench";

/** As the runtime does for each new resource, before the engine begins the first create. */
const expectAll = (context: Context, tenants: readonly TenantDatabaseInputs[]): void =>
  tenants.forEach((inputs) => tenantDatabase.expect!({ inputs, context }));

const create = (context: Context, inputs: TenantDatabaseInputs) => tenantDatabase.create({ inputs, context });

const statesOf = async (bench: Bench): Promise<string[]> =>
  (await bench.claims()).map(({ name, state, address }) => `${name} ${state} ${address.split("/").at(-1)}`);

describe("intents written ahead", () => {
  const names = ["a", "b", "c", "d"];

  it("travel with the first create, and are used by the creates that they were written for", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const tenants = names.map((name) => tenant(name));
      expectAll(context, tenants);
      assert.deepEqual(await statesOf(bench), []);
      const [first, ...rest] = tenants;
      const made = [await create(context, first!)];
      assert.deepEqual(await statesOf(bench), ["a held a", "b open b", "c open c", "d open d"]);
      const intents = new Map((await bench.claims()).map((claim) => [claim.name, claim]));
      for (const inputs of rest) made.push(await create(context, inputs));
      const claims = await bench.claims();
      assert.deepEqual(
        claims.map(({ name, state, owner, databaseId, existed }) => ({ name, state, owner, databaseId, existed })),
        made.map(({ id, outputs: { name, databaseId } }) => ({
          ...{ name, state: "held", owner: id, databaseId, existed: false },
        })),
      );
      for (const { name, owner, incarnation } of claims.slice(1)) {
        assert.deepEqual({ owner, incarnation }, pick(intents.get(name)!), name);
      }
      assert.deepEqual(await bench.databases(), names);
    });
  });

  it("are taken back when a create fails", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      await bench.api.ok("POST", "/databases", { name: "a", group: "eu" });
      const tenants = names.map((name) => tenant(name));
      expectAll(context, tenants);
      await assert.rejects(create(context, tenants[0]!), { code: "already-exists" });
      assert.deepEqual(await statesOf(bench), []);
      // With --continue-on-error the engine goes on.
      for (const inputs of tenants.slice(1)) await create(context, inputs);
      assert.deepEqual(await statesOf(bench), ["b held b", "c held c", "d held d"]);
    });
  });

  it("leave alone what somebody has, by name or by address", async () => {
    await withBench(async (bench) => {
      const theirs = tenant("b", { self: addressOf("other") });
      const moved = tenant("old-name", { self: addressOf("c") });
      for (const inputs of [theirs, moved]) await create(bench.context(), inputs);
      const before = await bench.claims();
      const context = bench.context();
      expectAll(
        context,
        names.map((name) => tenant(name)),
      );
      await create(context, tenant("a"));
      assert.deepEqual(await statesOf(bench), ["a held a", "b held other", "d open d", "old-name held c"]);
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
      const tenants = names.map((name) => tenant(name));
      expectAll(context, tenants);
      await create(context, tenants[0]!);
      await bench.api.ok("POST", "/databases", { name: "b", group: "eu" });
      await bench.sql("b", "CREATE TABLE theirs (x)");
      await assert.rejects(create(context, tenants[1]!), { code: "already-exists" });
      assert.deepEqual(await statesOf(bench), ["a held a"]);
      assert.deepEqual(await bench.databases(), ["a", "b"]);
    });
  });

  it("are taken over by the next run where one was killed", async () => {
    await withBench(async (bench) => {
      const killed = bench.context();
      const tenants = names.map((name) => tenant(name));
      expectAll(killed, tenants);
      await create(killed, tenants[0]!);
      const context = bench.context();
      for (const inputs of tenants.slice(1)) await create(context, inputs);
      assert.deepEqual(await statesOf(bench), ["a held a", "b held b", "c held c", "d held d"]);
    });
  });

  it("are never written for what takes over or ends, which is asked in its turn", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      expectAll(context, [tenant("a"), tenant("b", { adopt: "unowned" }), tenant("c", { expiresIn: "1d" })]);
      await create(context, tenant("a"));
      assert.deepEqual(await statesOf(bench), ["a held a"]);
    });
  });
});

const pick = ({ owner, incarnation }: { owner: string; incarnation: string }) => ({ owner, incarnation });

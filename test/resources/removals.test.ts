import assert from "node:assert/strict";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, tenant, withBench } from "../support/bench";

type Made = { id: string; outputs: TenantDatabaseOutputs };

async function fleetOf(size: number, bench: Bench): Promise<Made[]> {
  const context = bench.context();
  return Promise.all(
    Array.from({ length: size }, (_, i) => tenantDatabase.create({ inputs: tenant(`tenant-${i}`), context })),
  );
}

/** What one refresh makes of each: kept, gone, or why neither. */
async function refresh(fleet: Made[], bench: Bench, config: Record<string, string> = {}): Promise<string[]> {
  const context = bench.context({ config });
  const read = fleet.map((made) => tenantDatabase.read({ ...made, context }));
  return (await Promise.allSettled(read)).map((one) =>
    one.status === "rejected" ? (one.reason as { code: string }).code : one.value ? "kept" : "gone",
  );
}

const remove = async (bench: Bench, from: number, to: number): Promise<void> => {
  for (let i = from; i < to; i++) await bench.api.ok("DELETE", `/databases/tenant-${i}`);
};

describe("a refresh that finds databases gone", () => {
  it("believes up to ten, and none of more", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(12, bench);
      await remove(bench, 0, 10);
      assert.deepEqual(await refresh(fleet, bench), [...Array<string>(10).fill("gone"), "kept", "kept"]);
      await remove(bench, 10, 11);
      assert.deepEqual(await refresh(fleet, bench), [...Array<string>(11).fill("too-many-removals"), "kept"]);
      assert.deepEqual(new Set((await refresh(fleet, bench, { maxRemovals: "11" })).slice(0, 11)), new Set(["gone"]));
      assert.deepEqual((await refresh(fleet, bench, { maxRemovals: "0" }))[0], "too-many-removals");
    });
  });

  it("does not count again what an earlier refresh has accepted", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(14, bench);
      await remove(bench, 0, 8);
      assert.deepEqual(new Set((await refresh(fleet, bench)).slice(0, 8)), new Set(["gone"]));
      await remove(bench, 8, 12);
      assert.deepEqual(await refresh(fleet.slice(8), bench), ["gone", "gone", "gone", "gone", "kept", "kept"]);
    });
  });

  it("still counts when the registry is gone with them", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(12, bench);
      await bench.api.ok("DELETE", "/groups/eu");
      const said = await refresh(fleet, bench);
      // How many come before the count is known is up to the order of answers; what matters is that the refresh fails.
      assert.ok(said.filter((one) => one === "too-many-removals").length >= 2, said.join());
    });
  });

  it("says how many, and the way out", async () => {
    await withBench(async (bench) => {
      const [made] = await fleetOf(1, bench);
      await remove(bench, 0, 1);
      const context = bench.context({ config: { maxRemovals: "0" } });
      await assert.rejects(tenantDatabase.read({ ...made!, context }), {
        message: /1 databases? of this stack \(more than 0\).*"tenant-0".*TENANTRY_MAX_REMOVALS/,
      });
    });
  });
});

import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../../provider/http/clock";
import { laneFor } from "../../../provider/http/lane";
import type { TenantryError } from "../../../provider/platform/errors";
import { failure } from "../../support/tenantsdb/replies";
import { makeWorkspace, withStandIn } from "../../support/tenantsdb/scene";
import { simulatedClock } from "../../support/simulated-clock";

describe("the rate at which TenantsDB is asked", () => {
  it("never earns a ban: three fleets at once from one address, each by a process of its own", async function () {
    this.timeout(60_000);
    // Each key has a limiter of its own, as each process has.
    const keys = ["tenantsdb_sk_second", "tenantsdb_sk_third"];
    let clock: Clock | undefined;
    const limits = { now: () => clock?.now() ?? 0 };
    await withStandIn({ keys, limits, step: "looks" }, async ({ standIn, open, project }) => {
      const all = [standIn.project.apiKey, ...keys];
      // Nobody has used these lanes before, so that their limiters go by this clock.
      clock = simulatedClock(() =>
        all.some((key) => laneFor(standIn.url, key, 256, clock ?? systemClock).limiter.running > 0),
      );
      await makeWorkspace(standIn, "docs", "MongoDB");
      const platforms = all.map((apiToken) => open({ apiToken, clock, concurrency: 256 }));
      const names = Array.from({ length: 100 }, (_, i) => `tenant_${i}`);
      const closed = { blockReads: true, blockWrites: true };
      await Promise.all(
        platforms.flatMap((platform, process) =>
          names.map(async (name) => {
            const mine = `${name}_${process}`;
            await platform.createDatabase({ name: mine, group: project, parts: [{ blueprint: "docs" }] });
            await platform.configureDatabase(mine, closed);
            await platform.softDeleteDatabase!(mine);
          }),
        ),
      );
      const { violations, busiest, isBanned } = standIn.limits;
      assert.deepEqual([violations, isBanned], [0, false]);
      // It is used, too: a limiter that sends next to nothing would pass as well.
      assert.ok(busiest > 60 && busiest <= 100, String(busiest));
      assert.equal([...standIn.project.tenants.values()].filter(({ status }) => status === "deleted").length, 300);
    });
  });

  it("never earns a ban: 150 looks at once, and no second has more than 50", function () {
    this.timeout(20_000);
    return withStandIn({ driver: { concurrency: 256 } }, async ({ standIn, platform }) => {
      const looks = Array.from({ length: 150 }, (_, i) => platform.getDatabase(`tenant_${i}`));
      assert.deepEqual(new Set(await Promise.all(looks)), new Set([undefined]));
      assert.equal(standIn.limits.violations, 0);
      assert.ok(standIn.limits.busiest <= 50, String(standIn.limits.busiest));
    });
  });

  it("stops where an address is banned: few requests more, then one error that says what to do", async () => {
    let asked = 0;
    const interfere = () => {
      asked += 1;
      return failure(429, "rate limit exceeded");
    };
    const driver = { concurrency: 32 };
    await withStandIn({ interfere }, async ({ standIn, open }) => {
      const clock = simulatedClock(
        () => laneFor(standIn.url, standIn.project.apiKey, 32, systemClock).limiter.running > 0,
      );
      const platform = open({ ...driver, clock });
      const looks = Array.from({ length: 20 }, (_, i) => platform.getDatabase(`tenant_${i}`));
      for (const outcome of await Promise.allSettled(looks)) {
        assert.ok(outcome.status === "rejected");
        assert.equal((outcome.reason as TenantryError).code, "rate-limited");
        assert.match((outcome.reason as TenantryError).message, /Wait five minutes/);
      }
      const perMinute = asked / (clock.now() / 60_000);
      assert.ok(perMinute <= 40, `${asked} requests in ${clock.now()} ms`);
    });
  });
});

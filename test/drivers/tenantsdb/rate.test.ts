import assert from "node:assert/strict";
import { systemClock } from "../../../provider/http/clock";
import { laneFor } from "../../../provider/http/lane";
import type { TenantryError } from "../../../provider/platform/errors";
import { failure } from "../../support/tenantsdb/replies";
import { withStandIn } from "../../support/tenantsdb/scene";
import { simulatedClock } from "../../support/simulated-clock";

describe("the rate at which TenantsDB is asked", () => {
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

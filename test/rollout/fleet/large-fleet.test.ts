import assert from "node:assert/strict";
import { planLargeFleet } from "../../../tools/bench/rollout/plan-large-fleet";

describe("a plan of 10,000 tenants", function () {
  this.timeout(60_000);

  it("fits into 60 MiB of heap with all that was seen of them, and into 25 lines", async () => {
    const { pending, waves, lines } = await planLargeFleet(60);
    assert.deepEqual([pending, waves], [9_000, 4]);
    assert.ok(lines <= 25, `${lines} lines`);
  });
});

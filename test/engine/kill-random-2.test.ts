import { describe, it } from "mocha";
import { killSeed, playRandom } from "../support/kill-series";

const seed = killSeed + 2;

// The seed is in the title, and so in the report of a failure; TENANTRY_KILL_SEED repeats it.
describe(`25 random kills of seed ${killSeed}, part 2`, function () {
  this.timeout(1_800_000);

  it("are recovered by the next run, without anything lost, doubled or left over", () => playRandom(25, seed));
});

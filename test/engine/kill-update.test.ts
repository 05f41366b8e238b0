import { describe, it } from "mocha";
import { playEveryStep } from "../support/kill-series";

describe("killed at every step of a run that updates a stack", function () {
  this.timeout(1_800_000);

  it("is recovered by the next run, without anything lost, doubled or left over", () => playEveryStep("update"));
});

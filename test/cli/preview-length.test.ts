import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "mocha";
import { lengthWarning } from "../../sdk/cli/preview/hand-on";

describe("TENANTRY_PREVIEW of many branches", () => {
  it("is warned of where a program could not be started with it", () => {
    const longest = Number(/more than (\d+)/.exec(lengthWarning("x".repeat(200_000))!)![1]);
    assert.equal(lengthWarning("x".repeat(longest)), undefined);
    assert.match(
      lengthWarning("x".repeat(longest + 1))!,
      new RegExp(`^TENANTRY_PREVIEW is ${longest + 1} bytes long, `),
    );
    if (process.platform !== "linux") return;
    const startWith = (length: number) =>
      spawnSync(process.execPath, ["-e", ""], { env: { TENANTRY_PREVIEW: "x".repeat(length) } });
    assert.equal(startWith(longest).status, 0);
    assert.match(String(startWith(longest + 1).error), /E2BIG/);
  });
});

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { describe, it } from "mocha";

const dist = path.resolve(__dirname, "..", "..", "dist");

describe("what a program loads", () => {
  it("is not Pulumi's serializer of closures, which takes longer than everything else together", () => {
    const entry = path.join(dist, "sdk", "index.js");
    const program = `require(${JSON.stringify(entry)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
    const loaded = JSON.parse(execFileSync(process.execPath, ["-e", program], { encoding: "utf8" })) as string[];
    assert.ok(loaded.includes(entry));
    const serializer = /[\\/](runtime[\\/]closure|typescript|@npmcli[\\/]arborist)[\\/]/;
    assert.deepEqual(
      loaded.filter((file) => serializer.test(file)),
      [],
    );
  });
});

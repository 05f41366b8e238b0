import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";
import { describe, it } from "mocha";

const dist = path.resolve(__dirname, "..", "..", "dist");

/** The files that are loaded with an entry. */
function loadedWith(...entry: string[]): string[] {
  const file = path.join(dist, ...entry);
  const program = `require(${JSON.stringify(file)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const loaded = JSON.parse(execFileSync(process.execPath, ["-e", program], { encoding: "utf8" })) as string[];
  assert.ok(loaded.includes(file));
  return loaded;
}

describe("what a program loads", () => {
  it("is not Pulumi's serializer of closures, which takes longer than everything else together", () => {
    const serializer = /[\\/](runtime[\\/]closure|typescript|@npmcli[\\/]arborist)[\\/]/;
    assert.deepEqual(
      loadedWith("sdk", "index.js").filter((file) => serializer.test(file)),
      [],
    );
  });
});

describe("what the provider loads before it has something to do", () => {
  it("is no client for SQL", () => {
    const clients = /[\\/](@libsql|ws)[\\/]/;
    assert.deepEqual(
      loadedWith("provider", "runtime.js").filter((file) => clients.test(file)),
      [],
    );
  });
});

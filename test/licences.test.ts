import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
  integrity?: string;
  hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(path.resolve(__dirname, "../package-lock.json"), "utf8")) as {
  packages: Record<string, Locked>;
};
/** What users of the package install with it. */
const production = Object.entries(lock.packages).filter(([where, { dev }]) => where !== "" && !dev);
const names = (found: typeof production) => found.map(([where, { license }]) => `${where}: ${license}`);

describe("what users install", () => {
  it("has licences that ask for no more than their text", () => {
    assert.ok(production.length > 10);
    const allowed = ["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD"];
    assert.deepEqual(names(production.filter(([, { license }]) => !allowed.includes(license ?? ""))), []);
  });

  it("is locked with hashes and runs nothing when it is installed", () => {
    assert.deepEqual(names(production.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))), []);
    assert.deepEqual(names(production.filter(([, { hasInstallScript }]) => hasInstallScript === true)), []);
  });
});

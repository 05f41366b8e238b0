import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "mocha";
import { environment } from "../../tools/quickstart/pulumi";
import { table } from "../../tools/quickstart/table";
import { summary } from "../../tools/test/run-mocha";

describe("the quickstart", () => {
  it("passes on nothing that leads to the user's accounts, stacks or platforms", () => {
    const own = { TURSO_API_TOKEN: "a", TENANTRY_PLATFORM: "turso", PULUMI_ACCESS_TOKEN: "b", PULUMI_STACK: "c" };
    const env = environment(["/engine"], { ...own, PATH: "/bin", HOME: "/home/someone", LANG: "C" });
    for (const name of Object.keys(own)) assert.ok(!(name in env), name);
    assert.equal(env["PATH"], ["/engine", "/bin"].join(path.delimiter));
    assert.equal(env["LANG"], "C");
    assert.match(env["PULUMI_BACKEND_URL"] ?? "", /^file:\/\//);
  });

  it("shows a table with columns as wide as their values", () => {
    const rows = [
      { name: "acme", url: "http://x/" },
      { name: "umbrella", url: "" },
    ];
    assert.equal(
      table({ name: "NAME", url: "URL" }, rows),
      "    NAME      URL\n    acme      http://x/\n    umbrella\n",
    );
  });
});

describe("npm test's last line", () => {
  it("sums the parts; a failure or no test at all is a failure", () => {
    const ok = { passed: 2, failed: 0 };
    assert.deepEqual(summary([ok, ok]), { line: "4 passed, 0 failed", code: 0 });
    assert.deepEqual(summary([ok, { passed: 0, failed: 1 }]), { line: "2 passed, 1 failed", code: 1 });
    assert.deepEqual(summary([]), { line: "0 passed, 0 failed", code: 1 });
  });
});

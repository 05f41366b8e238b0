import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { makeWorkspace, withStandIn } from "../support/tenantsdb/scene";

const main = path.resolve(__dirname, "..", "..", "dist", "sdk", "cli", "main.js");

describe("tenantry import on TenantsDB", () => {
  it("lists, and writes no manifest, which nothing there could take", function () {
    this.timeout(60_000);
    return withStandIn({}, async ({ standIn, platform, project }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      await platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "docs" }] });
      const env = {
        PATH: process.env["PATH"],
        TENANTRY_PLATFORM: "tenantsdb",
        TENANTRY_ORGANIZATION: project,
        TENANTRY_API_URL: standIn.url,
        TENANTRY_API_TOKEN: standIn.project.apiKey,
      };
      const run = (...args: string[]) => promisify(execFile)(process.execPath, [main, "import", ...args], { env });
      const { stdout } = await run("--dry-run", "--json");
      assert.match(stdout, /"acme"/);
      assert.ok(!stdout.includes(standIn.project.proxyPassword));
      await assert.rejects(run("--out", "-"), (error: { stderr?: string }) =>
        /has not got: nothing was written/.test(error.stderr ?? ""),
      );
    });
  });
});

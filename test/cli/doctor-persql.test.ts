import assert from "node:assert/strict";
import { readSettings } from "../../provider/platform/settings";
import type { Check } from "../../sdk/cli/doctor/check";
import { connectionChecks } from "../../sdk/cli/doctor/connection";
import { withPersql } from "../support/persql/server";

async function checksOf(apiUrl: string, apiToken: string): Promise<Map<string, Check>> {
  const checks = new Map<string, Check>();
  const settings = readSettings({ platform: "persql", apiUrl, apiToken }, {});
  for await (const check of connectionChecks(settings)) checks.set(check.name, check);
  return checks;
}

describe("tenantry doctor on PerSQL", () => {
  it("says whom the token belongs to, and whether it is enough", async () => {
    await withPersql(async ({ url, adminToken, namespace }) => {
      const checks = await checksOf(url, adminToken);
      assert.match(checks.get("platform")!.found, /^persql:acme@127\.0\.0\.1:\d+ answers/);
      const scopes = checks.get("scopes")!;
      assert.deepEqual(
        [scopes.status, scopes.found],
        ["ok", 'scoped (role admin), limited to organization "acme": enough for every deploy'],
      );
      const weak = (await checksOf(url, namespace.mint({ role: "write" }))).get("scopes")!;
      assert.equal(weak.status, "problem");
      assert.match(weak.found, /role write.*enough for no deploy; lacking: role admin/);
    });
  });
});

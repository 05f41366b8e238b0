import assert from "node:assert/strict";
import { startLocalPlatform } from "../../provider/local";
import type { Check } from "../../sdk/cli/doctor/check";
import { runCli } from "../cli/run-cli";
import { withProject } from "../support/engine";

describe("tenantry doctor on a real engine", () => {
  it("reads a stack's config through it, secrets and connections too, and shows no secret", async () => {
    const platform = await startLocalPlatform({ organizations: ["local", "globex"] });
    const secret = { secret: platform.apiToken };
    const config = { "tenantry:platform": "local", "tenantry:apiUrl": platform.url, "tenantry:apiToken": secret };
    try {
      await withProject({ files: { "index.ts": "" }, config }, async (project) => {
        const path = "tenantry:connections.eu";
        for (const [key, value, ...flag] of [
          ["platform", "local"],
          ["organization", "globex"],
          ["apiUrl", platform.url],
          ["apiToken", platform.apiToken, "--secret"],
        ] as const) {
          const stack = ["--stack", project.stack];
          const set = await project.pulumi([
            "config",
            "set",
            ...stack,
            "--path",
            ...flag,
            `${path}.${key}`,
            "--",
            value,
          ]);
          assert.equal(set.code, 0, set.output);
        }
        const doctor = (...args: string[]) => runCli(["doctor", ...args], { cwd: project.folder, env: project.env });
        const { code, stdout, stderr } = await doctor("--json", "--stack", project.stack);
        assert.equal(code, 0, stdout + stderr);
        const { checks } = JSON.parse(stdout) as { checks: Check[] };
        const found = (name: string, connection?: string): string =>
          checks.find((check) => check.name === name && check.connection === connection)?.found ?? "";
        assert.match(found("engine"), /^pulumi v3\.\d+\.\d+ with its language host/);
        assert.match(found("settings"), /API token \(tenantry:apiToken\)/);
        assert.match(
          found("settings", "eu"),
          /"globex" \(tenantry:connections\.eu\.organization\), .*connections\.eu\.apiToken/,
        );
        assert.match(found("organization", "eu"), /"globex" has 0 groups/);
        assert.ok(!stdout.includes(platform.apiToken));

        const other = await doctor("--stack", "prod");
        assert.equal(other.code, 1);
        assert.match(other.stdout, /problem {2}stack: The config of stack "prod" cannot be read: .*prod/);
        const locked = await runCli(["doctor", "--stack", project.stack], {
          cwd: project.folder,
          env: { ...project.env, PULUMI_CONFIG_PASSPHRASE: "another" },
        });
        assert.match(locked.stdout, /problem {2}stack: .*passphrase/);
        assert.ok(!locked.stdout.includes("another"));
      });
    } finally {
      await platform.close();
    }
  });
});

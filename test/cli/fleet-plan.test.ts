import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { describe, it } from "mocha";
import { packFleet } from "../../provider/resources/tenant-fleet/pack";
import { writeRoster } from "../../provider/resources/tenant-fleet/roster";
import { writeFakePulumi } from "./fake-pulumi";
import { runCli } from "./run-cli";

describe("tenantry fleet plan", function () {
  this.timeout(60_000);

  it("says of every tenant what would be done with it, and asks no platform", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tenantry-fleet-plan-"));
    try {
      writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
      const ref = (version: string, digest: string): string => `app@${version} ${digest} copy+rollout migrations`;
      const record = (id: string) => ({
        ...{ id, name: `t-${id}`, state: "ready" as const, profile: { group: "eu", schema: ref("0001", "aa") } },
        ...{ databaseId: id, hostname: `t-${id}.host`, incarnation: id, schemaVersion: "0001" },
      });
      const outputs = {
        self: "organization/shop/dev/prod",
        scope: "local:x",
        packed: packFleet(["a", "b", "c"].map(record)),
      };
      await writeFakePulumi(folder, {
        name: "organization/shop/dev",
        resources: { "TenantFleet prod": "id" },
        outputs: { "TenantFleet prod": outputs },
      });
      const cli = (...args: string[]) =>
        runCli(["fleet", "plan", ...args], {
          cwd: folder,
          env: { PATH: [folder, dirname(process.execPath), "/bin", "/usr/bin"].join(delimiter) },
        });
      const unknown = await cli();
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /has not listed the tenants of fleet "prod" here\. Run `pulumi preview` first\./);

      const rosters = join(folder, ".tenantry", "fleets", "dev", "prod");
      const member = (id: string, more = {}) => ({
        id,
        name: `t-${id}`,
        group: "eu",
        schema: ref("0002", "bb"),
        ...more,
      });
      writeRoster(rosters, { tenants: [member("a", { blockReads: true }), member("b"), member("d")] });
      const { code, stdout } = await cli();
      assert.equal(code, 2);
      assert.deepEqual(stdout.trimEnd().split("\n"), [
        "Fleet prod of organization/shop/dev: 3 tenants listed",
        "  create 1: d",
        "  change 1: a",
        '  bring to 0002 of "app" 2: a, b',
        "  remove 1: c",
      ]);
      const document = JSON.parse((await cli("prod", "--json")).stdout) as Record<string, unknown>;
      assert.deepEqual(document, {
        ...{ format: 1, stack: "organization/shop/dev", fleet: "prod", tenants: 3 },
        create: [{ id: "d", name: "t-d", group: "eu" }],
        replace: [],
        change: [{ id: "a", name: "t-a" }],
        bring: [
          {
            template: "app",
            to: "0002",
            tenants: [
              { id: "a", from: "0001" },
              { id: "b", from: "0001" },
            ],
          },
        ],
        remove: [{ id: "c", name: "t-c" }],
      });

      writeRoster(rosters, { tenants: ["a", "b", "c"].map((id) => member(id, { schema: ref("0001", "aa") })) });
      const none = await cli("--stack", "dev");
      assert.deepEqual(
        [none.code, none.stdout],
        [0, "Fleet prod of organization/shop/dev: 3 tenants listed, nothing to do\n"],
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { PreviewReport } from "../../provider/preview/report";
import { member } from "../support/fleet-scene";
import { withFleetCli } from "./fleet-cli-scene";

describe("tenantry preview up --fleet", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("branches tenants of a fleet as the stack's state has it, by id and label", async () => {
    await withFleetCli(async ({ preview, declare, up, deployed }) => {
      await up(declare([member("acme", { labels: { ring: "beta" } }), member("globex"), member("initech")]));
      await deployed();
      const of = ["--repository", "shop/app", "--pull-request", "7", "--json"];
      const made = await preview("up", "--fleet", "--where", "ring=beta", "--data", "schema-only", ...of);
      assert.equal(made.code, 0, made.stderr);
      const report = JSON.parse(made.stdout) as PreviewReport;
      assert.deepEqual(
        report.branches.map(({ tenant, state }) => [tenant, state]),
        [["acme", "ready"]],
      );
      assert.equal(report.fleet.tenants, 3);
      const down = await preview("down", ...of);
      assert.deepEqual((JSON.parse(down.stdout) as { deleted: string[] }).deleted.length, 1);
    });
  });
});

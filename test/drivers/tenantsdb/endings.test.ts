import assert from "node:assert/strict";
import type { Platform } from "../../../provider/platform/platform";
import { makeWorkspace, withStandIn } from "../../support/tenantsdb/scene";
import type { OperationKind } from "../../support/tenantsdb/operations";
import { virtualClock } from "../../support/virtual-clock";

/** What TenantsDB goes on with after its answer, on a tenant that has a backup, on L2. */
const begun: Record<OperationKind, (platform: Platform, group: string) => Promise<unknown>> = {
  async provision(platform, group) {
    await platform.createDatabase({ name: "bolt", group, parts: [{ blueprint: "docs", isolation: "L2" }] });
    await platform.awaitDatabase!("bolt", 900_000);
  },
  move: (platform) => platform.movePart!("acme", { blueprint: "docs", isolation: "L1" }),
  rollback: (platform) => platform.restoreDatabase!("acme", { backup: "s3://one" }),
  recover: (platform) => platform.restoreDatabase!("acme", { timestamp: "2026-01-01T00:00:00Z" }),
  deploy: (platform) => platform.deployments!.deploy("docs"),
};
const work: Record<OperationKind, RegExp> = {
  provision: /make tenant "bolt" ready/,
  move: /move "docs" of tenant "acme" to L1/,
  rollback: /roll tenant "acme" back to "s3:\/\/one"/,
  recover: /recover tenant "acme" as of 2026-01-01/,
  deploy: /Deployment "dep_\w+" of blueprint "docs"/,
};

describe("what TenantsDB begins and does not end", () => {
  for (const [kind, run] of Object.entries(begun) as [OperationKind, (typeof begun)["move"]][]) {
    it(`${kind}: is waited for, not for ever, and said with the state that it came to`, () =>
      withStandIn({ driver: { clock: virtualClock() } }, async ({ standIn, platform, project }) => {
        await makeWorkspace(standIn, "docs", "MongoDB");
        const parts = [{ blueprint: "docs", isolation: "L2" }];
        for (const [ending, code, state] of [
          ["stuck", "not-ready", /is still (?:provisioning|migrating|restoring|recovering|in_progress)/],
          [{ status: "exploded" }, "bad-answer", /"exploded", which TenantsDB does not document/],
        ] as const) {
          await platform.createDatabase({ name: "acme", group: project, parts });
          await platform.awaitDatabase!("acme", 900_000);
          const { tenants, deployments } = standIn.project;
          const at = new Date();
          tenants
            .get("acme")!
            .backups.push({ path: "s3://one", type: "manual", at, engine: "MongoDB", snapshots: new Map() });
          standIn.operations.next(kind, ending);
          await assert.rejects(run(platform, project), (error: Error & { code?: string; fix?: string }) => {
            assert.deepEqual([error.code, Boolean(error.fix)], [code, true], error.message);
            assert.match(error.message, state);
            assert.match(error.message, work[kind]);
            return true;
          });
          for (const one of [tenants, deployments]) one.clear();
        }
      }));
  }
});

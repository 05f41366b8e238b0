import assert from "node:assert/strict";
import { TenantryError } from "../../../provider/platform/errors";
import type { Platform } from "../../../provider/platform/platform";
import { type Scene, makeWorkspace, withStandIn } from "../../support/tenantsdb/scene";
import { virtualClock } from "../../support/virtual-clock";

const closed = { blockReads: true, blockWrites: true };
const open = { blockReads: false, blockWrites: false };

/** What can be asked of a tenant that is in the wrong state for it. */
const verbs: Record<string, (platform: Platform) => Promise<unknown>> = {
  suspend: (platform) => platform.configureDatabase("acme", closed),
  resume: (platform) => platform.configureDatabase("acme", open),
  "delete softly": (platform) => platform.softDeleteDatabase!("acme"),
  delete: (platform) => platform.deleteDatabase("acme"),
  undelete: (platform) => platform.undeleteDatabase!("acme"),
  backup: (platform) => platform.takeBackup!("acme"),
  "roll back": (platform) => platform.restoreDatabase!("acme", { backup: "s3://one" }),
  recover: (platform) => platform.restoreDatabase!("acme", { timestamp: "2026-01-01T00:00:00Z" }),
  undo: (platform) => platform.undoRestore!("acme"),
  move: (platform) => platform.movePart!("acme", { blueprint: "docs", isolation: "L2", region: "us-east" }),
};

/** A tenant on L2 with a backup and a restore that can be undone: every verb has something to do. */
const withTenant = (use: (scene: Scene, set: (status: string) => void) => Promise<void>): Promise<void> =>
  withStandIn({ driver: { clock: virtualClock() } }, async (scene) => {
    const { standIn, platform, project } = scene;
    await makeWorkspace(standIn, "docs", "MongoDB");
    const parts = [{ blueprint: "docs", isolation: "L2" }];
    await platform.createDatabase({ name: "acme", group: project, parts });
    await platform.awaitDatabase!("acme", 900_000);
    const tenant = standIn.project.tenants.get("acme")!;
    tenant.backups.push({ path: "s3://one", type: "manual", at: new Date(), engine: "MongoDB", snapshots: new Map() });
    tenant.undoUntil = new Date(Date.now() + 3_600_000);
    await use(scene, (status) => void (tenant.status = status));
  });

const failureOf = async (work: Promise<unknown>): Promise<TenantryError | undefined> => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error === undefined || error instanceof TenantryError, String(error));
  return error;
};

describe("a tenant of TenantsDB in the wrong state", () => {
  for (const [verb, run] of Object.entries(verbs)) {
    it(`${verb}: what is under way is waited for`, () =>
      withTenant(async ({ standIn, platform }, set) => {
        for (const status of ["syncing", "migrating", "restoring", "recovering"]) {
          if (!standIn.project.tenants.has("acme")) break;
          set(status);
          standIn.operations.later(() => set(verb === "resume" ? "suspended" : "ready"));
          const failed = await failureOf(run(platform));
          assert.equal(failed, undefined, `${status}: ${failed?.message}`);
          // Another one finds it as the first did.
          const tenant = standIn.project.tenants.get("acme");
          if (tenant) Object.assign(tenant, { undoUntil: new Date(Date.now() + 3_600_000) });
          if (tenant?.status === "deleted") break;
        }
      }));

    it(`${verb}: what never ends, and what no documentation has, is named; never a bare 409`, () =>
      withTenant(async ({ standIn, platform }, set) => {
        const statuses = [
          "migrating",
          "recovering",
          "half_done",
          ...(/^(?:suspend|resume|undelete)/.test(verb) ? [] : ["suspended"]),
        ];
        for (const status of statuses) {
          if (!standIn.project.tenants.has("acme")) break;
          set(status);
          const failed = await failureOf(run(platform));
          // The platform itself takes a delete then.
          if (failed === undefined && verb.startsWith("delete")) break;
          assert.ok(failed, `${status}: no failure`);
          assert.ok(["not-ready", "bad-answer"].includes(failed.code), `${status}: ${failed.code}`);
          assert.ok(failed.message.includes(status) && !failed.message.includes("(409)"), failed.message);
          assert.ok(failed.fix, failed.message);
        }
      }));
  }

  it("that is in the trash is in nobody's hands until it is restored", () =>
    withTenant(async ({ platform }, set) => {
      for (const [verb, run] of Object.entries(verbs)) {
        if (/delete$|^delete/.test(verb)) continue;
        set("deleted");
        const failed = await failureOf(run(platform));
        assert.ok(failed, `${verb}: no failure`);
        assert.ok(!failed.message.includes("(409)") && failed.fix, `${verb}: ${failed.message}`);
      }
    }));
});

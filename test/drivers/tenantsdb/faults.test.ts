import assert from "node:assert/strict";
import { SqlError, TenantryError } from "../../../provider/platform/errors";
import type { Platform } from "../../../provider/platform/platform";
import { type Reply, failure } from "../../support/tenantsdb/replies";
import { makeWorkspace, withStandIn } from "../../support/tenantsdb/scene";
import { virtualClock } from "../../support/virtual-clock";

const suspended = { blockReads: true, blockWrites: true };
const part = { blueprint: "app", isolation: "L2" };

/** Every way in which the driver calls TenantsDB, on the tenant "acme" of the blueprint "app". */
const calls: Record<string, (platform: Platform, project: string) => Promise<unknown>> = {
  list: async (platform) => {
    for await (const one of platform.listDatabases()) assert.ok(one);
  },
  account: (platform) => platform.account(),
  look: (platform) => platform.getDatabase("acme"),
  "look at a workspace": (platform) => platform.getDatabase("tenantry-registry-x"),
  create: (platform, group) => platform.createDatabase({ name: "globex", group, parts: [part] }),
  "make a registry": (platform, group) => platform.createDatabase({ name: "tenantry-registry-y", group }),
  await: (platform) => platform.awaitDatabase!("acme", 60_000),
  configuration: (platform) => platform.getConfiguration("acme"),
  suspend: (platform) => platform.configureDatabase("acme", suspended),
  move: (platform) => platform.movePart!("acme", part),
  "delete softly": (platform) => platform.softDeleteDatabase!("acme"),
  "look into the trash": (platform) => platform.trashedDatabase!("acme"),
  undelete: (platform) => platform.undeleteDatabase!("acme"),
  delete: (platform) => platform.deleteDatabase("acme"),
  "count rows": (platform) => platform.countRows!("acme"),
  backups: (platform) => platform.listBackups!("acme"),
  backup: (platform) => platform.takeBackup!("acme"),
  "roll back": (platform) => platform.restoreDatabase!("acme", { backup: "s3://x" }),
  recover: (platform) => platform.restoreDatabase!("acme", { timestamp: "2026-01-01T00:00:00Z" }),
  undo: (platform) => platform.undoRestore!("acme"),
  logs: async (platform) => {
    for await (const entry of platform.logs!("acme", {})) assert.ok(entry);
  },
  metrics: (platform) => platform.metrics!("acme"),
  statistics: (platform) => platform.statistics!("acme"),
  "sql of our own": (platform) =>
    platform.openSql!({ name: "tenantry-registry-x", url: "" }, { access: "full-access" }).ready(1_000),
  source: (platform) => platform.deployments!.findSource("app"),
  "make a source": (platform) => platform.deployments!.createSource("other"),
  apply: (platform) => platform.deployments!.apply("app", "CREATE TABLE t (x integer)"),
  records: (platform) => platform.deployments!.records(),
  deploy: (platform) => platform.deployments!.deploy("app"),
  "all deployments": (platform) => platform.deployments!.all(),
  "deployments of one": (platform) => platform.deployments!.ofTenant("acme"),
};

/** What these answer to a success, the docs do not show. */
const wordless = ["delete", "apply"];
/** What is known without a call, and what TenantsDB has not. */
const callless = /^(?:scope|knownScope|databaseUrl|mintToken|rotateTokens|usage|listLocations|\w*Groups?)$/;

const garbage: Reply = { status: 200, body: "what is this" as unknown as Record<string, unknown> };
const faults: Record<string, Reply | "drop" | "silent"> = {
  "500": failure(500, "internal error"),
  "429": failure(429, "rate limit exceeded"),
  "403 by role": failure(403, "this key may only read", "role_required"),
  "403 by plan": failure(403, "your plan does not allow this. Upgrade"),
  "409": failure(409, "wrong state"),
  "400": failure(400, "no"),
  garbage,
  "an empty object": { status: 200, body: {} },
  "an error that says success": { status: 200, body: { success: true, error: "no" } },
  "503": failure(503, "maintenance"),
  "402": failure(402, "the balance is used up"),
  "no answer": "drop",
  silence: "silent",
};

describe("the TenantsDB driver in trouble", () => {
  for (const [title, reply] of Object.entries(faults)) {
    it(`says what it is that failed, and shows no secret: ${title}`, async function () {
      this.timeout(60_000);
      let isTrouble = false;
      const clock = virtualClock();
      const interfere = (): Reply | "drop" | undefined => {
        if (!isTrouble) return undefined;
        if (reply !== "silent") return reply;
        // For as long as the caller waits.
        clock.ring();
        return "drop";
      };
      await withStandIn({ interfere }, async ({ standIn, open, project }) => {
        await makeWorkspace(standIn, "app", "MongoDB");
        const { apiKey, proxyPassword } = standIn.project;
        const options = { clock, proxyPassword };
        await open(options).createDatabase({ name: "acme", group: project, parts: [{ blueprint: "app" }] });
        isTrouble = true;
        for (const [call, run] of Object.entries(calls)) {
          const failed: unknown = await run(open(options), project).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (failed === undefined)
            assert.ok(title === "an empty object" && wordless.includes(call), `${call}: no failure`);
          else {
            assert.ok(failed instanceof TenantryError || failed instanceof SqlError, `${call}: ${String(failed)}`);
            assert.ok(!failed.message.includes(apiKey) && !failed.message.includes(proxyPassword), call);
            const known = failed instanceof SqlError || Boolean(failed.fix) || failed.whose === "platform";
            assert.ok(known, `${call}: ${failed.message}`);
          }
        }
      });
    });
  }

  it("leaves out no call that the driver has", () =>
    withStandIn({}, async ({ platform, project }) => {
      const called = new Set<string>();
      const watched = <Of extends object>(of: Of): Of =>
        new Proxy(of, {
          get(target, key, receiver) {
            called.add(String(key));
            const value: unknown = Reflect.get(target, key, receiver);
            return key === "deployments" ? watched(value as object) : value;
          },
        });
      for (const run of Object.values(calls)) await run(watched(platform), project).catch(() => undefined);
      const all = [...Object.entries(platform), ...Object.entries(platform.deployments!)];
      const missing = all.filter(([key, value]) => typeof value === "function" && !called.has(key));
      assert.deepEqual(
        missing.map(([key]) => key).filter((key) => !callless.test(key)),
        [],
      );
    }));
});

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { startLocalPlatform } from "../../../provider/local";
import { type Client, createClient } from "../../../provider/platform/libsql-client";
import { verdict } from "../../../provider/rollout/fleet/report";
import { mint } from "../../local/api-caller";
import { type FleetScene, byState, init, migrationOf, once, withFleet } from "./fleet-scene";

/** Keeps a tenant's database locked until the answered function is called. */
async function lock(scene: FleetScene, name: string): Promise<() => Promise<void>> {
  const { platform, api } = scene.bench;
  const client: Client = createClient({
    url: platform.databaseUrl(name),
    authToken: await mint(api, `databases/${name}`),
  });
  const transaction = await client.transaction("write");
  await transaction.execute("UPDATE counter SET n = n");
  return async () => {
    await transaction.rollback();
    client.close();
  };
}

const isMigrationOf = (name: string) => (call: { path: string; body: string }) =>
  call.path.startsWith(`/db/${name}/`) && call.body.includes("UPDATE counter");
const busy = { status: 400, text: '{"message":"database is locked","code":"SQLITE_BUSY"}' };
const outcome = (report: Awaited<ReturnType<FleetScene["rollOut"]>>, name: string) =>
  report.outcomes.find((one) => one.name === name)!;

describe("a rollout in trouble", function () {
  this.timeout(120_000);

  it("tells a tenant that is not there, and one that is in another group, and does the others", async () => {
    await withFleet(4, async (scene) => {
      await scene.bench.api.ok("DELETE", "/databases/t2");
      await scene.bench.api.ok("POST", "/groups", { name: "us", location: "aws-eu-west-1" });
      const tenants = scene.tenants.map((tenant) => (tenant.name === "t3" ? { ...tenant, group: "us" } : tenant));
      const report = await scene.rollOut([init, once], { tenants });
      assert.deepEqual(byState(report), { migrated: ["t1", "t4"], unknown: ["t2", "t3"] });
      assert.equal(outcome(report, "t2").why, "there is no database of that name");
      assert.equal(outcome(report, "t3").why, 'it is in group "eu", not in "us"');
      assert.match(verdict(report, { onFailure: "stop" })!.message, /2 of 4 tenants are at 0002_once/);
    });
  });

  it("finds a tenant that is younger than the list", async () => {
    await withFleet(2, async (scene) => {
      const context = scene.bench.context();
      await context.listing.databases();
      await scene.bench.api.ok("POST", "/databases", { name: "young", group: "eu" });
      const tenants = [...scene.tenants, { name: "young", group: "eu" }];
      const report = await scene.rollOut([init, once], { tenants, context });
      assert.deepEqual(byState(report), { migrated: ["t1", "t2", "young"] });
      const [row] = await scene.bench.sql("young", "SELECT n FROM counter");
      assert.deepEqual(row, { n: 1 });
    });
  });

  it("skips a tenant whose writes or reads are blocked, and one that is closed meanwhile fails", async () => {
    await withFleet(4, async (scene) => {
      const block = (name: string, what: object) =>
        scene.bench.api.ok("PATCH", `/databases/${name}/configuration`, what);
      await block("t2", { block_writes: true });
      await block("t3", { block_reads: true });
      const prepared = await scene.prepare([init, once], { policy: { onFailure: "quarantine", maxFailures: 1 } });
      await block("t4", { block_writes: true });
      const report = await scene.run(prepared);
      assert.deepEqual(byState(report), { migrated: ["t1"], skipped: ["t2", "t3"], failed: ["t4"] });
      assert.equal(outcome(report, "t2").why, "its writes are blocked");
      assert.equal(outcome(report, "t3").why, "its reads are blocked");
      assert.match(outcome(report, "t4").why!, /block/i);

      await block("t2", { block_writes: false });
      await block("t3", { block_reads: false });
      await block("t4", { block_writes: false });
      assert.deepEqual(byState(await scene.rollOut([init, once])), { current: ["t1"], migrated: ["t2", "t3", "t4"] });
    });
  });

  it("goes on past tenants that are over their quota, by the host's word or the database's, and quarantines neither", async () => {
    await withFleet(5, async (scene) => {
      const { context } = await scene.bench.contextOn((call) => {
        if (isMigrationOf("t2")(call)) return { status: 402, text: '{"error":"quota exceeded"}' };
        if (isMigrationOf("t3")(call)) {
          return {
            status: 403,
            text: '{"message":"writes are blocked: the plan\'s quota is used up","code":"BLOCKED"}',
          };
        }
        return "pass";
      });
      const policy = { onFailure: "quarantine", maxFailures: 2 } as const;
      const report = await scene.rollOut([init, once], { policy, context });
      assert.deepEqual(byState(report), { migrated: ["t1", "t4", "t5"], failed: ["t2", "t3"] });
      assert.match(outcome(report, "t2").why!, /quota exceeded/);
      assert.match(outcome(report, "t3").why!, /quota is used up/);
      const last = await scene.rollOut([init, once], { policy });
      assert.deepEqual(byState(last), { current: ["t1", "t4", "t5"], migrated: ["t2", "t3"] });
    });
  });

  it("waits for a locked tenant while it does the others", async () => {
    await withFleet(8, async (scene) => {
      const unlock = await lock(scene, "t3");
      let unlocked: Promise<void> | undefined;
      const report = await scene.rollOut([init, once], {
        policy: { canary: 0, concurrency: 2 },
        onProgress: ({ done }) => {
          if (done === 7) unlocked ??= unlock();
        },
      });
      await unlocked;
      assert.deepEqual(Object.keys(byState(report)), ["migrated"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
    });
  });

  it("tries a tenant again that says it is locked", async () => {
    await withFleet(3, async (scene) => {
      const isBusy = isMigrationOf("t2");
      let refused = 0;
      const { context } = await scene.bench.contextOn((call) => (isBusy(call) && ++refused <= 3 ? busy : "pass"));
      const report = await scene.rollOut([init, once], { context });
      assert.equal(refused, 4);
      assert.deepEqual(Object.keys(byState(report)), ["migrated"]);
    });
  });

  it("gives a locked tenant up after lockTimeout, and does not quarantine it: the lock is nobody's migration", async () => {
    await withFleet(4, async (scene) => {
      const unlock = await lock(scene, "t3");
      const policy = { canary: 0, lockTimeout: "1s", onFailure: "quarantine", maxFailures: 1 } as const;
      const began = Date.now();
      const report = await scene.rollOut([init, once], { policy });
      // The platform itself waits up to 5 s for a lock: one such wait, not many.
      assert.ok(Date.now() - began < 9_000, `${Date.now() - began} ms`);
      assert.deepEqual(byState(report), { migrated: ["t1", "t2", "t4"], failed: ["t3"] });
      assert.match(outcome(report, "t3").why!, /database is locked/);
      await unlock();
      assert.deepEqual(byState(await scene.rollOut([init, once]))["migrated"], ["t3"]);
    });
  });

  it("says that it does not know of a tenant that is out of time, and lets go of it", async () => {
    await withFleet(4, async (scene) => {
      const isLate = isMigrationOf("t3");
      const { context, line } = await scene.bench.contextOn((call) => (isLate(call) ? busy : "pass"));
      const policy = { canary: 0, lockTimeout: "1m", timeout: "1s", onFailure: "quarantine", maxFailures: 1 } as const;
      const report = await scene.rollOut([init, once], { policy, context });
      assert.deepEqual(byState(report), { migrated: ["t1", "t2", "t4"], unknown: ["t3"] });
      assert.match(outcome(report, "t3").why!, /^t3: not done after 1 s; it may still be under way\. Run it again/);
      const attempts = line.calls.filter(isLate).length;
      assert.ok(attempts > 1);
      // Longer than it would wait until the next attempt.
      await sleep(2_500);
      assert.equal(line.calls.filter(isLate).length, attempts);
      assert.deepEqual(byState(await scene.rollOut([init, once])), { current: ["t1", "t2", "t4"], migrated: ["t3"] });
    });
  });

  it("applies once what it is not told of: the reply of a migration is lost", async () => {
    await withFleet(4, async (scene) => {
      let lost = 0;
      const isLost = isMigrationOf("t3");
      const { context } = await scene.bench.contextOn((call) => (isLost(call) && lost++ === 0 ? "lose" : "pass"));
      const report = await scene.rollOut([init, once], { context });
      assert.equal(lost, 2);
      assert.deepEqual(Object.keys(byState(report)), ["migrated"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
    });
  });

  it("ends when the platform dies in the second wave, and goes on when it is back", async () => {
    await withFleet(20, async (scene) => {
      const { directory, url, close } = scene.bench.platform;
      let died: Promise<void> | undefined;
      const notes: string[] = [];
      const policy = { canary: 1, waves: [0.5, 1], concurrency: 2 };
      const report = await scene.rollOut([init, once], {
        policy,
        note: (text) => notes.push(text),
        onProgress: ({ done }) => {
          if (done === 13) died ??= close();
        },
      });
      await died;
      const { migrated = [], skipped = [], failed = [], unknown = [] } = byState(report);
      assert.ok(migrated.length >= 13 && migrated.length <= 15, String(migrated));
      assert.ok(failed.length + unknown.length >= 1 && failed.length + unknown.length <= 2);
      assert.equal(migrated.length + skipped.length + failed.length + unknown.length, 20);
      assert.match(report.stopped!, /failed, and maxFailures allows 0/);
      assert.equal(notes.length, 1, notes.join("\n"));

      const again = await startLocalPlatform({ directory, port: Number(new URL(url).port) });
      try {
        const resumed = await scene.prepare([init, once], { policy });
        assert.deepEqual(resumed.plan.waves.map(({ title }) => title).slice(-1), ["wave 2 (to 100 %)"]);
        assert.deepEqual(Object.keys(byState(await scene.run(resumed))).sort(), ["current", "migrated"]);
        assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
      } finally {
        await again.close();
      }
    });
  });

  it("leaves tenants alone that are ahead of the template", async () => {
    await withFleet(4, async (scene) => {
      const [ahead] = scene.tenants;
      await scene.rollOut([init, once, migrationOf("0003_more", "CREATE TABLE more (x)")], { tenants: [ahead!] });
      const report = await scene.rollOut([init, once]);
      assert.deepEqual(byState(report), { migrated: ["t2", "t3", "t4"], skipped: ["t1"] });
      assert.equal(outcome(report, "t1").why, "it is ahead: the template ends at 0002_once");
      assert.equal(outcome(report, "t1").version, "0003_more");
      assert.equal(verdict(report, { onFailure: "stop" }), undefined);
    });
  });

  it("refuses an edited history before anybody is touched, and names who has it", async () => {
    await withFleet(6, async (scene) => {
      const { context, line } = await scene.bench.contextOn(() => "pass");
      const edited = migrationOf(init.id, `${init.sql} -- better`);
      await scene.rollOut([init, once], { tenants: scene.tenants.slice(0, 2) });
      await assert.rejects(scene.prepare([edited, once], { context }), {
        code: "migration-invalid",
        message:
          /^t1: migration migrations\/0001_init\.sql was edited since \(then \w{12}, now \w{12}\)\. The same or alike with 5 more: t2, t3, t4, t5, t6\. No tenant was touched\. /s,
      });
      assert.deepEqual(
        line.calls.filter(({ body }) => /INSERT|UPDATE|CREATE/.test(body)),
        [],
      );
    });
  });

  it("goes on without a registry that is deleted in the middle, and says so once", async () => {
    await withFleet(12, async (scene) => {
      const notes: string[] = [];
      await scene.spoil(["t05", "t06", "t07"]);
      const unique = migrationOf("0002_unique", "CREATE UNIQUE INDEX people_email ON people (email)");
      let deleted: Promise<unknown> | undefined;
      const report = await scene.rollOut([init, unique], {
        policy: { concurrency: 1, maxFailures: 3, onFailure: "quarantine" },
        note: (text) => notes.push(text),
        onProgress: ({ done }) => {
          if (done === 2) deleted ??= scene.bench.api("DELETE", "/databases/tenantry-registry-eu");
        },
      });
      await deleted;
      assert.equal(report.stopped, undefined);
      assert.deepEqual(byState(report)["quarantined"], ["t05", "t06", "t07"]);
      assert.equal(byState(report)["migrated"]?.length, 9);
      assert.equal(notes.length, 1, notes.join("\n"));
      assert.match(
        notes[0]!,
        /^The registry of group "eu" cannot be used, so that this run can neither be stopped nor shown: /,
      );
    });
  });

  it("goes on without a registry that answers nobody, and says so once", async () => {
    await withFleet(6, async (scene) => {
      const notes: string[] = [];
      const { context } = await scene.bench.contextOn(({ path, body }) =>
        path.startsWith("/db/tenantry-registry-eu/") && body.includes("rollouts") ? "drop" : "pass",
      );
      const report = await scene.rollOut([init, once], { context, stack: "o/p/s", note: (text) => notes.push(text) });
      assert.deepEqual(Object.keys(byState(report)), ["migrated"]);
      assert.equal(notes.length, 1, notes.join("\n"));
    });
  });

  it("fails as a whole where the platform takes its token from nobody", async () => {
    await withFleet(6, async (scene) => {
      const context = scene.bench.context({ config: { apiToken: "wrong" } });
      await assert.rejects(scene.prepare([init, once], { context }), { code: "credentials-rejected" });
      assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init"]);
    });
  });
});

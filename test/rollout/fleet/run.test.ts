import assert from "node:assert/strict";
import fc from "fast-check";
import { verdict } from "../../../provider/rollout/fleet/report";
import { byState, init, migrationOf, once, unique, withFleet } from "./fleet-scene";

const policyOf = { onFailure: "stop" } as const;

describe("runFleet", function () {
  this.timeout(120_000);

  it("goes canary first, then wave by wave, each tenant once and never more at a time than it may", async () => {
    await withFleet(20, async (scene) => {
      const stages: string[] = [];
      const begun: [string, string][] = [];
      let open = 0;
      let most = 0;
      const report = await scene.rollOut([init, once], {
        policy: { canary: ["t07"], waves: [0.5, 1], concurrency: 4 },
        onProgress: ({ stage, done }) => {
          if (stages.at(-1) !== stage) stages.push(stage);
          open = begun.length - done;
        },
        onBegun: (name) => {
          begun.push([stages.at(-1)!, name]);
          most = Math.max(most, ++open);
        },
      });
      assert.deepEqual(stages, ["canary", "wave 1 (to 50 %)", "wave 2 (to 100 %)", "ended"]);
      const of = (stage: string): string[] => begun.filter(([at]) => at === stage).map(([, name]) => name);
      assert.deepEqual(of("canary"), ["t07"]);
      assert.deepEqual(of(stages[1]!), ["t01", "t02", "t03", "t04", "t05", "t06", "t08", "t09", "t10"]);
      assert.deepEqual(of(stages[2]!), ["t11", "t12", "t13", "t14", "t15", "t16", "t17", "t18", "t19", "t20"]);
      assert.equal(most, 4);
      assert.deepEqual(Object.keys(byState(report)), ["migrated"]);
      assert.equal(report.stopped, undefined);
      assert.equal(verdict(report, policyOf), undefined);
      assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init 0002_once"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);

      const again = await scene.rollOut([init, once]);
      assert.deepEqual(Object.keys(byState(again)), ["current"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
    });
  });

  it("touches nobody else when the canary fails, whatever the budget", async () => {
    await withFleet(12, async (scene) => {
      await scene.spoil(["t03"]);
      const report = await scene.rollOut([init, unique], { policy: { canary: ["t03"], maxFailures: "100%" } });
      const { failed, skipped } = byState(report);
      assert.deepEqual(failed, ["t03"]);
      assert.equal(skipped?.length, 11);
      assert.equal(report.stopped, "the canary t03 failed");
      const { why, version } = report.outcomes.find(({ name }) => name === "t03")!;
      assert.match(why!, /^t03: migrations\/0002_unique\.sql, line 2: .*UNIQUE constraint failed: people\.email/);
      assert.equal(version, "0001_init");
      assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init"]);
      assert.deepEqual([...new Set((await scene.counters()).values())], [0]);
      assert.match(
        verdict(report, policyOf)!.message,
        /^schema "app": 0 of 12 tenants are at 0002_unique; the canary t03 failed\.\n {2}t03: failed: migrations/,
      );

      await scene.heal(["t03"]);
      assert.deepEqual(Object.keys(byState(await scene.rollOut([init, unique]))), ["migrated"]);
    });
  });

  it("begins no other canary when one of several has failed", async () => {
    await withFleet(6, async (scene) => {
      await scene.spoil(["t2"]);
      const report = await scene.rollOut([init, unique], {
        policy: { canary: 4, concurrency: 1, maxFailures: "100%" },
      });
      assert.deepEqual(byState(report), { migrated: ["t1"], failed: ["t2"], skipped: ["t3", "t4", "t5", "t6"] });
    });
  });

  it("ends at the failure that is one too many, and goes to the end within a share", async () => {
    await withFleet(100, async (scene) => {
      const spoilt = ["t011", "t031", "t051", "t071", "t091"];
      await scene.spoil(spoilt);
      const begun: string[] = [];
      const policy = { canary: 1, concurrency: 4, maxFailures: 3 };
      let spentAfter: number | undefined;
      const report = await scene.rollOut([init, unique], {
        policy,
        onBegun: (name) => begun.push(name),
        onProgress: ({ failures }) => (failures.length > 3 ? (spentAfter ??= begun.length) : undefined),
      });
      const states = byState(report);
      assert.ok(states["failed"]!.length > 3 && states["failed"]!.length <= 3 + 4, String(states["failed"]));
      assert.equal(report.stopped, "4 failed, and maxFailures allows 3");
      // In order, until the fourth has failed: from then on nobody.
      assert.ok(begun.length >= 71 && begun.length < 100, `${begun.length} begun`);
      assert.equal(begun.length, spentAfter);
      assert.deepEqual(
        begun,
        scene.tenants.slice(0, begun.length).map(({ name }) => name),
      );
      const left = scene.tenants.slice(begun.length).map(({ name }) => name);
      assert.deepEqual(states["skipped"], left);
      const ledgers = await scene.ledgers();
      assert.deepEqual(ledgers["0001_init"], [...states["failed"]!, ...left].sort());
      assert.deepEqual(ledgers["0001_init 0002_unique"], states["migrated"]);

      // Of those that are behind, whose number depends on who was under way at the end.
      const share = Math.ceil((100 * spoilt.length) / (states["failed"]!.length + left.length));
      const rest = await scene.rollOut([init, unique], { policy: { canary: ["t100"], maxFailures: `${share}%` } });
      assert.equal(rest.stopped, undefined);
      assert.deepEqual(byState(rest)["failed"], spoilt);
      assert.equal(byState(rest)["skipped"], undefined);
      assert.match(
        verdict(rest, policyOf)!.message,
        /^schema "app": 95 of 100 tenants are at 0002_unique\.\n {2}t011: failed/,
      );

      await scene.heal(spoilt);
      const last = await scene.rollOut([init, unique]);
      assert.deepEqual(byState(last)["migrated"], spoilt);
      assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
    });
  });

  it("goes to the end where five of a hundred fail and a tenth may", async () => {
    await withFleet(100, async (scene) => {
      const spoilt = ["t020", "t040", "t060", "t080", "t100"];
      await scene.spoil(spoilt);
      const report = await scene.rollOut([init, unique], { policy: { waves: [0.1, 0.5, 1], maxFailures: "10%" } });
      assert.equal(report.stopped, undefined);
      assert.deepEqual(byState(report)["failed"], spoilt);
      assert.deepEqual((await scene.ledgers())["0001_init"], spoilt);
    });
  });

  it("begins nobody after the budget is spent, whoever fails; and once healed, the rest is done, each once", async () => {
    await withFleet(16, async (scene) => {
      const names = scene.tenants.map(({ name }) => name);
      const weather = fc.record({
        spoilt: fc.subarray(names),
        canary: fc.nat(3),
        concurrency: fc.integer({ min: 1, max: 20 }),
        waves: fc.constantFrom([1], [0.25, 1], [0.1, 0.5, 1]),
        maxFailures: fc.oneof(fc.nat(4), fc.constantFrom("10%", "25%", "50%")),
        onFailure: fc.constantFrom("stop" as const, "quarantine" as const),
      });
      let round = 1;
      let history = [init];
      await fc.assert(
        fc.asyncProperty(weather, async ({ spoilt, ...policy }) => {
          round += 1;
          const text = unique.sql.replace("INDEX people_email", `INDEX people_email_${round}`);
          const index = migrationOf(`${String(round).padStart(4, "0")}_unique`, text);
          const next = [...history, index];
          // The index of the round before would not let two of the same in.
          if (round > 2)
            await Promise.all(
              names.map(async (name) =>
                (await scene.sql(name)).execute({ sql: `DROP INDEX people_email_${round - 1}`, args: [] }),
              ),
            );
          await scene.spoil(spoilt);

          const allowed =
            typeof policy.maxFailures === "number"
              ? policy.maxFailures
              : Math.floor((parseInt(policy.maxFailures) * names.length) / 100);
          const begun: string[] = [];
          const tooLate: string[] = [];
          let missed = 0;
          let stage = "";
          const report = await scene.rollOut(next, {
            policy,
            onProgress: ({ counts, ...progress }) => {
              missed = counts.failed + counts.quarantined + counts.unknown;
              stage = progress.stage;
            },
            onBegun: (name) => {
              if (missed > (stage === "canary" ? 0 : allowed)) tooLate.push(`${name}, after ${missed} failures`);
              begun.push(name);
            },
          });
          assert.deepEqual(tooLate, []);
          const { migrated = [], failed = [], quarantined = [], skipped = [] } = byState(report);
          const missing = [...failed, ...quarantined];
          assert.equal(policy.onFailure === "stop" ? quarantined.length : failed.length, 0);
          assert.deepEqual([...migrated, ...missing].sort(), [...begun].sort());
          assert.deepEqual(skipped.concat(begun).sort(), names);
          assert.deepEqual(
            missing.filter((name) => !spoilt.includes(name)),
            [],
          );
          assert.equal(
            report.stopped === undefined,
            skipped.length === 0 &&
              missing.length <= allowed &&
              !missing.some((name) => names.indexOf(name) < policy.canary),
          );
          assert.deepEqual((await scene.ledgers())[next.map(({ id }) => id).join(" ")] ?? [], migrated);

          await scene.heal(spoilt);
          const registry = await scene.bench.context().registrySql("eu");
          await registry!
            .execute({ sql: "DELETE FROM quarantine WHERE template = 'app'", args: [] })
            .catch(() => undefined);
          assert.deepEqual(byState(await scene.rollOut(next))["failed"], undefined);
          assert.deepEqual([...new Set((await scene.counters()).values())], [round - 1]);
          history = next;
        }),
        { numRuns: 12 },
      );
    });
  });
});

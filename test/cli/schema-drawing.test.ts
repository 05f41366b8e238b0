// Long because it is one set of pictures, each held character by character, on one scene.
import assert from "node:assert/strict";
import fc from "fast-check";
import type { RolloutProgress } from "../../provider/rollout/fleet/progress";
import { countsOf } from "../../provider/rollout/fleet/report";
import type { TenantDrift } from "../../provider/rollout/schema/drift";
import { bar, percent } from "../../sdk/cli/schema/bar";
import { drawDrift } from "../../sdk/cli/schema/drift-drawing";
import { createPace } from "../../sdk/cli/schema/pace";
import { drawPlan } from "../../sdk/cli/schema/plan-drawing";
import { progressLine, progressText } from "../../sdk/cli/schema/progress-line";
import { createProgressView } from "../../sdk/cli/schema/progress-view";
import { reasonLines } from "../../sdk/cli/schema/reasons";
import type { KnownRun } from "../../sdk/cli/schema/registries";
import { clip, fold, screenOf } from "../../sdk/cli/schema/screen";
import type { FleetStanding, Standing, StandingTenant } from "../../sdk/cli/schema/standing";
import { drawStatus } from "../../sdk/cli/schema/status-drawing";
import { listed, table } from "../../sdk/cli/schema/table";

const plain = { width: 80, colours: false, live: false };
const live = { ...plain, live: true };
const now = Date.parse("2026-01-01T12:00:00Z");
const history = ["0001_init", "0002_done", "0003_due"].map((id) => ({ id, hash: id }));

const progress = (more: Partial<RolloutProgress> = {}): RolloutProgress => ({
  ...{ stage: "wave 1 (to 10 %)", wave: 2, waves: 3, done: 412, planned: 988, failures: [] },
  counts: { ...countsOf([]), migrated: 412 },
  ...more,
});

const run = (more: Partial<KnownRun> = {}): KnownRun => ({
  ...{ id: "r1", template: "app", target: "0003_due", startedBy: "tenantry schema apply", groups: ["eu"], stop: false },
  ...{ startedAt: "2026-01-01T11:50:00Z", beatAt: "2026-01-01T11:59:59Z", endedAt: undefined, progress: progress() },
  ...more,
});

const many = (count: number, state: Standing, version?: string, more: Partial<StandingTenant> = {}): StandingTenant[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${state}-${i}`, group: "eu", state, version, ...more }));

const fleet = (more: Partial<FleetStanding> = {}): FleetStanding => ({
  ...{ template: "app", history, runs: [], statementOf: () => undefined },
  tenants: [
    ...many(912, "current", "0003_due"),
    ...many(79, "behind", "0002_done"),
    ...many(4, "behind"),
    ...many(2, "skipped", undefined, { why: "its writes are blocked" }),
    ...many(1, "quarantined", "0002_done", {
      why: "quarantined-0: migrations/0003_due.sql, line 2: no such table: nots. Nothing of that file was applied. Correct it.",
    }),
    ...many(2, "unknown", undefined, { why: "there is no database of that name" }),
  ],
  ...more,
});

describe("what `tenantry schema` draws", () => {
  describe("status", () => {
    it("shows versions as bars, states as counts, and who is off and why", () => {
      const statementOf = (why?: string) => (why?.includes("line 2") ? "INSERT INTO nots VALUES (1)" : undefined);
      assert.deepEqual(drawStatus(fleet({ statementOf }), plain, now), [
        "app: 1000 tenants, to be at 0003_due",
        "",
        "  0003_due   ████████████████████████████████████░░░░  912  91.2 %",
        "  0002_done  ███░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   80   8.0 %",
        "  none       █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    4   0.4 %",
        "  unknown    █░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░    4   0.4 %",
        "",
        "  912 current, 83 behind, 1 quarantined, 2 skipped, 2 unknown",
        "",
        "  quarantined  quarantined-0: migrations/0003_due.sql, line 2: no such table: nots",
        "                 INSERT INTO nots VALUES (1)",
        "  skipped      skipped-0, skipped-1: its writes are blocked",
        "  unknown      unknown-0, unknown-1: there is no database of that name",
      ]);
    });

    it("shows the target where nobody has it, and a fleet without tenants", () => {
      assert.deepEqual(drawStatus(fleet({ tenants: many(3, "behind", "0001_init") }), plain, now).slice(2, 4), [
        "  0003_due   ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0    0 %",
        "  0001_init  ████████████████████████████████████████  3  100 %",
      ]);
      assert.equal(drawStatus(fleet({ tenants: [] }), plain, now).at(-1), "  no tenants");
    });

    it("says whether the last run is under way, was asked to stop, broke off or has ended, and whom it failed on", () => {
      const said = (more: Partial<KnownRun>) =>
        drawStatus(fleet({ tenants: [], runs: [run(more)] }), plain, now).slice(6);
      assert.deepEqual(said({}), [
        "Under way to 0003_due: wave 1 (to 10 %), 412 of 988 done (41.7 %), begun 10m ago by tenantry schema apply.",
      ]);
      assert.match(said({ stop: true })[0]!, /apply\. It was asked to stop\.$/);
      assert.deepEqual(said({ beatAt: "2026-01-01T11:57:00Z" }), [
        "The last run, to 0003_due, broke off in wave 1 (to 10 %): 412 of 988 done (41.7 %), not heard of for 3m, begun 10m ago by tenantry schema apply. The next one goes on with it.",
      ]);
      const failures = [
        { name: "acme", error: "acme: migrations/0003_due.sql, line 2: no. Nothing of that file was applied." },
      ];
      const ended = {
        endedAt: "2026-01-01T11:59:00Z",
        progress: progress({ failures, stopped: "the canary acme failed" }),
      };
      assert.deepEqual(said(ended), [
        "The last run, to 0003_due, ended 60s ago: 412 of 988 done (41.7 %), begun by tenantry schema apply.",
        "It ended early: the canary acme failed.",
        "  acme: migrations/0003_due.sql, line 2: no",
      ]);
    });

    it("keeps within a terminal's width, and has colours only where they are wanted", () => {
      for (const width of [80, 120]) {
        const lines = drawStatus(fleet(), { ...live, width }, now);
        for (const line of lines) assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
      }
      const uncoloured = drawStatus(fleet(), { ...plain, colours: true }, now)
        .join("\n")
        .replace(/\u001b\[\d+m/g, "");
      assert.equal(uncoloured, drawStatus(fleet(), plain, now).join("\n"));
    });
  });

  describe("plan", () => {
    const migrations = history.map(({ id, hash }) => {
      const sql = `-- ${id}\nALTER TABLE notes\n  ADD COLUMN ${id.slice(5)}`;
      const statements = [{ sql, line: 2 }];
      return {
        id,
        hash,
        file: `migrations/${id}.sql`,
        sql,
        statements,
        transaction: true,
        foreignKeys: "kept",
      } as const;
    });
    const tenant = (name: string, had: number) => ({ name, group: "eu", had });

    it("shows who comes from where, in which waves, who stays and why, and the statements with what they destroy", () => {
      const waves = [
        { title: "canary", tenants: [tenant("a", 1)] },
        { title: "wave 1 (to 100 %)", tenants: [tenant("b", 2), tenant("c", 1), tenant("d", 1), tenant("e", 1)] },
      ];
      const settled = [
        { name: "f", group: "eu", state: "current", version: "0003_due" } as const,
        { name: "g", group: "eu", state: "skipped", why: "its reads are blocked" } as const,
      ];
      const { sql } = migrations[2]!;
      const findings = [
        {
          migration: "0003_due",
          file: "",
          line: 2,
          kind: "drop-column",
          what: "notes.x goes",
          sql: sql.slice(12),
        } as const,
        { migration: "0003_due", file: "", line: 2, kind: "unique", what: "of another", sql: "SELECT 1" } as const,
        {
          migration: "0003_due",
          file: "",
          line: 2,
          kind: "unique",
          what: "twice?",
          sql: sql.slice(12),
          guessed: true,
        } as const,
      ];
      const plan = { template: "app", history, waves, settled };
      assert.deepEqual(drawPlan({ plan, migrations, findings }, { allowDestructive: [] }, plain), [
        "app: 5 of 7 tenants to be brought to 0003_due, 1 there already.",
        "",
        "  FROM       TO        TENANTS  PENDING",
        "  0001_init  0003_due        4  0002_done, 0003_due",
        "  0002_done  0003_due        1  0003_due",
        "",
        "  WAVE               TENANTS  WHO",
        "  canary                   1  a",
        "  wave 1 (to 100 %)        4  b, c, d and 1 more",
        "",
        "Left as they are:",
        "  skipped  g: its reads are blocked",
        "",
        "0002_done, for 4 tenants",
        "  migrations/0002_done.sql:2  ALTER TABLE notes ADD COLUMN done",
        "0003_due, for 5 tenants",
        "  migrations/0003_due.sql:2  ALTER TABLE notes ADD COLUMN due",
        "                             LOSES DATA: notes.x goes",
        "                             MAY FAIL OR CHANGE ROWS: twice? (guessed from the text)",
      ]);
    });

    it("is one line where there is nothing to do", () => {
      const settled = [{ name: "f", group: "eu", state: "current", version: "0003_due" } as const];
      const plan = { template: "app", history, waves: [], settled };
      assert.deepEqual(drawPlan({ plan, migrations, findings: [] }, { allowDestructive: [] }, plain), [
        "app: 0 of 1 tenant to be brought to 0003_due, 1 there already.",
      ]);
    });
  });

  describe("drift", () => {
    it("shows differences once for all tenants that have the same, and who could not be compared", () => {
      const differences = [
        { kind: "added", object: "table", name: "audit" } as const,
        { kind: "changed", object: "column", name: "notes.text", change: "type: INTEGER, expected TEXT" } as const,
      ];
      const found: TenantDrift[] = [
        { tenant: "a", state: "drifted", version: "0002_done", differences },
        { tenant: "b", state: "in-sync", version: "0003_due" },
        { tenant: "c", state: "drifted", version: "0002_done", differences },
        { tenant: "d", state: "drifted", version: undefined, differences: differences.slice(0, 1) },
        { tenant: "e", state: "unknown", reason: "nobody answers" },
      ];
      assert.deepEqual(drawDrift(found, plain), [
        "1 in-sync, 3 drifted, 1 unknown",
        "",
        "a, c (at 0002_done):",
        "  added    table   audit",
        "  changed  column  notes.text: type: INTEGER, expected TEXT",
        "",
        "d (at nothing applied):",
        "  added  table  audit",
        "",
        "unknown  e: nobody answers",
      ]);
    });
  });

  describe("progress", () => {
    it("has bar, share, rate, failures and time left on one line", () => {
      const one = progress({ counts: { ...countsOf([]), migrated: 410 } });
      assert.equal(
        progressLine(one, { rate: 38.2, left: 75 }, plain),
        "wave 1 (to 10 %)  ███████░░░░░░░░░░  412/988  41.7 %  2 failed  38/s  ETA 1m15s",
      );
      assert.equal(
        progressText(one, { rate: 0.25, left: 2304 }),
        "wave 1 (to 10 %): 412 of 988 (41.7 %), 2 failed, 0.3/s, ETA 38m24s",
      );
      assert.equal(
        progressText(progress({ stage: "verify" }), { rate: undefined, left: undefined }),
        "verify: 412 of 988 (41.7 %)",
      );
      const ended = progress({ stage: "ended", done: 988, counts: { ...countsOf([]), migrated: 988 } });
      assert.equal(progressText(ended, { rate: 50, left: 0 }), "ended: 988 of 988 (100 %), 50/s");
    });

    it("is never as wide as the terminal", () => {
      const numbers = fc.record({
        done: fc.nat(99999),
        planned: fc.integer({ min: 1, max: 99999 }),
        width: fc.integer({ min: 40, max: 200 }),
      });
      fc.assert(
        fc.property(numbers, fc.string({ maxLength: 60 }), ({ done, planned, width }, stage) => {
          const line = progressLine(
            progress({ done: Math.min(done, planned), planned, stage }),
            { rate: 3, left: 9 },
            { ...plain, width },
          );
          assert.ok(line.length < width && !line.includes("\n"), line);
        }),
      );
    });

    it("is drawn over on a terminal, ten times a second at most, below what stays", () => {
      let at = 0;
      let written = "";
      const view = createProgressView({ ...live, write: (text) => (written += text) }, () => at);
      for (let done = 0; done < 50; done++, at += 10) view.show(progress({ done, planned: 50, stage: "canary" }));
      assert.equal(written.split("\r\u001b[2K").length - 1, 5);
      written = "";
      view.show(
        progress({
          done: 50,
          planned: 50,
          stage: "canary",
          failures: [{ name: "acme", error: "acme: no such table" }],
        }),
      );
      view.say("Stopping.");
      view.close();
      const [failure, stopping, rest] = written.split("\n");
      assert.equal(failure, "\r\u001b[2Kacme: no such table");
      assert.match(stopping!, /^\r\u001b\[2Kcanary .*\r\u001b\[2KStopping\.$/);
      assert.equal(rest, "");
    });

    it("is a line for each stage elsewhere, and one for each tenth or ten seconds; a failure is told once", () => {
      let at = 0;
      let written = "";
      const view = createProgressView({ ...plain, write: (text) => (written += text) }, () => at);
      const failures = [{ name: "acme", error: "no such table" }];
      for (const done of [0, 1, 5, 9, 10, 12, 20]) view.show(progress({ done, planned: 100, stage: "canary" }));
      at = 10_000;
      view.show(progress({ done: 21, planned: 100, stage: "canary", failures }));
      view.show(progress({ done: 21, planned: 100, stage: "wave 1", failures }));
      view.close();
      assert.deepEqual(
        written.split("\n").map((line) => line.replace(/ \(.*/, "")),
        [
          "canary: 0 of 100",
          "canary: 10 of 100",
          "canary: 20 of 100",
          "acme: no such table",
          "canary: 21 of 100",
          "wave 1: 21 of 100",
          "",
        ],
      );
    });

    it("reckons the time left by the pace of the last half a minute", () => {
      const pace = createPace();
      pace.note(0, 0);
      assert.deepEqual([pace.rate(0), pace.left(100, 0)], [undefined, undefined]);
      pace.note(10, 10_000);
      assert.deepEqual([pace.rate(10_000), pace.left(100, 10_000)], [1, 90]);
      for (let second = 11; second <= 60; second++) pace.note(second * 2 - 10, second * 1000);
      assert.equal(pace.rate(60_000), 2);
      assert.equal(pace.left(210, 60_000), 50);
      // Nobody has ended since.
      assert.ok(pace.rate(90_000)! < 2);
    });
  });

  describe("parts", () => {
    it("a bar and a share never show something as nothing, nor a part as the whole", () => {
      fc.assert(
        fc.property(
          fc.nat(20_000),
          fc.integer({ min: 1, max: 20_000 }),
          fc.integer({ min: 2, max: 60 }),
          (of, whole, width) => {
            const part = Math.min(of, whole);
            const drawn = bar(part, whole, width, plain, "green");
            assert.equal(drawn.length, width);
            assert.equal(drawn.includes("█"), part > 0);
            assert.equal(drawn.includes("░"), part < whole);
            assert.equal(percent(part, whole) === "0 %", part === 0);
            assert.equal(percent(part, whole) === "100 %", part === whole);
          },
        ),
      );
      assert.deepEqual([percent(1, 10_000), percent(9999, 10_000), percent(1, 3)], ["<0.1 %", ">99.9 %", "33.3 %"]);
    });

    it("a table puts numbers to the right and leaves no blanks at the ends", () => {
      assert.deepEqual(
        table(
          [
            ["A", "N", "B"],
            ["a", "10", ""],
          ],
          [1],
        ),
        ["A   N  B", "a  10"],
      );
      assert.equal(listed(["a", "b", "c", "d"]), "a, b, c and 1 more");
    });

    it("reasons that tenants share are told once, and not all of many", () => {
      const tenants = Array.from({ length: 30 }, (_, i) => ({
        name: `t${i}`,
        state: "unknown",
        why: `reason ${i % 15}`,
      }));
      const lines = reasonLines(tenants, plain);
      assert.deepEqual(
        [lines[0], lines.length, lines.at(-1)],
        ["unknown  t0, t15: reason 0", 11, "         and 5 more"],
      );
    });

    it("a text is parted at spaces for a terminal, nothing of it lost, and stays one line elsewhere", () => {
      const text = `where ${"x".repeat(30)} is  long\nand more`;
      assert.deepEqual(fold(text, plain, 20), [text.replace(/\s+/g, " ")]);
      assert.deepEqual(fold(text, live, 20), ["where xxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxx is", "long and more"]);
      assert.deepEqual(fold("a b c d", live, 3, 2), ["a b", "c d"]);
      assert.deepEqual(fold("a long line that goes on", live, 8, 2), ["a long", "line..."]);
      const reasons = reasonLines([{ name: "t1", state: "failed", why: `t1: ${"no such table ".repeat(9)}` }], live);
      assert.ok(reasons.length > 1 && reasons.every((line) => line.length <= live.width));
      assert.equal(
        reasons
          .join(" ")
          .replace(/\s+/g, " ")
          .match(/no such table/g)?.length,
        9,
      );
    });

    it("a screen knows a terminal, NO_COLOR and TERM=dumb", () => {
      const stream = (more: object) =>
        ({ isTTY: true, columns: 120, write: () => true, ...more }) as never as NodeJS.WriteStream;
      const seen = (more: object, env = {}) => {
        const { live, colours, width } = screenOf(stream(more), env);
        return [live, colours, width];
      };
      assert.deepEqual(seen({}), [true, true, 120]);
      assert.deepEqual(seen({}, { NO_COLOR: "1" }), [true, false, 120]);
      assert.deepEqual(seen({}, { TERM: "dumb" }), [false, false, 120]);
      assert.deepEqual(seen({ columns: 3 }), [true, true, 40]);
      assert.deepEqual(seen({ isTTY: false, columns: undefined }, { COLUMNS: "200" }), [false, false, 80]);
      assert.equal(clip("a  b\nc", 80), "a b c");
      assert.equal(clip("a long line", 8), "a lon...");
    });
  });
});

import assert from "node:assert/strict";
import type { Finding } from "../../../provider/rollout/schema/finding";
import { type Observation, planFleet } from "../../../provider/rollout/fleet/plan";
import { planText } from "../../../provider/rollout/fleet/plan-text";
import type { Migration } from "../../../provider/rollout/source";

const migrations = ["0001_init", "0002_notes", "0003_tags"].map((id, i): Migration => ({
  id,
  hash: `h${i}`,
  file: `migrations/${id}.sql`,
  sql: "",
  statements: Array.from({ length: 5 }, (_, at) => ({ sql: `ALTER TABLE\n t ADD COLUMN c${i}_${at}`, line: at + 1 })),
  transaction: true,
  foreignKeys: "kept",
}));
const history = migrations.map(({ id, hash }) => ({ id, hash }));

function plan(size: number, observe: (i: number) => Observation, waves = [0.1, 0.5, 1]) {
  const tenants = Array.from({ length: size }, (_, i) => ({ name: `t${i}`, group: "eu" }));
  return planFleet({
    template: "app",
    history,
    tenants,
    observed: ({ name }) => observe(Number(name.slice(1))),
    quarantined: ({ name }) => (name === "t20" ? "UNIQUE constraint failed" : undefined),
    policy: { canary: 1, waves },
  });
}

describe("a plan for people", () => {
  it("says who is brought where, in which order, by what, in at most 25 lines for 1,000 tenants", () => {
    const text = planText(
      plan(1_000, (i) => {
        if (i === 7) return { closed: "its reads are blocked" };
        if (i >= 8 && i < 13) return { unknown: `no answer ${"x".repeat(200)}` };
        if (i === 999) return { unknown: "there is no database of that name" };
        return { applied: history.slice(0, i % 4) };
      }),
      { migrations, fresh: new Set(["t999"]), findings: [finding("0003_tags")] },
    );
    assert.ok(text.length <= 25, `${text.length} lines`);
    assert.ok(text.every((line) => line.length < 400));
    assert.deepEqual(text.slice(0, 6), [
      'schema "app": 745 of 1,000 tenants to be brought to 0003_tags',
      "  new: 1, made with 0003_tags",
      "  at 0003_tags: 247",
      "  from nothing: 247, to apply: 0001_init, 0002_notes, 0003_tags",
      "  from 0001_init: 249, to apply: 0002_notes, 0003_tags",
      "  from 0002_notes: 249, to apply: 0003_tags",
    ]);
    assert.equal(text[6], "  skipped: 1: t7 (its reads are blocked)");
    assert.equal(
      text[7],
      "  quarantined: 1: t20 (UNIQUE constraint failed); left out until `tenantry schema release` or another template",
    );
    assert.match(text[8]!, /^ {2}unknown: 5: t8 \(no answer x+\.\.\.\), t9 \(.*\), t10 \(.*\) and 2 more$/);
    assert.deepEqual(text.slice(9), [
      "  canary: 1: t0",
      "  wave 1 (to 10 %): 69: t1, t2, t4 and 66 more",
      "  wave 2 (to 50 %): 300: t100, t101, t102 and 297 more",
      "  wave 3 (to 100 %): 375: t500, t501, t502 and 372 more",
      ...[1, 2, 3, 4, 5].map((line) => `  migrations/0001_init.sql:${line}: ALTER TABLE t ADD COLUMN c0_${line - 1}`),
      "  and 10 more statements",
      "  drop-column: migrations/0003_tags.sql:4: notes.body goes",
    ]);
  });

  it("is one line where nothing is to be done", () => {
    assert.deepEqual(
      planText(
        plan(3, () => ({ applied: history })),
        { migrations },
      ),
      ['schema "app": 0 of 3 tenants to be brought to 0003_tags'],
    );
  });

  it("counts what is too much to write out", () => {
    const waves = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    const text = planText(plan(40, () => ({ applied: [] }), waves));
    assert.equal(text.at(-1), "  and 16 more waves");
  });
});

const finding = (migration: string): Finding => ({
  migration,
  file: `migrations/${migration}.sql`,
  line: 4,
  kind: "drop-column",
  what: "notes.body goes",
  sql: "ALTER TABLE notes DROP COLUMN body",
});

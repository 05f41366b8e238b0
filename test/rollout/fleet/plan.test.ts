import assert from "node:assert/strict";
import fc from "fast-check";
import { type FleetPlan, type Observation, planFleet, plannedTenants } from "../../../provider/rollout/fleet/plan";
import type { Labels, Policy } from "../../../provider/rollout/fleet/policy";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import type { MigrationRef } from "../../../provider/rollout/source";

type PlanPolicy = Pick<Policy, "canary" | "waves">;

interface Fleet {
  readonly history: readonly MigrationRef[];
  readonly tenants: readonly FleetTenant[];
  readonly observed: ReadonlyMap<string, Observation>;
  readonly quarantined: ReadonlySet<string>;
  readonly policy: PlanPolicy;
}

const migrationRef = (n: number): MigrationRef => ({ id: `${String(n).padStart(4, "0")}_m`, hash: `hash of ${n}` });
const historyOf = (length: number): MigrationRef[] => Array.from({ length }, (_, i) => migrationRef(i + 1));

/** How a tenant stands to a history of `length`; `lacks`: it has so many of it. */
type Standing =
  { readonly has: number; readonly more?: number; readonly began?: string } | { readonly other: "closed" | "unknown" };
const standing = (length: number): fc.Arbitrary<Standing> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ has: fc.nat(length) }) },
    { weight: 1, arbitrary: fc.record({ has: fc.constant(length), more: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ has: fc.nat(length), began: fc.constant("0099_begun") }) },
    { weight: 1, arbitrary: fc.record({ other: fc.constantFrom("closed" as const, "unknown" as const) }) },
  );

function observationOf(standing: Standing): Observation {
  if ("other" in standing) return standing.other === "closed" ? { closed: "reads" } : { unknown: "nobody answers" };
  const { has, more = 0, began } = standing;
  return { applied: historyOf(has + more), began };
}

const share = fc.integer({ min: 1, max: 99 }).map((percent) => percent / 100);
const rings = ["alpha", "beta", "gamma"];
const labels = fc.option(
  fc.constantFrom(...rings).map((ring): Labels => ({ ring })),
  { nil: undefined },
);

/** Growing shares that end with everybody, and groups by label that somebody is in, among them. */
function policyFor(tenants: readonly FleetTenant[]): fc.Arbitrary<PlanPolicy> {
  const used = rings.filter((ring) => tenants.some((tenant) => tenant.labels?.["ring"] === ring));
  const byLabel = used.length > 0 ? [fc.constantFrom(...used).map((ring): Labels => ({ ring }))] : [];
  const canary: fc.Arbitrary<Policy["canary"]> = fc.oneof(
    fc.nat(4),
    fc.subarray(tenants.map(({ name }) => name)),
    ...byLabel,
  );
  const shares = fc.uniqueArray(share, { maxLength: 4 }).map((some) => some.sort((a, b) => a - b));
  const between = fc.array(fc.tuple(fc.nat(4), fc.oneof(...byLabel, fc.constant(undefined))), { maxLength: 2 });
  const waves = fc.tuple(shares, between).map(([growing, inserts]) => {
    const all: (number | Labels)[] = [...growing, 1];
    for (const [at, one] of inserts) if (one) all.splice(Math.min(at, all.length), 0, one);
    return all;
  });
  return fc.record({ canary, waves });
}

const fleet: fc.Arbitrary<Fleet> = fc.integer({ min: 1, max: 5 }).chain((length) =>
  fc
    .array(
      fc.record({
        labels,
        standing: standing(length),
        isQuarantined: fc.boolean(),
        group: fc.constantFrom("eu", "us"),
      }),
      { minLength: 1, maxLength: 40 },
    )
    .chain((drawn) => {
      const tenants = drawn.map(({ labels, group }, i): FleetTenant => ({ name: `t${i}`, group, labels }));
      return policyFor(tenants).map((policy) => ({
        history: historyOf(length),
        tenants,
        observed: new Map(drawn.map(({ standing }, i) => [`t${i}`, observationOf(standing)])),
        quarantined: new Set(drawn.flatMap(({ isQuarantined }, i) => (isQuarantined && i % 3 === 0 ? [`t${i}`] : []))),
        policy,
      }));
    }),
);

const planOf = ({ history, tenants, observed, quarantined, policy }: Fleet): FleetPlan =>
  planFleet({
    template: "app",
    history,
    tenants,
    observed: ({ name }) => observed.get(name)!,
    quarantined: ({ name }) => (quarantined.has(name) ? "it failed before" : undefined),
    policy,
  });

const names = (tenants: readonly FleetTenant[]): string[] => tenants.map(({ name }) => name);
const isPending = ({ history, observed, quarantined }: Fleet, { name }: FleetTenant): boolean => {
  const seen = observed.get(name)!;
  return (
    "applied" in seen && seen.began === undefined && seen.applied.length < history.length && !quarantined.has(name)
  );
};
const inOrder = (some: readonly FleetTenant[], all: readonly FleetTenant[]): void => {
  const chosen = new Set(names(some));
  assert.deepEqual(
    names(some),
    names(all).filter((name) => chosen.has(name)),
  );
};
const runs = { numRuns: 500 };

describe("planFleet", () => {
  it("puts every tenant in one place, and changes those with something pending and nobody else", () => {
    fc.assert(
      fc.property(fleet, (given) => {
        const plan = planOf(given);
        const planned = plannedTenants(plan);
        assert.deepEqual([...names(planned), ...names(plan.settled)].sort(), names(given.tenants).sort());
        assert.deepEqual(names(planned).sort(), names(given.tenants.filter((each) => isPending(given, each))).sort());
        for (const { name, had } of planned) {
          assert.deepEqual((given.observed.get(name) as { applied: unknown[] }).applied.length, had);
        }
        assert.ok(
          plan.waves.every(({ tenants }) => tenants.length > 0),
          "no empty wave",
        );
      }),
      runs,
    );
  });

  it("says of everybody else how they stand, and why", () => {
    fc.assert(
      fc.property(fleet, (given) => {
        for (const { name, state, version, why } of planOf(given).settled) {
          const seen = given.observed.get(name)!;
          if ("unknown" in seen) assert.deepEqual([state, version, why], ["unknown", undefined, "nobody answers"]);
          else if ("closed" in seen) assert.deepEqual([state, version, why], ["skipped", undefined, "reads"]);
          else {
            assert.equal(version, seen.applied.at(-1)?.id);
            const isAhead = seen.applied.length > given.history.length;
            if (seen.began !== undefined) assert.match(`${state}: ${why}`, /^skipped: 0099_begun was begun/);
            else if (isAhead) assert.match(`${state}: ${why}`, /^skipped: it is ahead/);
            else if (seen.applied.length === given.history.length)
              assert.deepEqual([state, why], ["current", undefined]);
            else assert.deepEqual([state, why], ["quarantined", "it failed before"]);
          }
        }
      }),
      runs,
    );
  });

  it("keeps the order that the tenants were given in, within each wave and among the settled", () => {
    fc.assert(
      fc.property(fleet, (given) => {
        const { waves, settled } = planOf(given);
        for (const { tenants } of waves) inOrder(tenants, given.tenants);
        inOrder(settled, given.tenants);
      }),
      runs,
    );
  });

  it("puts the canary first: the named, those with its labels, or the first so many that are pending", () => {
    fc.assert(
      fc.property(fleet, (given) => {
        const { canary } = given.policy;
        const pending = given.tenants.filter((each) => isPending(given, each));
        const expected =
          typeof canary === "number"
            ? pending.slice(0, canary)
            : pending.filter(({ name, labels }) =>
                Array.isArray(canary) ? canary.includes(name) : labels?.["ring"] === (canary as Labels)["ring"],
              );
        const { waves } = planOf(given);
        const at = waves.findIndex(({ title }) => title === "canary");
        assert.deepEqual(names(at < 0 ? [] : waves[at]!.tenants), names(expected));
        assert.ok(at <= 0);
      }),
      runs,
    );
  });

  it("takes exactly the share of the fleet that a wave says, counted with whole numbers", () => {
    const percents = fc
      .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 5 })
      .map((some) => [...some.sort((a, b) => a - b), 100]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), percents, (size, growing) => {
        const tenants = Array.from({ length: size }, (_, i) => ({ name: `t${i}`, group: "eu" }));
        const observed = new Map(tenants.map(({ name }) => [name, { applied: [] }]));
        const policy = { canary: 0, waves: growing.map((percent) => percent / 100) };
        const { waves } = planOf({ history: historyOf(1), tenants, observed, quarantined: new Set(), policy });
        let done = 0;
        for (const percent of growing) {
          const title = new RegExp(`\\(to ${percent} %\\)$`);
          done += waves.find((wave) => title.test(wave.title))?.tenants.length ?? 0;
          assert.equal(done, Math.floor((percent * size + 99) / 100), `${percent} % of ${size}`);
        }
      }),
      runs,
    );
  });

  it("takes those of a label, or up to a share, who are in no earlier part", () => {
    fc.assert(
      fc.property(fleet, (given) => {
        const { waves } = planOf(given);
        const taken = new Set(names(waves.find(({ title }) => title === "canary")?.tenants ?? []));
        // With a canary by name or label, those of it who have nothing pending are in no later part either: none is planned.
        given.policy.waves.forEach((wave, i) => {
          const members = waves.find(({ title }) => title.startsWith(`wave ${i + 1} (`))?.tenants ?? [];
          const expected = given.tenants.filter((tenant, at) => {
            const isIn =
              typeof wave === "number"
                ? at * 100 < Math.round(wave * 100) * given.tenants.length
                : tenant.labels?.["ring"] === wave["ring"];
            return isIn && isPending(given, tenant) && !taken.has(tenant.name);
          });
          assert.deepEqual(names(members), names(expected));
          for (const { name } of members) taken.add(name);
        });
      }),
      runs,
    );
  });

  it("goes on with the same waves after any part of it was done, with a new canary where that is a number", () => {
    const interrupted = fleet.chain((given) =>
      fc.record({ given: fc.constant(given), done: fc.subarray(names(plannedTenants(planOf(given)))) }),
    );
    fc.assert(
      fc.property(interrupted, ({ given, done }) => {
        const before = new Map(
          planOf(given).waves.flatMap(({ title, tenants }) => tenants.map(({ name }) => [name, title])),
        );
        const observed = new Map(given.observed);
        for (const name of done) observed.set(name, { applied: given.history });
        const { waves } = planOf({ ...given, observed });
        const after = new Map(waves.flatMap(({ title, tenants }) => tenants.map(({ name }) => [name, title])));
        assert.deepEqual([...after.keys()].sort(), [...before.keys()].filter((name) => !done.includes(name)).sort());
        for (const [name, title] of after) {
          const isNewCanary = typeof given.policy.canary === "number" && title === "canary";
          if (!isNewCanary) assert.equal(title, before.get(name), name);
        }
        if (typeof given.policy.canary === "number" && after.size > 0) {
          const expected = Math.min(given.policy.canary, after.size);
          assert.equal([...after.values()].filter((title) => title === "canary").length, expected);
        }
      }),
      runs,
    );
  });

  it("touches nobody where one history is another one, and names who has it", () => {
    const edited = fleet.chain((given) =>
      fc.record({ given: fc.constant(given), foreign: fc.subarray(names(given.tenants), { minLength: 1 }) }),
    );
    fc.assert(
      fc.property(edited, ({ given, foreign }) => {
        const observed = new Map(given.observed);
        for (const name of foreign) observed.set(name, { applied: [{ id: "0001_m", hash: "edited" }] });
        assert.throws(
          () => planOf({ ...given, observed }),
          (error: Error & { code?: string }) => {
            assert.equal(error.code, "migration-invalid");
            assert.ok(error.message.startsWith(`${foreign[0]}: migration 0001_m was edited since`), error.message);
            assert.match(error.message, / No tenant was touched\. Put the applied file back/);
            const rest = foreign.length - 1;
            if (rest === 0) assert.doesNotMatch(error.message, /more/);
            else
              assert.ok(
                error.message.includes(
                  ` with ${rest} more: ${foreign.slice(1, 6).join(", ")}${rest > 5 ? ", ..." : "."}`,
                ),
              );
            return true;
          },
        );
      }),
      runs,
    );
  });

  const small = (policy: PlanPolicy): FleetPlan => {
    const tenants = ["acme", "bolt", "core"].map((name) => ({ name, group: "eu", labels: { ring: "beta" } }));
    const observed = new Map(tenants.map(({ name }) => [name, { applied: [] }]));
    return planOf({ history: historyOf(1), tenants, observed, quarantined: new Set(), policy });
  };
  const refused: [string, PlanPolicy, RegExp][] = [
    [
      "a canary that is nobody's name",
      { canary: ["acne"], waves: [1] },
      /^canary: "acne" is no tenant of this rollout\. Did you mean "acme"\?$/,
    ],
    [
      "a canary's label that nobody has",
      { canary: { ring: "alpha" }, waves: [1] },
      /^canary: no tenant has ring=alpha\./,
    ],
    [
      "a wave's label that nobody has",
      { canary: 1, waves: [0.5, { ring: "x", tier: "y" }, 1] },
      /^waves\[1\]: no tenant has ring=x, tier=y\./,
    ],
    ["waves that leave somebody out", { canary: 0, waves: [0.5] }, /^waves: core is in no wave\. End with 1/],
    ["waves that leave many out", { canary: 0, waves: [] }, /^waves: acme, bolt, core are in no wave\. End with 1/],
  ];
  for (const [what, policy, message] of refused) {
    it(`refuses ${what}`, () => assert.throws(() => small(policy), { code: "invalid-input", message }));
  }
});

import { hasCode } from "../../../provider/platform/errors";
import type { Sql } from "../../../provider/platform/sql";
import { listQuarantine } from "../../../provider/registry/rollouts";
import { observeFleet } from "../../../provider/rollout/fleet/observe";
import { type Observation, planFleet, plannedTenants } from "../../../provider/rollout/fleet/plan";
import type { TenantOutcome } from "../../../provider/rollout/fleet/report";
import { versionAt } from "../../../provider/rollout/fleet/tally";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import type { MigrationRef } from "../../../provider/rollout/source";
import type { Fleet } from "./fleet";
import type { Ground } from "./ground";
import { statementNamed } from "./history";
import { type KnownRun, type OpenRegistry, findRuns, onEach, openRegistries } from "./registries";

/**
 * How a tenant stands. current: it has all of the template's migrations. behind: it lacks some. quarantined: it does, and
 * runs leave it out. skipped: it cannot be changed as it is. differs: its history is another one than the template's.
 * unknown: it could not be looked at.
 */
export const standings = ["current", "behind", "quarantined", "skipped", "differs", "unknown"] as const;
export type Standing = (typeof standings)[number];

export interface StandingTenant extends FleetTenant {
  readonly state: Standing;
  /** Last migration that it has; undefined: none, or not known. */
  readonly version?: string;
  readonly why?: string;
}

export interface FleetStanding {
  readonly template: string;
  readonly history: readonly MigrationRef[];
  readonly tenants: readonly StandingTenant[];
  /** The statement that a failure names, where the files still have it. */
  readonly statementOf: (why: string | undefined) => string | undefined;
  /** The newest first. */
  readonly runs: readonly KnownRun[];
}

/** For counts by version: without one it has nothing of the template, unless nobody could look (closed, unknown). */
export const asOutcome = (one: StandingTenant): TenantOutcome => {
  const isUnseen = one.version === undefined && (one.state === "unknown" || one.state === "skipped");
  return { ...one, state: isUnseen ? "unknown" : "current" };
};

/** Tenants looked at side by side. */
const concurrency = 16;

/** Looks at every ledger, and at what the registries have of runs and quarantine. Changes nothing. */
export async function lookAt(
  ground: Ground,
  fleet: Fleet,
): Promise<{ readonly standing: FleetStanding; readonly sql: (tenant: FleetTenant) => Sql }> {
  const { tenants, template, history, policy } = fleet;
  const registries = await openRegistries(ground, groupsOfFleet(fleet));
  const [seen, quarantine, runs] = await Promise.all([
    observeFleet(ground.context, tenants, policy.concurrency ?? concurrency, history.migrations),
    quarantineOf(ground, registries, template),
    findRuns(ground, registries, template.name),
  ]);
  const standing = {
    ...{ template: template.name, history: history.migrations, runs },
    statementOf: (why: string | undefined) => (why === undefined ? undefined : statementNamed(history, why)),
    tenants: tenants.map((one) => judge(one, seen.observation(one), history.migrations, quarantine.get(one.name))),
  };
  return { standing, sql: seen.sql };
}

export const groupsOfFleet = ({ tenants }: Pick<Fleet, "tenants">): string[] =>
  [...new Set(tenants.map(({ group }) => group))].sort();

/** Errors by tenant. One of an older template counts no more: the next run tries it again. */
async function quarantineOf(
  ground: Ground,
  registries: readonly OpenRegistry[],
  { name, digest }: Fleet["template"],
): Promise<Map<string, string>> {
  const rows = await onEach(ground, registries, ({ sql }) => listQuarantine(sql, name));
  return new Map(rows.filter((row) => row.digest === digest).map((row) => [row.name, row.error]));
}

/** As a rollout of this tenant alone would judge it. */
function judge(
  tenant: FleetTenant,
  observation: Observation,
  history: readonly MigrationRef[],
  quarantine: string | undefined,
): StandingTenant {
  const { name, group, labels } = tenant;
  const one = { name, group, ...(labels ? { labels } : {}) };
  try {
    const plan = planFleet({
      ...{ template: "", history, tenants: [tenant], policy: { canary: 0, waves: [1] } },
      observed: () => observation,
      quarantined: () => quarantine,
    });
    const [pending] = plannedTenants(plan);
    if (pending) return { ...one, state: "behind", version: versionAt(plan, pending.had) };
    const { state, version, why } = plan.settled[0]!;
    return { ...one, state, version, why };
  } catch (error) {
    if (!hasCode(error, "migration-invalid")) throw error;
    const version = "applied" in observation ? observation.applied.at(-1)?.id : undefined;
    const what = error.fix === undefined ? error.message : error.message.replace(error.fix, "");
    return { ...one, state: "differs", version, why: what.replace(" No tenant was touched.", "").trim() };
  }
}

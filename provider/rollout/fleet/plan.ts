import { TenantryError } from "../../platform/errors";
import { pendingMigrations } from "../plan";
import type { MigrationRef } from "../source";
import type { Policy } from "./policy";
import { type FleetTenant, type Wave, partition } from "./waves";

/** What was seen of a tenant's database before anything is changed. */
export type Observation =
  /**
   * Its ledger, oldest first. `began`: a migration that was begun outside of a transaction and never recorded as done.
   * `adopted`: it has no ledger yet, and this is what another tool has applied.
   */
  | { readonly applied: readonly MigrationRef[]; readonly began?: string | undefined; readonly adopted?: true }
  /** It is there, but a change cannot be made: its reads or writes are blocked, its group is archived. */
  | { readonly closed: string }
  /** It could not be looked at, or is not there. */
  | { readonly unknown: string };

/** How a tenant ends, or stands. */
export const tenantStates = ["current", "migrated", "skipped", "failed", "quarantined", "unknown"] as const;
export type TenantState = (typeof tenantStates)[number];

/** A tenant that the plan changes: it has the first `had` of the history's migrations. */
export interface PlannedTenant extends FleetTenant {
  readonly had: number;
  /** They are another tool's doing, and are written into the ledger first. */
  readonly adopts?: true;
}

/** A tenant that the plan leaves as it is, and why. */
export interface SettledTenant extends FleetTenant {
  readonly state: Exclude<TenantState, "migrated" | "failed">;
  /** Last migration that it has; undefined: none, or not known. */
  readonly version?: string;
  /** Undefined for "current". */
  readonly why?: string;
}

export interface FleetPlan {
  readonly template: string;
  /** The template's history, which the tenants are brought to the end of. */
  readonly history: readonly MigrationRef[];
  /** In order, those without pending tenants left out. */
  readonly waves: readonly Wave<PlannedTenant>[];
  readonly settled: readonly SettledTenant[];
}

export interface PlanRequest {
  readonly template: string;
  readonly history: readonly MigrationRef[];
  readonly tenants: readonly FleetTenant[];
  readonly observed: (tenant: FleetTenant) => Observation;
  /** Why a tenant is in quarantine; undefined: it is not. */
  readonly quarantined: (tenant: FleetTenant) => string | undefined;
  readonly policy: Pick<Policy, "canary" | "waves">;
}

/**
 * Who is changed, in which order, and who is not, and why. Pure: what a preview shows, what `tenantry schema plan`
 * prints and what a run does are the same plan.
 *
 * Fails with "migration-invalid" where a tenant's history is another one than the template's (edited, removed, put in
 * another order): nobody is touched then.
 */
export function planFleet({ template, history, tenants, observed, quarantined, policy }: PlanRequest): FleetPlan {
  const pending = new Map<string, Pending>();
  const settled: SettledTenant[] = [];
  const foreign: { name: string; error: TenantryError }[] = [];
  for (const tenant of tenants) {
    try {
      const judged = judge(tenant, history, observed(tenant), quarantined(tenant));
      if ("had" in judged) pending.set(tenant.name, judged);
      else settled.push(judged);
    } catch (error) {
      if (!(error instanceof TenantryError)) throw error;
      foreign.push({ name: tenant.name, error });
    }
  }
  if (foreign.length > 0) throw refusal(foreign);
  const waves = partition(tenants, policy, ({ name }) => pending.has(name)).map(({ title, tenants: members }) => ({
    title,
    tenants: members.flatMap((tenant) => {
      const lacks = pending.get(tenant.name);
      return lacks ? [{ ...tenant, ...lacks }] : [];
    }),
  }));
  return { template, history, waves: waves.filter((wave) => wave.tenants.length > 0), settled };
}

type Pending = Pick<PlannedTenant, "had" | "adopts">;

/** What the tenant has, where something is to be done; else how it stands. */
function judge(
  tenant: FleetTenant,
  history: readonly MigrationRef[],
  observation: Observation,
  quarantine: string | undefined,
): Pending | SettledTenant {
  if ("unknown" in observation) return { ...tenant, state: "unknown", why: observation.unknown };
  if ("closed" in observation) return { ...tenant, state: "skipped", why: observation.closed };
  const { applied, began, adopted } = observation;
  const version = applied.at(-1)?.id;
  if (began !== undefined) {
    const why = `${began} was begun outside of a transaction, and whether it came to its end is not recorded`;
    return { ...tenant, state: "skipped", version, why };
  }
  if (isAhead(applied, history)) {
    return { ...tenant, state: "skipped", version, why: `it is ahead: the template ends at ${history.at(-1)?.id}` };
  }
  const isCurrent = pendingMigrations(applied, history, tenant.name).length === 0;
  if (isCurrent && !adopted) return { ...tenant, state: "current", version };
  if (quarantine !== undefined) return { ...tenant, state: "quarantined", version, why: quarantine };
  return { had: applied.length, ...(adopted ? { adopts: true } : {}) };
}

/** It has all of the history and more: the template was taken back to an older one, or the application was faster. */
export const isAhead = (applied: readonly MigrationRef[], history: readonly MigrationRef[]): boolean =>
  applied.length > history.length &&
  history.every(({ id, hash }, i) => applied[i]?.id === id && applied[i].hash === hash);

function refusal(foreign: readonly { name: string; error: TenantryError }[]): TenantryError {
  const [first, ...rest] = foreign as [(typeof foreign)[number], ...typeof foreign];
  const { fix } = first.error;
  const what = fix ? first.error.message.slice(0, -fix.length - 1) : first.error.message;
  const others =
    rest.length === 0
      ? ""
      : ` The same or alike with ${rest.length} more: ${rest
          .slice(0, 5)
          .map(({ name }) => name)
          .join(", ")}${rest.length > 5 ? ", ..." : ""}.`;
  return new TenantryError("migration-invalid", `${what}${others} No tenant was touched.`, { fix });
}

/** All tenants that the plan changes. */
export const plannedTenants = ({ waves }: Pick<FleetPlan, "waves">): PlannedTenant[] =>
  waves.flatMap(({ tenants }) => tenants);

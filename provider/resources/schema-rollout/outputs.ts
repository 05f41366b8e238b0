import type { Counts, FleetReport, TenantOutcome } from "../../rollout/fleet/report";
import { countsOf, minVersion } from "../../rollout/fleet/report";
import type { TenantState } from "../../rollout/fleet/plan";
import type { MigrationRef } from "../../rollout/source";
import type { SchemaRolloutInputs } from "./inputs";

/** A tenant that is not where the template is. */
export interface OpenTenant {
  readonly name: string;
  readonly state: TenantState;
  /** Last migration that it has; undefined: none, or not known. */
  readonly version?: string;
  readonly why?: string;
}

/** What state keeps: all inputs, and how the fleet stood when it was last looked at. */
export interface SchemaRolloutOutputs extends SchemaRolloutInputs {
  readonly scope: string;
  /** Last migration of the template. */
  readonly targetVersion: string;
  /** What every tenant has at least; absent where one has nothing, or where it is not known. */
  readonly minSchemaVersion?: string;
  /** Tenants by how they stand; those that were migrated are current. */
  readonly counts: Omit<Counts, "migrated">;
  readonly quarantined: readonly string[];
  /** The first 50 of those that are not there; `counts` has all of them. */
  readonly unfinished: readonly OpenTenant[];
  /** Why the last run ended before its end. */
  readonly stopped?: string;
  /** What the last run set out to do, in a few lines. */
  readonly plan: string;
  /** By which read orders versions: it may run where the files are newer. */
  readonly history: readonly MigrationRef[];
}

const shown = 50;
const longestWhy = 300;

/** The full set of outputs; the engine forgets whatever is left out. */
export function outputsOf(
  inputs: SchemaRolloutInputs,
  report: FleetReport,
  { scope, plan }: Pick<SchemaRolloutOutputs, "scope" | "plan">,
): SchemaRolloutOutputs {
  const { history, outcomes, stopped } = report;
  const { migrated, ...counts } = countsOf(outcomes);
  return {
    ...inputs,
    scope,
    targetVersion: history.at(-1)!.id,
    minSchemaVersion: minVersion(report),
    counts: { ...counts, current: counts.current + migrated },
    quarantined: outcomes.filter(({ state }) => state === "quarantined").map(({ name }) => name),
    unfinished: outcomes
      .filter((one) => isOpen(one, history))
      .slice(0, shown)
      .map(openTenant),
    stopped,
    plan,
    history: history.map(({ id, hash }) => ({ id, hash })),
  };
}

const openTenant = ({ name, state, version, why }: TenantOutcome): OpenTenant => ({
  name,
  state,
  version,
  why: why !== undefined && why.length > longestWhy ? `${why.slice(0, longestWhy)}...` : why,
});

/** Who is ahead of the template is not behind it. */
function isOpen({ state, version }: TenantOutcome, history: readonly MigrationRef[]): boolean {
  if (state === "current" || state === "migrated") return false;
  return !(state === "skipped" && version !== undefined && history.every(({ id }) => id !== version));
}

/** Whether another `up` has something to do, or to look at, although nothing else was declared. */
export const isUnfinished = ({ stopped, unfinished }: SchemaRolloutOutputs): boolean =>
  stopped !== undefined || unfinished.length > 0;

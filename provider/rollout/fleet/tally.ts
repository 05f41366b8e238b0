import { type FleetPlan, type PlannedTenant, type TenantState, plannedTenants } from "./plan";
import type { RolloutProgress } from "./progress";
import { type FleetReport, type TenantOutcome, countsOf } from "./report";
import type { FleetTenant } from "./waves";

/** Keeps count of a run: how every tenant stands, what failed, and whether it is to end. */
export interface Tally {
  /** Says which part of the run begins. */
  enter(stage: string, wave?: number): void;
  settle(tenant: FleetTenant, outcome: Pick<TenantOutcome, "state" | "version" | "why">): void;
  /** Ends the run between tenants; the first reason counts. */
  stop(why: string): void;
  readonly stopped: string | undefined;
  /** How many of this run's tenants are not where they should be. */
  readonly missed: number;
  readonly firstFailure: string | undefined;
  progress(): RolloutProgress;
  report(tenants: readonly FleetTenant[]): FleetReport;
}

/** What a listing or a journal shows of the failures. */
const shown = 20;

export function createTally(plan: FleetPlan, onProgress: (progress: RolloutProgress) => void = () => {}): Tally {
  const planned = plannedTenants(plan);
  const outcomes = new Map<string, TenantOutcome>(plan.settled.map((one) => [one.name, one]));
  for (const tenant of planned) outcomes.set(tenant.name, notReached(tenant, plan));
  const counts: Record<TenantState, number> = { ...countsOf([...outcomes.values()]) };
  const failures: { name: string; error: string }[] = [];
  let stage = "verify";
  let wave = 0;
  let done = 0;
  let missed = 0;
  let stopped: string | undefined;

  const tally: Tally = {
    enter(next, number = wave) {
      stage = next;
      wave = number;
      onProgress(tally.progress());
    },
    settle({ name, group, labels }, outcome) {
      counts[outcomes.get(name)!.state] -= 1;
      counts[outcome.state] += 1;
      outcomes.set(name, { name, group, labels, ...outcome });
      done += 1;
      if (outcome.state !== "migrated") {
        missed += 1;
        if (failures.length < shown) failures.push({ name, error: outcome.why ?? outcome.state });
      }
      onProgress(tally.progress());
    },
    stop: (why) => void (stopped ??= why),
    get stopped() {
      return stopped;
    },
    get missed() {
      return missed;
    },
    get firstFailure() {
      return failures[0]?.name;
    },
    progress: () => ({
      ...{ stage, wave, waves: plan.waves.length, counts: { ...counts }, done, planned: planned.length },
      failures: [...failures],
      stopped,
    }),
    report: (tenants) => ({
      template: plan.template,
      history: plan.history,
      outcomes: tenants.map(({ name }) => outcomes.get(name)!),
      stopped,
    }),
  };
  return tally;
}

/** Last migration of a tenant that has so many. */
export const versionAt = ({ history }: Pick<FleetPlan, "history">, had: number): string | undefined =>
  history[had - 1]?.id;

const notReached = (tenant: PlannedTenant, plan: FleetPlan): TenantOutcome => ({
  name: tenant.name,
  group: tenant.group,
  labels: tenant.labels,
  state: "skipped",
  version: versionAt(plan, tenant.had),
  why: "the run ended before it",
});

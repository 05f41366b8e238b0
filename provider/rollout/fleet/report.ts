import { TenantryError } from "../../platform/errors";
import type { MigrationRef } from "../source";
import { type TenantState, tenantStates } from "./plan";
import type { Policy } from "./policy";
import type { FleetTenant } from "./waves";

/** How one tenant ended. */
export interface TenantOutcome extends FleetTenant {
  readonly state: TenantState;
  /** Last migration that it has; undefined: none, or not known. */
  readonly version?: string;
  /** Why it is not at the template's version; for a failure, the error. */
  readonly why?: string;
}

export interface FleetReport {
  readonly template: string;
  readonly history: readonly MigrationRef[];
  /** Every tenant, in the order given. */
  readonly outcomes: readonly TenantOutcome[];
  /** Why the run ended before its end. */
  readonly stopped?: string;
}

export type Counts = Readonly<Record<TenantState, number>>;

export function countsOf(outcomes: readonly { readonly state: TenantState }[]): Counts {
  const counts = Object.fromEntries(tenantStates.map((state) => [state, 0])) as Record<TenantState, number>;
  for (const { state } of outcomes) counts[state]++;
  return counts;
}

/**
 * The version that every tenant has at least: what an application may rely on. Undefined where one has none, or where it
 * is not known. Tenants in quarantine count: the application serves them too.
 */
export function minVersion({ outcomes, history }: Pick<FleetReport, "outcomes" | "history">): string | undefined {
  const position = new Map(history.map(({ id }, i) => [id, i]));
  let lowest = history.length - 1;
  for (const { version } of outcomes) {
    if (version === undefined) return undefined;
    // One that the template does not have: ahead of it.
    lowest = Math.min(lowest, position.get(version) ?? lowest);
  }
  return history[lowest]?.id;
}

/** How many tenants have each version, in the history's order; "none" first. */
export function versionsOf({ outcomes, history }: Pick<FleetReport, "outcomes" | "history">): [string, number][] {
  const counts = new Map<string, number>();
  for (const { version, state } of outcomes) {
    const key = version ?? (state === "unknown" ? "unknown" : "none");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const order = ["unknown", "none", ...history.map(({ id }) => id)];
  const rank = (version: string): number => (order.includes(version) ? order.indexOf(version) : order.length);
  return [...counts].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Without the tenant's name before it, and without the advice behind it. */
export function shortWhy(name: string, why: string): string {
  const own = why.startsWith(`${name}: `) ? why.slice(name.length + 2) : why;
  const end = " Nothing of that file was applied.";
  const at = own.indexOf(end);
  return at < 0 ? own : own.slice(0, at + end.length);
}

/** Undefined where the run did what it was asked for; else who did not get there, and why. */
export function verdict(report: FleetReport, { onFailure }: Pick<Policy, "onFailure">): TenantryError | undefined {
  const missed = report.outcomes.filter(({ state }) => state === "failed" || state === "unknown");
  if (report.stopped === undefined && (missed.length === 0 || onFailure === "quarantine")) return undefined;
  const counts = countsOf(report.outcomes);
  const done = counts.current + counts.migrated;
  const head = `schema "${report.template}": ${done} of ${report.outcomes.length} tenants are at ${report.history.at(-1)?.id}`;
  const shown = missed.slice(0, 5).map(({ name, state, why }) => `\n  ${name}: ${state}: ${shortWhy(name, why ?? "")}`);
  const rest = missed.length > 5 ? [`\n  and ${missed.length - 5} more (\`tenantry schema status\`)`] : [];
  const why = report.stopped === undefined ? "" : `; ${report.stopped}`;
  return new TenantryError("migration-failed", `${head}${why}.${[...shown, ...rest].join("")}`, {
    fix:
      missed.length > 0
        ? "\nCorrect what failed and run it again: those that are done stay done."
        : "Run it again to go on: those that are done stay done.",
  });
}

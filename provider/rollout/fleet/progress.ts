import type { TenantState } from "./plan";

/** How far a run is: what a terminal draws, `tenantry schema status --watch` reads, and the journal keeps. */
export interface RolloutProgress {
  /** "verify", "canary", "wave 1 (to 10 %)", "pause", "ended". */
  readonly stage: string;
  /** From 1; 0 before the first wave. */
  readonly wave: number;
  readonly waves: number;
  /** Tenants of the whole rollout, by how they stand now. */
  readonly counts: Readonly<Record<TenantState, number>>;
  /** To be migrated in this run: done so far, with failures; all. */
  readonly done: number;
  readonly planned: number;
  /** The first few that failed. */
  readonly failures: readonly { readonly name: string; readonly error: string }[];
  /** Why it ended before its end. */
  readonly stopped?: string;
}

import type { Sql } from "../../../provider/platform/sql";
import { inTurn } from "../../../provider/rollout/fleet/pool";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import { readLedger } from "../../../provider/rollout/ledger";
import { type Ground, noteOnce } from "./ground";
import { type KnownRun, stateOfRun } from "./registries";
import type { FleetStanding } from "./standing";
import { table } from "./table";

/** A migration that a tenant has, as its ledger says. */
export interface PastMigration {
  readonly tenant: string;
  readonly id: string;
  readonly hash: string;
  /** Null: it was begun outside of a transaction, and is not known to have ended. */
  readonly appliedAt: string | null;
  /** The fencing number of the run; 0: none. */
  readonly run: number;
}

/** Tenants looked at side by side. */
const concurrency = 16;

/** Reads the ledgers of all tenants that have something of the template, in their order. */
export async function readPast(
  ground: Ground,
  { tenants }: FleetStanding,
  sql: (tenant: FleetTenant) => Sql,
): Promise<PastMigration[]> {
  const rows = new Map<string, PastMigration[]>();
  const reachable = tenants.filter(({ version }) => version !== undefined);
  await inTurn(reachable, concurrency, async (tenant) => {
    try {
      const ledger = await readLedger(sql(tenant));
      rows.set(
        tenant.name,
        ledger.map(({ id, hash, appliedAt = null, run }) => ({ tenant: tenant.name, id, hash, appliedAt, run })),
      );
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      noteOnce(ground, `${tenant.name}: its ledger could not be read: ${error.message}`);
    }
  });
  return tenants.flatMap(({ name }) => rows.get(name) ?? []);
}

/** The rollouts, the newest first, then what each tenant got when. */
export function drawHistory(
  runs: readonly KnownRun[],
  past: readonly PastMigration[],
  now: number = Date.now(),
): string[] {
  const rollouts = runs.map((run) => {
    const { startedAt, target, progress, startedBy } = run;
    const state = progress.stopped === undefined ? stateOfRun(run, now) : "stopped";
    return [startedAt.replace(/\.\d+Z$/, "Z"), target, state, `${progress.done}/${progress.planned}`, startedBy];
  });
  const applied = past.map(({ tenant, id, appliedAt, run }) => [
    ...[appliedAt ?? "begun", tenant, id, run === 0 ? "-" : String(run)],
  ]);
  return [
    ...(rollouts.length > 0
      ? table([["ROLLOUT", "TO", "STATE", "DONE", "BY"], ...rollouts])
      : ["No rollout is recorded."]),
    "",
    ...(applied.length > 0
      ? table([["APPLIED", "TENANT", "MIGRATION", "RUN"], ...applied])
      : ["Nothing is applied, as far as the ledgers say."]),
  ];
}

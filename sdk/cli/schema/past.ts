import type { Sql } from "../../../provider/platform/sql";
import { observeFleet } from "../../../provider/rollout/fleet/observe";
import { inTurn } from "../../../provider/rollout/fleet/pool";
import type { Fleet } from "./fleet";
import type { Ground } from "./ground";
import { type KnownRun, noteOnce, stateOfRun } from "./registries";
import type { FleetStanding } from "./standing";
import { table } from "./table";

/** A migration that a tenant has, as its ledger says. */
export interface PastMigration {
  readonly tenant: string;
  readonly id: string;
  readonly hash: string;
  readonly appliedAt: string;
  /** The fencing number of the run; 0: none. */
  readonly run: number;
}

/** Reads the ledgers of all tenants that could be looked at, in their order. */
export async function readPast(ground: Ground, { tenants }: Fleet, standing: FleetStanding): Promise<PastMigration[]> {
  const known = new Map(standing.tenants.map((one) => [one.name, one]));
  const reachable = tenants.filter(({ name }) => known.get(name)?.version !== undefined);
  const { sql } = await observeFleet(ground.context, reachable, 16);
  const rows = new Map<string, PastMigration[]>();
  await inTurn(reachable, 16, async (tenant) => {
    try {
      rows.set(tenant.name, await ledgerOf(sql(tenant), tenant.name));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      noteOnce(ground, `${tenant.name}: its ledger could not be read: ${error.message}`);
    }
  });
  return tenants.flatMap(({ name }) => rows.get(name) ?? []);
}

async function ledgerOf(sql: Sql, tenant: string): Promise<PastMigration[]> {
  const text = "SELECT id, hash, applied_at, run FROM _tenantry_migrations ORDER BY seq";
  const { rows } = await sql.execute({ sql: text, args: [] }, { idempotent: true });
  return rows.map((row) => ({
    tenant,
    id: String(row["id"]),
    hash: String(row["hash"]),
    appliedAt: String(row["applied_at"]),
    run: Number(row["run"]),
  }));
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
    return [startedAt, target, state, `${progress.done}/${progress.planned}`, startedBy];
  });
  const applied = past.map(({ tenant, id, appliedAt, run }) => [appliedAt, tenant, id, run === 0 ? "-" : String(run)]);
  return [
    ...(rollouts.length > 0
      ? table([["ROLLOUT", "TO", "STATE", "DONE", "BY"], ...rollouts])
      : ["No rollout is recorded."]),
    "",
    ...(applied.length > 0 ? table([["APPLIED", "TENANT", "MIGRATION", "RUN"], ...applied]) : ["Nothing is applied."]),
  ];
}

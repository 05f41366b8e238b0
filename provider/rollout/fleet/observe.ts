import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { freshEnough } from "../../platform/listing";
import type { PlatformDatabase } from "../../platform/platform";
import type { Sql } from "../../platform/sql";
import { isBlocked, isOfDatabase } from "../../platform/sql-failure";
import { adoptable, readUsualHistory } from "../adoption";
import type { Migration, MigrationRef } from "../source";
import type { Observation } from "./plan";
import { inTurn } from "./pool";
import type { FleetTenant } from "./waves";

/** What was seen of a fleet: by tenant's name, and how to reach each. */
export interface SeenFleet {
  observation(tenant: FleetTenant): Observation;
  /** SQL on a tenant that was found. */
  sql(tenant: FleetTenant): Sql;
}

/**
 * Looks at every tenant's ledger, read-only. A tenant that does not answer is "unknown", and a closed one is told as
 * such; only what concerns them all (credentials, an organization that is not there) fails.
 */
export async function observeFleet(
  context: Context,
  tenants: readonly FleetTenant[],
  concurrency: number,
  migrations: readonly Migration[],
): Promise<SeenFleet> {
  const { byName } = await context.listing.databases(freshEnough);
  const seen = new Map<string, Observation>();
  const hostnames = new Map<string, string>();
  const beginnings = beginningsOf(migrations);
  const sql = ({ name, group }: FleetTenant): Sql => context.sql({ name, hostname: hostnames.get(name)!, group });
  await inTurn(tenants, concurrency, async (tenant) => {
    // The list may be a moment older than the tenant.
    const database = byName.get(tenant.name) ?? (await context.listing.database(tenant.name));
    if (database) hostnames.set(tenant.name, database.hostname);
    seen.set(tenant.name, closedOrGone(tenant, database) ?? (await look(sql(tenant), tenant, migrations, beginnings)));
  });
  return { sql, observation: ({ name }) => seen.get(name) ?? { unknown: "it was not looked at" } };
}

function closedOrGone(tenant: FleetTenant, database: PlatformDatabase | undefined): Observation | undefined {
  if (!database) return { unknown: "there is no database of that name" };
  if (database.group !== undefined && database.group !== tenant.group) {
    return { unknown: `it is in group "${database.group}", not in "${tenant.group}"` };
  }
  if (database.archived) return { closed: "its group is archived" };
  const blocks = [...(database.blockReads ? ["reads"] : []), ...(database.blockWrites ? ["writes"] : [])];
  return blocks.length > 0 ? { closed: `its ${blocks.join(" and ")} are blocked` } : undefined;
}

/**
 * The same list for all ledgers that are the same beginning of the history: rows that nobody differs by need not be kept
 * for each of 10,000 tenants.
 */
function beginningsOf(migrations: readonly Migration[]) {
  const history = migrations.map(({ id, hash }): MigrationRef => ({ id, hash }));
  const known = new Map<number, readonly MigrationRef[]>();
  return (ledger: readonly MigrationRef[]): readonly MigrationRef[] => {
    if (!ledger.every(({ id, hash }, i) => history[i]?.id === id && history[i].hash === hash)) return ledger;
    const beginning = known.get(ledger.length) ?? history.slice(0, ledger.length);
    known.set(ledger.length, beginning);
    return beginning;
  };
}

async function look(
  sql: Sql,
  { name }: FleetTenant,
  migrations: readonly Migration[],
  beginning: (ledger: readonly MigrationRef[]) => readonly MigrationRef[],
): Promise<Observation> {
  try {
    const { ledger, foreign } = await readUsualHistory(sql);
    if (ledger.length === 0 && foreign.length > 0) {
      return { applied: adoptable(foreign, migrations, name).map(({ id, hash }) => ({ id, hash })), adopted: true };
    }
    return { applied: beginning(ledger), began: ledger.find(({ begun }) => begun)?.id };
  } catch (error) {
    if (isBlocked(error)) return { closed: "its reads are blocked" };
    // What the platform's API refuses, it refuses for all of them.
    if (error instanceof TenantryError && error.whose === "yours" && !isOfDatabase(error)) throw error;
    if (error instanceof Error) return { unknown: error.message };
    throw error;
  }
}

import { SqlError, TenantryError, hasCode } from "../../platform/errors";
import type { Sql } from "../../platform/sql";
import { isOfDatabase } from "../../platform/sql-failure";
import { type History as Applied, readHistory } from "../adoption";
import { isAhead } from "../fleet/plan";
import { inTurn } from "../fleet/pool";
import { standingIn } from "../migrate";
import type { Migration } from "../source";
import { type SchemaDifference, compareSchemas } from "./compare";
import { type History, replayHistory } from "./history";
import type { SchemaModel } from "./model";
import { readSchema } from "./read-schema";

/** How a tenant's schema compares with the template's at the tenant's own version. */
export type TenantDrift = { readonly tenant: string } & (
  | { readonly state: "in-sync"; readonly version: string | undefined }
  | {
      readonly state: "drifted";
      /** Id of the last migration that it has; undefined where it has none. */
      readonly version: string | undefined;
      readonly differences: readonly SchemaDifference[];
    }
  /** Its ledger is not the beginning of the template's migrations, so there is nothing to compare with. */
  | { readonly state: "other-history"; readonly reason: string }
  /** It could not be looked at, or the template's migrations do not run on an empty database. Perhaps it has drifted. */
  | { readonly state: "unknown"; readonly reason: string }
);

/** What a database is asked, and how it is called in the answer. */
export interface DriftTenant {
  readonly name: string;
  /** Fails where there is no such database. */
  sql(): Sql | Promise<Sql>;
}

export interface DriftRequest {
  readonly migrations: readonly Migration[];
  readonly tenants: readonly DriftTenant[];
  /** Tenants at a time. Default 16. */
  readonly concurrency?: number;
}

/** How a database differs from a schema. Read-only, one call. */
export async function driftOf(sql: Sql, expected: SchemaModel): Promise<SchemaDifference[]> {
  const read = async (statements: string[]) => (await sql.batch(statements, "read")).map(({ rows }) => rows);
  return compareSchemas(expected, await readSchema(read));
}

/**
 * Looks at each tenant, read-only: two calls each, three where another tool has migrated it. The answers are in the order of the tenants. A tenant that cannot be
 * looked at is "unknown"; what concerns them all, such as refused credentials, fails.
 */
export async function findDrift({ migrations, tenants, concurrency = 16 }: DriftRequest): Promise<TenantDrift[]> {
  const history = await replayHistory(migrations);
  const found = new Map<DriftTenant, TenantDrift>();
  await inTurn(tenants, concurrency, async (tenant) => {
    found.set(tenant, { tenant: tenant.name, ...(await look(tenant, migrations, history)) });
  });
  return tenants.map((tenant) => found.get(tenant)!);
}

/** What the platform's API refuses, it refuses for all of them, except that one may be gone. */
const concernsAll = (error: unknown): boolean =>
  error instanceof TenantryError &&
  error.whose === "yours" &&
  !isOfDatabase(error) &&
  !hasCode(error, "database-not-found");

type Seen<T = TenantDrift> = T extends unknown ? Omit<T, "tenant"> : never;

async function look(tenant: DriftTenant, migrations: readonly Migration[], history: History): Promise<Seen> {
  try {
    const sql = await tenant.sql();
    for (let has = await readHistory(sql); ;) {
      const seen = await compare(sql, has, migrations, history, tenant.name);
      if (seen.state !== "drifted") return seen;
      // It may have been migrated between the two looks.
      const now = await readHistory(sql);
      if (now.ledger.length === has.ledger.length) return seen;
      has = now;
    }
  } catch (error) {
    if (concernsAll(error)) throw error;
    if (error instanceof TenantryError || error instanceof SqlError) {
      return { state: "unknown", reason: error.message };
    }
    throw error;
  }
}

async function compare(
  sql: Sql,
  has: Applied,
  migrations: readonly Migration[],
  history: History,
  name: string,
): Promise<Seen> {
  if (isAhead(has.ledger, migrations)) {
    const [beyond] = has.ledger.slice(migrations.length);
    return { state: "other-history", reason: `${name} is ahead of the template: it has ${beyond!.id} already.` };
  }
  let applied: number;
  try {
    ({ applied } = standingIn(has, migrations, name));
  } catch (error) {
    if (!hasCode(error, "migration-invalid", "migration-failed")) throw error;
    return { state: error.code === "migration-invalid" ? "other-history" : "unknown", reason: error.message };
  }
  const expected = history.modelAt(applied - 1);
  if (!expected) {
    const { file, line, message } = history.problem!;
    return { state: "unknown", reason: `${file}, line ${line}, does not run on an empty database: ${message}` };
  }
  const version = migrations[applied - 1]?.id;
  const differences = await driftOf(sql, expected);
  return differences.length > 0 ? { state: "drifted", version, differences } : { state: "in-sync", version };
}

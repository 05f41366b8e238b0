import { SqlError, TenantryError } from "../platform/errors";
import type { Platform, PlatformDatabase } from "../platform/platform";
import { withRegistrySql } from "./inspect";
import { isReserved } from "./own-names";

/** What a tenant has left behind has the address of its resource and this: it is kept, closed, until its end. */
export const keptMark = "#left";

export interface TenantsOf {
  /** The name of a group's registry; a hash is not to be had at once everywhere. */
  readonly registryName: (group: string) => string | Promise<string>;
  /** Default: all that the platform lists. */
  readonly databases?: AsyncIterable<PlatformDatabase> | Iterable<PlatformDatabase>;
}

/**
 * The databases that are tenants': neither Tenantry's own nor what is kept for a while, in the trash or left by a move or
 * a rename, as the group's registry has it. Only what is closed to reads and writes is kept, so that no registry is read
 * where nothing is. Where one does not answer, its closed ones are answered too: opening one says what it is, and a tenant
 * that is missing would say nothing.
 */
export async function* tenantsOf(
  platform: Platform,
  { registryName, databases = platform.listDatabases() }: TenantsOf,
): AsyncGenerator<PlatformDatabase> {
  const known = new Map<string, Promise<ReadonlySet<string>>>();
  const keptIn = (group: string): Promise<ReadonlySet<string>> => {
    const kept = known.get(group) ?? readKept(platform, group, registryName);
    known.set(group, kept);
    return kept;
  };
  for await (const database of databases) {
    const { id, name, group, blockReads, blockWrites } = database;
    if (isReserved(name)) continue;
    const isClosed = blockReads === true && blockWrites === true;
    if (isClosed && group !== undefined && (await keptIn(group)).has(id)) continue;
    yield database;
  }
}

/** Ids of databases. */
async function readKept(
  platform: Platform,
  group: string,
  registryName: TenantsOf["registryName"],
): Promise<ReadonlySet<string>> {
  try {
    const database = await platform.getDatabase(await registryName(group));
    if (!database) return new Set();
    const text = `SELECT database_id FROM claims WHERE kind = 'database'
      AND (state IN ('trashed', 'reaping') OR address LIKE '%${keptMark}')`;
    const { rows } = await withRegistrySql({ platform, group, database, access: "read-only" }, (sql) =>
      sql.execute({ sql: text, args: [] }, { idempotent: true }),
    );
    return new Set(rows.map((row) => String(row["database_id"])));
  } catch (error) {
    if (error instanceof TenantryError || error instanceof SqlError) return new Set();
    throw error;
  }
}

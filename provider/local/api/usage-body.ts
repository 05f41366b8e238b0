import type { DatabaseRow } from "../store/databases";
import type { DatabaseUsage } from "../store/usage";

/** The API's own casing (Turso docs: "Retrieve Database Usage"). */
export interface UsageBody {
  readonly rows_read: number;
  readonly rows_written: number;
  readonly storage_bytes: number;
  readonly bytes_synced: number;
}

export const noUsage: UsageBody = { rows_read: 0, rows_written: 0, storage_bytes: 0, bytes_synced: 0 };

/** Nothing is synced here: there are no replicas. */
export function measured({ rowsRead, rowsWritten }: Omit<DatabaseUsage, "topQueries">, bytes: number): UsageBody {
  return { rows_read: rowsRead, rows_written: rowsWritten, storage_bytes: bytes, bytes_synced: 0 };
}

export function sumOf(one: UsageBody, other: UsageBody): UsageBody {
  return {
    rows_read: one.rows_read + other.rows_read,
    rows_written: one.rows_written + other.rows_written,
    storage_bytes: one.storage_bytes + other.storage_bytes,
    bytes_synced: 0,
  };
}

/** A database's one instance has all of its usage. */
export function databaseUsageBody({ id }: DatabaseRow, total: UsageBody) {
  return { uuid: id, instances: [{ uuid: id, usage: total }], total };
}

/** The one instance there is, named after its place (Turso docs: "List Database Instances"). */
export function instanceBody(database: DatabaseRow, hostname: string) {
  const { id, location } = database;
  return { uuid: id, name: location, type: "primary", region: location, hostname };
}

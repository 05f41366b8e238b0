import type { Sql, SqlStatement } from "../platform/sql";
import type { MigrationRef } from "./source";

/** The table in each tenant's database that says which migrations it has. */
export const ledgerTable = "_tenantry_migrations";

const createLedger = `CREATE TABLE IF NOT EXISTS ${ledgerTable} (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, applied_at TEXT NOT NULL, run INTEGER NOT NULL)`;

/** What a database has had applied, oldest first; none where there is no ledger. One call. */
export async function readLedger(sql: Sql): Promise<MigrationRef[]> {
  try {
    const { rows } = await sql.execute(
      { sql: `SELECT id, hash FROM ${ledgerTable} ORDER BY seq`, args: [] },
      { idempotent: true },
    );
    return rows.map((row) => ({ id: String(row["id"]), hash: String(row["hash"]) }));
  } catch (error) {
    if (error instanceof Error && error.message.includes(`no such table: ${ledgerTable}`)) return [];
    throw error;
  }
}

/**
 * The statements that go before a migration in its transaction. The row is the guard: its number and id are unique, so
 * that the transaction fails if anybody else has applied something since; and `run` is refused (NOT NULL) if a newer
 * run has already written here. Without a number (no registry answers) only the row guards.
 */
export function ledgerGuard(migration: MigrationRef, seq: number, run: number | undefined): SqlStatement[] {
  return [
    { sql: createLedger, args: [] },
    {
      sql: `INSERT INTO ${ledgerTable} (seq, id, hash, applied_at, run)
            SELECT ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'),
                   CASE WHEN ?4 IS NULL THEN newest WHEN newest <= ?4 THEN ?4 END
            FROM (SELECT coalesce(max(run), 0) AS newest FROM ${ledgerTable})`,
      args: [seq, migration.id, migration.hash, run ?? null],
    },
  ];
}

/** True when a failed transaction failed at the guard because the migration, or another in its place, is already there. */
export const alreadyInLedger = (message: string): boolean =>
  message.includes(`UNIQUE constraint failed: ${ledgerTable}.`);

export const overtaken = (message: string): boolean =>
  message.includes(`NOT NULL constraint failed: ${ledgerTable}.run`);

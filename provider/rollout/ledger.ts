import type { Sql, SqlStatement } from "../platform/sql";
import type { Row } from "../platform/sql-values";
import type { MigrationRef } from "./source";

/** The table in each tenant's database that says which migrations it has. */
export const ledgerTable = "_tenantry_migrations";

/** What a database has had of a migration. */
export interface LedgerEntry extends MigrationRef {
  /** ISO 8601, UTC; undefined: begun outside of a transaction, and not known to have ended. */
  readonly appliedAt: string | undefined;
  /** When and by which attempt it was begun, as it stands in the table: `begun <time> <attempt>`. */
  readonly begun?: string;
  /** The fencing number of the run that applied it; 0 where it had none. */
  readonly run: number;
}

export const createLedger: SqlStatement = {
  sql: `CREATE TABLE IF NOT EXISTS ${ledgerTable} (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, applied_at TEXT NOT NULL, run INTEGER NOT NULL)`,
  args: [],
};

export const selectLedger: SqlStatement = {
  sql: `SELECT id, hash, applied_at, run FROM ${ledgerTable} ORDER BY seq`,
  args: [],
};

export const ledgerEntry = (row: Row): LedgerEntry => {
  const text = String(row["applied_at"]);
  const begun = text.startsWith("begun ") ? text : undefined;
  return {
    id: String(row["id"]),
    hash: String(row["hash"]),
    appliedAt: begun ? undefined : text,
    ...(begun ? { begun } : {}),
    run: Number(row["run"]),
  };
};

/** What a database has had applied, oldest first; none where there is no ledger. One call. */
export async function readLedger(sql: Sql): Promise<LedgerEntry[]> {
  try {
    return (await sql.execute(selectLedger, { idempotent: true })).rows.map(ledgerEntry);
  } catch (error) {
    if (hasNoLedger(error)) return [];
    throw error;
  }
}

export const hasNoLedger = (error: unknown): boolean =>
  error instanceof Error && error.message.includes(`no such table: ${ledgerTable}`);

/** NULL, which the column refuses, where a newer run has written. */
const fenced = "CASE WHEN ?4 IS NULL THEN newest WHEN newest <= ?4 THEN ?4 END";
const now = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";

/**
 * The statements that go before a migration in its transaction. The row is the guard: its number and id are unique, so
 * that the transaction fails if anybody else has applied something since; and `run` is refused (NOT NULL) if a newer
 * run has already written here. Without a number (no registry answers) only the row guards.
 * `attempt`: the migration is only begun, by this attempt, and `finishLedger` ends it.
 */
export function ledgerGuard(
  migration: MigrationRef,
  seq: number,
  run: number | undefined,
  attempt?: string,
): SqlStatement[] {
  return [
    createLedger,
    {
      sql: `INSERT INTO ${ledgerTable} (seq, id, hash, applied_at, run)
            SELECT ?, ?, ?, coalesce('begun ' || ${now} || ' ' || ?5, ${now}), ${fenced}
            FROM (SELECT coalesce(max(run), 0) AS newest FROM ${ledgerTable})`,
      args: [seq, migration.id, migration.hash, run ?? null, attempt ?? null],
    },
  ];
}

/** Writes down a history that another tool has applied, as the ledger's beginning. */
export function ledgerAdoption(history: readonly MigrationRef[], run: number | undefined): SqlStatement[] {
  const rows = JSON.stringify(history.map(({ id, hash }) => ({ id, hash })));
  return [
    createLedger,
    {
      sql: `INSERT INTO ${ledgerTable} (seq, id, hash, applied_at, run)
            SELECT key + 1, json_extract(value, '$.id'), json_extract(value, '$.hash'), ${now}, coalesce(?2, 0)
            FROM json_each(?1)`,
      args: [rows, run ?? null],
    },
  ];
}

/** What ends a migration that was begun by this attempt, or takes it back where nothing of it was run. */
export const finishLedger = (id: string, attempt: string, how: "done" | "taken back"): SqlStatement => ({
  sql:
    how === "done"
      ? `UPDATE ${ledgerTable} SET applied_at = ${now} WHERE id = ? AND applied_at LIKE 'begun % ' || ?`
      : `DELETE FROM ${ledgerTable} WHERE id = ? AND applied_at LIKE 'begun % ' || ?`,
  args: [id, attempt],
});

/**
 * Forgets who wrote the rows. A copy of another tenant brings its ledger along, and with it the run numbers of whichever
 * stack that tenant is of; they say nothing here, and would make every run of ours look overtaken.
 */
export async function restamp(sql: Sql): Promise<void> {
  try {
    await sql.execute({ sql: `UPDATE ${ledgerTable} SET run = 0 WHERE run > 0`, args: [] }, { idempotent: true });
  } catch (error) {
    if (!hasNoLedger(error)) throw error;
  }
}

/** True when a failed transaction failed at the guard because the migration, or another in its place, is already there. */
export const alreadyInLedger = (message: string): boolean =>
  message.includes(`UNIQUE constraint failed: ${ledgerTable}.`);

export const overtaken = (message: string): boolean =>
  message.includes(`NOT NULL constraint failed: ${ledgerTable}.run`);

import { randomUUID } from "node:crypto";
import { SqlError, TenantryError } from "../platform/errors";
import { readHistory } from "./adoption";
import { type LedgerEntry, alreadyInLedger, finishLedger, ledgerAdoption, ledgerGuard, ledgerTable } from "./ledger";
import type { MigrateRequest } from "./migrate";
import { needsNoTransaction } from "./refusal";
import type { Migration } from "./source";

/**
 * Outside of a transaction nothing can be exactly once, so the ledger says first that the migration was begun, and says
 * that it is done only afterwards. What was begun and not ended is reported, and never run again by itself.
 */
export async function applyStepwise(
  { sql, database, run }: MigrateRequest,
  adopted: readonly Migration[],
  next: Migration,
  seq: number,
): Promise<boolean> {
  const attempt = randomUUID();
  const guard = [...(adopted.length > 0 ? ledgerAdoption(adopted, run) : []), ...ledgerGuard(next, seq, run, attempt)];
  try {
    await sql.batch(guard, "write", { idempotent: true });
  } catch (error) {
    if (!(error instanceof SqlError) || !alreadyInLedger(error.message)) throw error;
    // Our own reply may have been lost, and then the row is ours.
    const { ledger } = await readHistory(sql);
    if (!ledger.at(-1)?.begun?.endsWith(attempt)) return false;
  }
  for (const [i, one] of next.statements.entries()) {
    try {
      const statement = { sql: one.sql, args: [] };
      if (next.foreignKeys === "off" && !needsNoTransaction(one.sql)) {
        await sql.batch([statement], "write", { foreignKeys: "off" });
      } else {
        await sql.execute(statement, { idempotent: false });
      }
    } catch (error) {
      if (i === 0 && error instanceof SqlError) {
        await sql.execute(finishLedger(next.id, attempt, "taken back"), { idempotent: true });
        throw failedAt(database, next, one.line, error);
      }
      const text = error instanceof Error ? error.message : String(error);
      throw unfinished(
        database,
        next,
        `line ${one.line}: ${text.replace(/\.$/, "")}. What stands above it was applied`,
        error,
      );
    }
  }
  await sql.execute(finishLedger(next.id, attempt, "done"), { idempotent: true });
  return true;
}

export function refuseUnfinished(
  ledger: readonly LedgerEntry[],
  database: string,
  migrations: readonly Migration[],
): void {
  const last = ledger.find(({ begun }) => begun);
  if (!last) return;
  const { id } = last;
  const file = migrations.find((one) => one.id === id)?.file ?? id;
  throw unfinished(
    database,
    { id, file },
    `begun on ${last.begun!.split(" ")[1]}, outside of a transaction, and not finished since`,
  );
}

function unfinished(database: string, { id, file }: Pick<Migration, "id" | "file">, what: string, cause?: unknown) {
  const done = `UPDATE ${ledgerTable} SET applied_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = '${id}'`;
  return new TenantryError("migration-failed", `${database}: ${file}, ${what}.`, {
    fix:
      `Unless another run is still at it, look which of its statements the database has. If all: ${done}; ` +
      `if it is to be run again: DELETE FROM ${ledgerTable} WHERE id = '${id}'; then run \`pulumi up\` again.`,
    cause,
  });
}

/** The database refused a statement of the file, and keeps nothing of it. */
export function failedAt(database: string, { file }: Migration, line: number | undefined, cause: Error): TenantryError {
  return new TenantryError(
    "migration-failed",
    `${database}: ${file}${line ? `, line ${line}` : ""}: ${cause.message}. Nothing of that file was applied.`,
    { fix: "Correct the file (no database has it yet where this was the first), then run `pulumi up` again.", cause },
  );
}

import { SqlError, TenantryError } from "../platform/errors";
import type { Sql, SqlStatement } from "../platform/sql";
import { isBlocked } from "../platform/sql-failure";
import { type History, adoptable, readHistory } from "./adoption";
import { brokenReferences, foreignKeyGuard } from "./foreign-keys";
import { alreadyInLedger, ledgerAdoption, ledgerGuard, overtaken } from "./ledger";
import { pendingMigrations } from "./plan";
import { refuseWhatCannotRun } from "./refusal";
import type { Migration, MigrationRef } from "./source";
import { applyStepwise, failedAt, refuseUnfinished } from "./stepwise";

export interface MigrateRequest {
  readonly sql: Sql;
  /** What to call the database in errors. */
  readonly database: string;
  readonly migrations: readonly Migration[];
  /** The fencing number of this run; undefined where no registry answers. */
  readonly run: number | undefined;
  /** As the caller has just seen it; it need not be true any more. Default: looked at first. */
  readonly standing?: Standing;
}

/** What stands between a database and the last of the migrations. */
export interface Standing {
  /** What another tool has applied, and our ledger does not say yet. */
  readonly adopted: readonly Migration[];
  readonly pending: readonly Migration[];
  /** How many the ledger says, with those to be adopted. */
  readonly applied: number;
}

/** Looks without writing. Fails like `migrate` where the history is another one, or where a migration was never finished. */
export async function standingOf(of: Pick<MigrateRequest, "sql" | "database" | "migrations">): Promise<Standing> {
  return standingIn(await readHistory(of.sql), of.migrations, of.database);
}

/** The same of what was read already. */
export function standingIn({ ledger, foreign }: History, migrations: readonly Migration[], database: string): Standing {
  refuseUnfinished(ledger, database, migrations);
  const adopted = adoptable(foreign, migrations, database);
  const applied = ledger.length > 0 ? ledger : adopted;
  return { adopted, pending: pendingMigrations(applied, migrations, database), applied: applied.length };
}

/**
 * Brings one database to the last of the migrations, each in one transaction with its ledger row. Exactly once, whoever
 * else runs: a lost reply or a second run meets its own ledger row. Answers what was applied here. What another tool has
 * applied is written into the ledger with the first of them, or by itself, and is not run.
 *
 * Fails with "migration-failed" (file, line, database; nothing of that file is applied), "migration-invalid" (the
 * database's history is another one) or "superseded" (a newer run has been here).
 */
export async function migrate(request: MigrateRequest): Promise<MigrationRef[]> {
  const applied: MigrationRef[] = [];
  let standing = request.standing ?? (await standingOf(request));
  for (;;) {
    const { adopted, pending, applied: count } = standing;
    const [next] = pending;
    if (!next && adopted.length === 0) return applied;
    const done = await commit(request, adopted, next, count + 1);
    if (!done) {
      // Somebody else's transaction came first, or our own reply was lost: the ledger knows.
      standing = await standingOf(request);
      continue;
    }
    if (next) applied.push({ id: next.id, hash: next.hash });
    standing = { adopted: [], pending: pending.slice(1), applied: count + 1 };
  }
}

/** False: the ledger has it already. */
async function commit(
  request: MigrateRequest,
  adopted: readonly Migration[],
  next: Migration | undefined,
  seq: number,
): Promise<boolean> {
  try {
    if (next) refuseWhatCannotRun(next);
    if (next?.transaction !== false) return await applyWhole(request, adopted, next, seq);
    return await applyStepwise(request, adopted, next, seq);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (alreadyInLedger(message)) return false;
    throw inWords(error, message, request.database);
  }
}

async function applyWhole(
  { sql, database, run }: MigrateRequest,
  adopted: readonly Migration[],
  next: Migration | undefined,
  seq: number,
): Promise<true> {
  const adoption = adopted.length > 0 ? ledgerAdoption(adopted, run) : [];
  const steps = next ? stepsOf(next, seq, run) : [];
  try {
    const foreignKeys = next?.foreignKeys ?? "kept";
    await sql.batch([...adoption, ...steps.map(({ statement }) => statement)], "write", {
      idempotent: true,
      foreignKeys,
    });
    return true;
  } catch (error) {
    if (!(error instanceof SqlError) || !next || isOurs(error.message)) throw error;
    throw failureOf(next, steps[(error.statementIndex ?? 0) - adoption.length], error, database);
  }
}

/** A statement of a migration's transaction, and the line it is from; none for those that Tenantry adds. */
export interface Step {
  readonly statement: SqlStatement;
  readonly line?: number;
}

/** What one transaction does: the ledger's row, the statements, and what is checked around them. */
export function stepsOf(migration: Migration, seq: number, run: number | undefined): Step[] {
  const off = migration.foreignKeys === "off";
  const added = (statements: readonly SqlStatement[]): Step[] => statements.map((statement) => ({ statement }));
  return [
    ...added(ledgerGuard(migration, seq, run)),
    ...added(off ? foreignKeyGuard.before : []),
    ...migration.statements.map(({ sql, line }) => ({ statement: { sql, args: [] }, line })),
    ...added(off ? foreignKeyGuard.after : []),
  ];
}

/** A migration's failure in words; `step` is where. */
export function failureOf(
  migration: Migration,
  step: Step | undefined,
  error: SqlError,
  database: string,
): TenantryError {
  const broken = brokenReferences(error.message);
  if (broken === undefined) return failedAt(database, migration, step?.line, error);
  return new TenantryError(
    "migration-failed",
    `${database}: ${migration.file} leaves rows that refer to rows which it took away: ${broken}. Nothing of that file was applied.`,
    { fix: "Let it keep or delete those rows too, then run `pulumi up` again.", cause: error },
  );
}

const isOurs = (message: string): boolean => alreadyInLedger(message) || overtaken(message);

/** What did not fail in the file itself. */
function inWords(error: unknown, message: string, database: string): unknown {
  if (overtaken(message)) {
    return new TenantryError("superseded", `${database}: a newer run has migrated it.`, {
      fix: "Wait for the other run to end, then run `pulumi up` again.",
      cause: error,
    });
  }
  if (error instanceof TenantryError && error.code !== "migration-failed" && isBlocked(error)) {
    return new TenantryError("migration-failed", `${database}: ${error.platformText}, so it was not migrated.`, {
      fix: "Lift the block that somebody set outside of the program, or declare it here, then run `pulumi up` again.",
      cause: error,
    });
  }
  return error;
}

import { TenantryError } from "../platform/errors";
import type { Sql } from "../platform/sql";
import { isBlocked } from "../platform/sql-failure";
import { alreadyInLedger, ledgerGuard, overtaken, readLedger } from "./ledger";
import { pendingMigrations } from "./plan";
import type { Migration, MigrationRef } from "./source";
import { type Statement, splitStatements } from "./statements";

export interface MigrateRequest {
  readonly sql: Sql;
  /** What to call the database in errors. */
  readonly database: string;
  readonly migrations: readonly Migration[];
  /** The fencing number of this run; undefined where no registry answers. */
  readonly run: number | undefined;
  /** Its ledger as the caller has just read it; it need not be true any more. Default: read first. */
  readonly ledger?: readonly MigrationRef[];
}

/**
 * Brings one database to the last of the migrations, each in one transaction with its ledger row. Exactly once, whoever
 * else runs: a lost reply or a second run meets its own ledger row. Answers what was applied here.
 *
 * Fails with "migration-failed" (file, line, database; nothing of that file is applied), "migration-invalid" (the
 * database's history is another one) or "superseded" (a newer run has been here).
 */
export async function migrate(request: MigrateRequest): Promise<MigrationRef[]> {
  const { sql, database, migrations, run } = request;
  const applied: MigrationRef[] = [];
  let ledger = request.ledger ?? (await readLedger(sql));
  for (;;) {
    const [next] = pendingMigrations(ledger, migrations, database);
    if (!next) return applied;
    const outcome = await apply(sql, database, next, ledger.length + 1, run);
    if (outcome === "applied") {
      applied.push({ id: next.id, hash: next.hash });
      ledger = [...ledger, next];
    } else {
      // Somebody else's transaction came first, or our own reply was lost: the ledger knows.
      ledger = await readLedger(sql);
    }
  }
}

async function apply(
  sql: Sql,
  database: string,
  migration: Migration,
  seq: number,
  run: number | undefined,
): Promise<"applied" | "already there"> {
  const statements = splitStatements(migration.sql);
  refuseWhatCannotRun(migration, statements);
  const guard = ledgerGuard(migration, seq, run);
  try {
    await sql.batch([...guard, ...statements.map((one) => ({ sql: one.sql, args: [] }))], "write", {
      idempotent: true,
    });
    return "applied";
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (alreadyInLedger(message)) return "already there";
    if (overtaken(message)) {
      throw new TenantryError("superseded", `${database}: a newer run has migrated it.`, {
        fix: "Wait for the other run to end, then run `pulumi up` again.",
        cause: error,
      });
    }
    if (error instanceof TenantryError) {
      if (!isBlocked(error)) throw error;
      throw new TenantryError("migration-failed", `${database}: ${error.platformText}, so it was not migrated.`, {
        fix: "Lift the block that somebody set outside of the program, or declare it here, then run `pulumi up` again.",
        cause: error,
      });
    }
    const failed = statements[(statementIndex(error) ?? guard.length) - guard.length];
    throw new TenantryError(
      "migration-failed",
      `${database}: ${migration.file}${failed ? `, line ${failed.line}` : ""}: ${message}. Nothing of that file was applied.`,
      {
        fix: "Correct the file (no database has it yet where this was the first), then run `pulumi up` again.",
        cause: error,
      },
    );
  }
}

/** Which statement of a batch failed, where the client tells. */
function statementIndex(error: unknown): number | undefined {
  const index = (error as { statementIndex?: unknown }).statementIndex;
  return typeof index === "number" ? index : undefined;
}

const refused: Record<string, string> = {
  BEGIN: "each file already runs in one transaction of its own",
  COMMIT: "each file already runs in one transaction of its own",
  END: "each file already runs in one transaction of its own",
  ROLLBACK: "each file already runs in one transaction of its own",
  SAVEPOINT: "each file already runs in one transaction of its own",
  RELEASE: "each file already runs in one transaction of its own",
  VACUUM: "it cannot run inside a transaction",
  ATTACH: "a migration changes one database only",
  DETACH: "a migration changes one database only",
};

/** What a transaction cannot hold is refused before anything is sent. */
export function refuseWhatCannotRun(migration: Migration, statements: readonly Statement[]): void {
  if (statements.length === 0) {
    throw new TenantryError("migration-invalid", `migrations: "${migration.file}" holds no SQL statement.`, {
      fix: "Write its statements, or delete the file.",
    });
  }
  for (const { sql, line } of statements) {
    const keyword = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(\w+)/.exec(sql)?.[1]?.toUpperCase() ?? "";
    const why = Object.hasOwn(refused, keyword) ? refused[keyword] : undefined;
    if (why) {
      throw new TenantryError(
        "migration-invalid",
        `migrations: "${migration.file}", line ${line}: ${keyword} is refused: ${why}.`,
        { fix: "Take the statement out." },
      );
    }
  }
}

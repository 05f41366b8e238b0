import { TenantryError } from "../platform/errors";
import type { Sql, SqlResult } from "../platform/sql";
import { ledgerTable, readLedger } from "../rollout/ledger";
import { migrate, standingOf } from "../rollout/migrate";
import type { Migration } from "../rollout/source";
import type { AppliedMigration, BranchReport } from "./report";

export interface Brought {
  /** By this call, in order. */
  readonly applied: readonly AppliedMigration[];
  /** The last one that the branch has; null: none. */
  readonly to: string | null;
  readonly error: BranchReport["error"];
}

/**
 * Brings a branch to the end of the migrations, each measured. A migration that fails ends it, and is told: that it fails
 * here, and not in production, is what the branch is for. Whatever is not the migrations' fault fails.
 */
export async function bring(
  sql: Sql,
  tenant: string,
  migrations: readonly Migration[],
  run: number,
  check: () => void,
): Promise<Brought> {
  const applied: AppliedMigration[] = [];
  let next: Migration | undefined;
  try {
    const { pending, applied: had, adopted } = await standingOf({ sql, database: tenant, migrations });
    for (const [i, migration] of pending.entries()) {
      check();
      next = migration;
      const meter = createMeter(sql);
      const began = performance.now();
      await migrate({
        ...{ sql: meter.sql, database: tenant, migrations: migrations.slice(0, had + i + 1), run },
        standing: { adopted: i === 0 ? adopted : [], pending: [migration], applied: had + i },
      });
      applied.push({ id: migration.id, ms: rounded(performance.now() - began), ...meter.read() });
    }
    next = undefined;
    return { applied, to: migrations.at(-1)?.id ?? null, error: null };
  } catch (error) {
    if (!(error instanceof TenantryError) || !["migration-failed", "migration-invalid"].includes(error.code))
      throw error;
    const to = (await readLedger(sql)).at(-1)?.id ?? null;
    const over = error.code === "migration-invalid" ? " `--reset` starts over from the source." : "";
    return { applied, to, error: { migration: next?.id ?? null, message: `${withoutFix(error)}${over}` } };
  }
}

/** What to do is said for a deploy; here it is to correct the file and push again. */
const withoutFix = ({ message, fix }: TenantryError): string =>
  fix !== undefined && message.endsWith(` ${fix}`) ? message.slice(0, -fix.length - 1) : message;

const rounded = (ms: number): number => Math.round(ms * 10) / 10;

/** Counts rows and time of the transactions that write; the ledger's own row is not counted. */
function createMeter(sql: Sql): {
  readonly sql: Sql;
  readonly read: () => Pick<AppliedMigration, "rowsWritten" | "lockedMs">;
} {
  let rowsWritten = 0;
  let lockedMs = 0;
  const timed = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const began = performance.now();
    try {
      return await work();
    } finally {
      lockedMs += performance.now() - began;
    }
  };
  const add = (text: string, { rowsAffected }: SqlResult): void => {
    if (!text.includes(ledgerTable) && isChange(text)) rowsWritten += rowsAffected;
  };
  return {
    read: () => ({ rowsWritten, lockedMs: rounded(lockedMs) }),
    sql: {
      ...sql,
      async execute(statement, options) {
        const result = await timed(() => sql.execute(statement, options));
        add(statement.sql, result);
        return result;
      },
      async batch(statements, mode, options) {
        if (mode === "read") return sql.batch(statements, mode, options);
        const results = await timed(() => sql.batch(statements, mode, options));
        statements.forEach((one, i) => {
          if (results[i]) add(typeof one === "string" ? one : one.sql, results[i]);
        });
        return results;
      },
    },
  };
}

/** A statement that makes or alters a table says how many rows the one before it has changed. */
const isChange = (text: string): boolean =>
  /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(?:insert|update|delete|replace|with)\b/i.test(text);

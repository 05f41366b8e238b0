import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import Database, { SqliteError } from "libsql";
import { DatabaseMissing, StatementError, statementError } from "./fault";
import type { SqlStatement } from "./sql-text";
import type { EngineValue } from "./value";

export interface Column {
  readonly name: string;
  readonly decltype: string | null;
}

export interface RunResult {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly EngineValue[])[];
  readonly affected: number;
  /** The rowid of the last INSERT; undefined for every other statement. */
  readonly lastInsertRowid: bigint | undefined;
  readonly milliseconds: number;
}

/**
 * One connection to one file. Everything is promised although the engine's binding is synchronous: callers must not
 * notice when an engine moves to another thread. Failures are StatementErrors, except DatabaseMissing on opening.
 */
export interface Connection {
  run(statement: SqlStatement, values: readonly EngineValue[]): Promise<RunResult>;
  describe(statement: SqlStatement): Promise<{ columns: readonly Column[]; isReadOnly: boolean }>;
  /** True outside of a transaction. */
  isAutocommit(): Promise<boolean>;
  /** Rolls an open transaction back. A statement still waiting for a lock fails at once. Idempotent. */
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly readOnly: boolean;
  /** How long a statement waits for a lock that another connection holds, in milliseconds. */
  readonly busyTimeout: number;
  readonly onClosed: () => void;
}

export async function openConnection(file: string, options: ConnectionOptions): Promise<Connection> {
  const database = openFile(file, options.readOnly);
  const closing = new AbortController();
  // A new connection of a hosted database enforces no foreign keys, whatever the engine was compiled with.
  database.exec("PRAGMA foreign_keys = OFF; PRAGMA synchronous = NORMAL");

  const patiently = async <Result>(attempt: () => Result): Promise<Result> => {
    const deadline = performance.now() + options.busyTimeout;
    for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
      if (closing.signal.aborted) throw new StatementError("STREAM_CLOSED", "The stream was closed");
      try {
        return attempt();
      } catch (error) {
        // SQLite's own wait would stop every other request of this process, the one that holds the lock included.
        if (!isBusy(error) || performance.now() >= deadline) throw statementError(error);
      }
      await sleep(pause, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };

  return {
    run: (statement, values) => patiently(() => runStatement(database, statement, values)),
    describe: (statement) => patiently(() => describeStatement(database, statement)),
    // The binding ends the whole process when a closed database is asked.
    isAutocommit: async () => closing.signal.aborted || !database.inTransaction,
    close: async () => {
      if (closing.signal.aborted) return;
      closing.abort();
      // Without this the lock would live on until the garbage collector finds the last prepared statement.
      if (database.inTransaction) database.exec("ROLLBACK");
      database.close();
      options.onClosed();
    },
  };
}

/**
 * Opens an existing file, never making one. Read-only is the engine's own mode (`mode=ro`), which no SQL text undoes;
 * the `readonly` option of the binding has no effect.
 */
export function openFile(file: string, readOnly: boolean): Database.Database {
  try {
    return new Database(`${pathToFileURL(file).href}?mode=${readOnly ? "ro" : "rw"}`);
  } catch (error) {
    if (!existsSync(file)) throw new DatabaseMissing();
    throw error;
  }
}

function runStatement(database: Database.Database, statement: SqlStatement, values: readonly EngineValue[]): RunResult {
  const start = performance.now();
  const prepared = database.prepare(statement.sql);
  const columns = prepared.reader ? columnsOf(prepared) : [];
  let rows: EngineValue[][] = [];
  let affected = 0;
  let lastInsertRowid: bigint | undefined;
  if (prepared.reader) {
    rows = prepared.safeIntegers().raw().all(values) as EngineValue[][];
    // The count of changes stays what it was when a statement changes nothing, so it is asked for only after one that
    // may have changed something.
    if (statement.kind === "insert" || statement.kind === "change") {
      const counts = database.prepare("SELECT changes(), last_insert_rowid()").safeIntegers().raw().get([]) as bigint[];
      affected = Number(counts[0]);
      lastInsertRowid = counts[1];
    }
  } else {
    const outcome = prepared.safeIntegers().run(values);
    affected = Number(outcome.changes);
    lastInsertRowid = BigInt(outcome.lastInsertRowid);
  }
  if (statement.kind !== "insert") lastInsertRowid = undefined;
  return { columns, rows, affected, lastInsertRowid, milliseconds: performance.now() - start };
}

function describeStatement(
  database: Database.Database,
  statement: SqlStatement,
): { columns: readonly Column[]; isReadOnly: boolean } {
  const prepared = database.prepare(statement.sql);
  const columns = prepared.reader ? columnsOf(prepared) : [];
  if (statement.kind === "explain") return { columns, isReadOnly: true };
  // The engine's program tells whether it writes: its Transaction instruction has a second operand other than 0.
  const program = database.prepare(`EXPLAIN ${statement.sql}`).raw().all([]) as unknown[][];
  return { columns, isReadOnly: !program.some((step) => step[1] === "Transaction" && step[3] !== 0) };
}

function columnsOf(prepared: Database.Statement): Column[] {
  return prepared.columns().map(({ name, type }) => ({ name, decltype: type }));
}

/** Busy because of another connection's lock, as opposed to a snapshot that waiting cannot make current. */
function isBusy(error: unknown): boolean {
  return error instanceof SqliteError && error.rawCode === 5;
}

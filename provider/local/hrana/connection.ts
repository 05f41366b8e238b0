import type Database from "libsql";
import { SqliteError } from "libsql";
import { type Column, describeStatement, type Execution, startExecution } from "./execution";
import { StatementError, statementError } from "./fault";
import { type OpenFile, prepare } from "./open-file";
import type { SqlStatement } from "./sql-text";
import type { EngineValue } from "./value";

/**
 * One connection to one file. The engine's binding is synchronous: what is promised here is the wait for a lock that
 * another connection holds. Failures are StatementErrors, except DatabaseMissing on opening.
 */
export interface Connection {
  /** Starts a statement; its first rows are there, and so are its effects. To be finished or stopped. */
  start(statement: SqlStatement, values: readonly EngineValue[]): Promise<Execution>;
  describe(statement: SqlStatement): Promise<{ columns: readonly Column[]; isReadOnly: boolean }>;
  /** True outside of a transaction. */
  isAutocommit(): boolean;
  /** Rolls an open transaction back. A statement still waiting for a lock fails at once. Idempotent. */
  close(): void;
}

export interface ConnectionOptions {
  /** How long a statement waits for a lock that another connection holds, in milliseconds. */
  readonly busyTimeout: number;
  /** Called with true when a statement begins to wait for a lock, and with false when it goes on. */
  readonly onWait: (waits: boolean) => void;
  /** Takes the file back: it is as new when nothing but reading was done with it, and is to be closed otherwise. */
  readonly onClosed: (file: OpenFile, asNew: boolean) => void;
}

export function connectionTo(file: OpenFile, options: ConnectionOptions): Connection {
  const { database } = file;
  let closed = false;
  let wake = (): void => undefined;
  let asNew = true;
  let waiting = 0;
  let running: Execution | undefined;

  // The binding ends the whole process when a closed database is asked for anything.
  const whileOpen = <Result>(work: () => Result): Result => {
    if (closed) throw new StatementError("STREAM_CLOSED", "The stream was closed");
    return work();
  };
  const patiently = async <Result>(attempt: () => Result): Promise<Result> => {
    const deadline = performance.now() + options.busyTimeout;
    let waits = false;
    try {
      for (let pause = 2; ; pause = Math.min(pause * 2, 50)) {
        try {
          return whileOpen(attempt);
        } catch (error) {
          // SQLite's own wait would stop every other request of this process, the one that holds the lock included.
          if (!isBusy(error) || performance.now() >= deadline) throw statementError(error);
        }
        if (!waits && waiting++ === 0) options.onWait(true);
        waits = true;
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, pause);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      if (waits && --waiting === 0) options.onWait(false);
    }
  };

  return {
    start: async (statement, values) => {
      // One prepared statement for all attempts: running it again is the only way of the binding to reset it.
      let prepared: Database.Statement | undefined;
      let execution: Execution;
      try {
        execution = await patiently(() => {
          asNew &&= leavesNothing.has(statement.kind) && !isPragma(statement);
          prepared ??= prepare(file, statement);
          return startExecution(database, prepared, statement, values);
        });
      } catch (error) {
        const wasBusy = error instanceof StatementError && error.code === "SQLITE_BUSY";
        if (prepared && wasBusy && !closed) halt(database, prepared, values);
        throw error;
      }
      running = execution;
      return {
        columns: execution.columns,
        next: () => whileOpen(execution.next),
        outcome: () => whileOpen(execution.outcome),
        stop: () => (closed ? undefined : execution.stop()),
      };
    },
    describe: (statement) =>
      patiently(() => {
        asNew &&= !isPragma(statement);
        return describeStatement(database, statement);
      }),
    isAutocommit: () => closed || !database.inTransaction,
    close: () => {
      if (closed) return;
      closed = true;
      wake();
      running?.stop();
      // Without this the lock would live on until the garbage collector finds the last prepared statement.
      try {
        if (database.inTransaction) database.exec("ROLLBACK");
      } catch {
        // Its end rolls back too, and whoever closes it, such as a timer, has nobody to tell.
        asNew = false;
      }
      options.onClosed(file, asNew);
    },
  };
}

// What other statements leave behind, such as settings, temporary tables and last_insert_rowid(), ends with the
// connection, as on a libSQL server.
const leavesNothing: ReadonlySet<SqlStatement["kind"]> = new Set(["read", "explain", "begin", "end"]);

/** Settings change while they are prepared, even behind EXPLAIN, and so when they are described. */
function isPragma({ tokens }: SqlStatement): boolean {
  const [verb, next, ...rest] = tokens.slice(0, 4).map((part) => part.toUpperCase());
  return (verb === "EXPLAIN" ? (next === "QUERY" ? rest[1] : next) : verb) === "PRAGMA";
}

/**
 * Ends a statement that was refused a lock. SQLite leaves such a one pending, and as long as one that writes is, no
 * later write of its connection is committed although it is reported done. Under query_only it fails before it asks for
 * the lock, and that ends it.
 */
function halt(database: Database.Database, prepared: Database.Statement, values: readonly EngineValue[]): void {
  const [before] = database.prepare("PRAGMA query_only").raw().get([]) as [number];
  database.exec("PRAGMA query_only = 1");
  try {
    if (prepared.reader) prepared.all(values);
    else prepared.run(values);
  } catch {
    // As wanted.
  } finally {
    database.exec(`PRAGMA query_only = ${before === 0 ? 0 : 1}`);
  }
}

// SQLITE_BUSY, and SQLITE_BUSY_RECOVERY: another process opens or closes the file.
const passing = [5, 261];

/** Busy because of another connection's lock, as opposed to a snapshot that waiting cannot make current. */
function isBusy(error: unknown): boolean {
  return error instanceof SqliteError && passing.includes(error.rawCode ?? 0);
}

import type Database from "libsql";
import { statementError } from "./fault";
import type { SqlStatement } from "./sql-text";
import type { EngineValue } from "./value";

export interface Column {
  readonly name: string;
  readonly decltype: string | null;
}

/** A statement that has been started. */
export interface Execution {
  readonly columns: readonly Column[];
  /** The next row; undefined after the last. Throws StatementError, after which nothing is left to be stopped. */
  next(): readonly EngineValue[] | undefined;
  /** What it did, once `next` has answered undefined. */
  outcome(): Outcome;
  /** Ends it before its last row. What an unfinished statement has changed outside of a transaction is undone. */
  stop(): void;
}

export interface Outcome {
  readonly affected: number;
  /** The rowid of the last INSERT; undefined for every other statement. */
  readonly lastInsertRowid: bigint | undefined;
  readonly milliseconds: number;
}

// Missing in the binding's types.
type Interruptible = Database.Database & { interrupt(): void };

export function startExecution(
  database: Database.Database,
  prepared: Database.Statement,
  statement: SqlStatement,
  values: readonly EngineValue[],
): Execution {
  const start = performance.now();
  const outcome = (affected: number, lastInsertRowid?: bigint): Outcome => ({
    affected,
    lastInsertRowid: statement.kind === "insert" ? lastInsertRowid : undefined,
    milliseconds: performance.now() - start,
  });
  if (!prepared.reader) {
    const done = prepared.run(values);
    const result = outcome(Number(done.changes), BigInt(done.lastInsertRowid));
    return { columns: [], next: () => undefined, outcome: () => result, stop: () => undefined };
  }

  const rows: Iterator<EngineValue[]> =
    statement.kind === "explain"
      ? explain(prepared, values)[Symbol.iterator]()
      : (prepared.raw().iterate(values) as Iterator<EngineValue[]>);
  let current = rows.next();
  // Only now: a statement that outlived a change of the schema has its new columns from its first step on.
  const columns = columnsOf(prepared);
  return {
    columns,
    next: () => {
      if (current.done) return undefined;
      const row = current.value;
      try {
        current = rows.next();
      } catch (error) {
        throw statementError(error);
      }
      return row;
    },
    outcome: () => {
      // The count of changes stays what it was when a statement changes nothing, so it is asked for only after one that
      // may have changed something.
      if (statement.kind !== "insert" && statement.kind !== "change") return outcome(0);
      const counts = database.prepare("SELECT changes(), last_insert_rowid()").safeIntegers().raw().get([]) as bigint[];
      return outcome(Number(counts[0]), counts[1]);
    },
    stop: () => {
      const isPending = !current.done && statement.kind !== "explain";
      const drain = (): void => {
        while (!current.done) current = rows.next();
      };
      try {
        if (isPending && !database.inTransaction) {
          // The binding has no call that resets a statement; an interrupted one ends itself.
          (database as Interruptible).interrupt();
          drain();
        } else if (isPending) {
          // A full-text table that was written to keeps a reader open as long as the transaction, and so long an
          // interruption would last too, and end the ROLLBACK. `get` resets before and after it reads a row.
          if (statement.kind !== "insert" && statement.kind !== "change") prepared.get(values);
          else {
            // What it changes is changed before its first row. An interrupted one takes the transaction with it.
            drain();
            database.exec("ROLLBACK");
          }
        }
      } catch {
        // As wanted.
      }
      current = { done: true, value: undefined };
    },
  };
}

export function describeStatement(
  database: Database.Database,
  statement: SqlStatement,
): { columns: readonly Column[]; isReadOnly: boolean } {
  const prepared = database.prepare(statement.sql);
  const columns = prepared.reader ? columnsOf(prepared) : [];
  if (statement.kind === "explain") return { columns, isReadOnly: true };
  // The engine's program tells whether it writes: its Transaction instruction has a second operand other than 0.
  const program = explain(database.prepare(`EXPLAIN ${statement.sql}`), []);
  return { columns, isReadOnly: !program.some((step) => step[1] === "Transaction" && step[3] !== 0) };
}

/**
 * All rows of an EXPLAIN. Its last row does not end it for SQLite: it counts as a statement under way until it is reset,
 * and beside one that would write nothing of its connection is committed, although it is reported done. Of the binding's
 * calls only `get` resets.
 */
function explain(prepared: Database.Statement, values: readonly EngineValue[]): EngineValue[][] {
  const rows = prepared.raw().all(values) as EngineValue[][];
  prepared.get(values);
  return rows;
}

function columnsOf(prepared: Database.Statement): Column[] {
  return prepared.columns().map(({ name, type }) => ({ name, decltype: type }));
}

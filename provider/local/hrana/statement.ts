import { type Access, explainRefusal, refuseBlocked } from "./access";
import { bindArguments } from "./arguments";
import type { Budget } from "./budget";
import type { Connection } from "./connection";
import type { Column, Execution } from "./execution";
import { StatementError, statementError } from "./fault";
import { refuseUnoffered } from "./offered";
import type { WireStatement } from "./protocol";
import { parseSql, type SqlStatement } from "./sql-text";
import type { Meter } from "./meter";
import { toWire, type WireValue } from "./value";

export interface WireResult {
  readonly cols: readonly Column[];
  readonly rows: readonly (readonly WireValue[])[];
  readonly affected_row_count: number;
  readonly last_insert_rowid: string | null;
  readonly replication_index: null;
  /** The engine's binding does not count the rows it visits: these are the rows returned and the rows changed. */
  readonly rows_read: number;
  readonly rows_written: number;
  readonly query_duration_ms: number;
}

export interface WireDescription {
  readonly params: readonly { readonly name: string | null }[];
  readonly cols: readonly Column[];
  readonly is_explain: boolean;
  readonly is_readonly: boolean;
}

/** What statements run against: a stream's connection, with what its bearer may do and who counts. */
export interface Desk {
  readonly connection: Connection;
  readonly access: Access;
  readonly meter: Meter;
}

/** A started statement, told row by row. */
export interface Rows {
  readonly cols: readonly Column[];
  /** The next row in the form of the wire; undefined after the last. Throws StatementError, which ends it. */
  next(): readonly WireValue[] | undefined;
  end(): Omit<WireResult, "cols" | "rows">;
  /** Ends it before its last row. */
  stop(): void;
}

export async function start(desk: Desk, sql: string, wire: WireStatement): Promise<Rows> {
  return startParsed(desk, singleStatement(sql), wire);
}

async function startParsed({ connection, access, meter }: Desk, statement: SqlStatement, wire: WireStatement) {
  refuseUnoffered(statement.tokens);
  refuseBlocked(access, statement);
  let execution: Execution;
  try {
    execution = await connection.start(statement, bindArguments(statement.parameters, wire));
  } catch (error) {
    throw explainRefusal(access, statementError(error));
  }
  let read = 0;
  return {
    cols: execution.columns,
    next: () => {
      const row = execution.next();
      if (row === undefined) return undefined;
      read++;
      return row.map(toWire);
    },
    end: () => {
      const { affected, lastInsertRowid, milliseconds } = execution.outcome();
      meter.count(statement.sql, read, affected);
      return {
        affected_row_count: affected,
        last_insert_rowid: lastInsertRowid?.toString() ?? null,
        replication_index: null,
        rows_read: read,
        rows_written: affected,
        query_duration_ms: milliseconds,
      };
    },
    stop: () => execution.stop(),
  } satisfies Rows;
}

export async function execute(desk: Desk, budget: Budget, sql: string, wire: WireStatement): Promise<WireResult> {
  return collect(await start(desk, sql, wire), budget, wire.want_rows !== false);
}

function collect(started: Rows, budget: Budget, wantRows: boolean): WireResult {
  const rows: (readonly WireValue[])[] = [];
  try {
    for (let row = started.next(); row !== undefined; row = started.next()) {
      if (!wantRows) continue;
      budget.spend(row);
      rows.push(row);
    }
  } catch (error) {
    started.stop();
    throw error;
  }
  return { cols: started.cols, rows, ...started.end() };
}

/** Runs every statement of a text until one fails. What ran before it stays done, as with SQLite's own `exec`. */
export async function executeSequence(desk: Desk, budget: Budget, sql: string): Promise<void> {
  for (const statement of parseSql(sql)) collect(await startParsed(desk, statement, {}), budget, false);
}

export async function describe({ connection, access }: Desk, sql: string): Promise<WireDescription> {
  const statement = singleStatement(sql);
  refuseUnoffered(statement.tokens);
  refuseBlocked(access, statement);
  try {
    const { columns, isReadOnly } = await connection.describe(statement);
    return {
      params: statement.parameters.map((name) => ({ name })),
      cols: columns,
      is_explain: statement.kind === "explain",
      is_readonly: isReadOnly,
    };
  } catch (error) {
    throw explainRefusal(access, statementError(error));
  }
}

function singleStatement(sql: string): SqlStatement {
  const [statement, ...others] = parseSql(sql);
  if (statement === undefined) {
    throw new StatementError("SQL_NO_STATEMENT", "SQL string does not contain any statement");
  }
  if (others.length > 0) {
    throw new StatementError("SQL_MANY_STATEMENTS", "SQL string contains more than one statement");
  }
  return statement;
}

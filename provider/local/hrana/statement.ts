import { type Access, explainRefusal, refuseBlocked } from "./access";
import { bindArguments } from "./arguments";
import type { Column, Connection } from "./connection";
import { StatementError, statementError } from "./fault";
import { refuseUnoffered } from "./offered";
import type { WireStatement } from "./protocol";
import { parseSql, type SqlStatement } from "./sql-text";
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

export async function execute(
  connection: Connection,
  access: Access,
  sql: string,
  wire: WireStatement,
): Promise<WireResult> {
  const statement = singleStatement(sql);
  refuse(access, statement);
  const result = await guarded(access, () => connection.run(statement, bindArguments(statement.parameters, wire)));
  return {
    cols: result.columns,
    rows: wire.want_rows === false ? [] : result.rows.map((row) => row.map(toWire)),
    affected_row_count: result.affected,
    last_insert_rowid: result.lastInsertRowid?.toString() ?? null,
    replication_index: null,
    rows_read: result.rows.length,
    rows_written: result.affected,
    query_duration_ms: result.milliseconds,
  };
}

/** Runs every statement of a text until one fails. What ran before it stays done, as with SQLite's own `exec`. */
export async function executeSequence(connection: Connection, access: Access, sql: string): Promise<void> {
  for (const statement of parseSql(sql)) {
    refuse(access, statement);
    await guarded(access, () => connection.run(statement, bindArguments(statement.parameters, {})));
  }
}

export async function describe(connection: Connection, access: Access, sql: string): Promise<WireDescription> {
  const statement = singleStatement(sql);
  refuse(access, statement);
  const { columns, isReadOnly } = await guarded(access, () => connection.describe(statement));
  return {
    params: statement.parameters.map((name) => ({ name })),
    cols: columns,
    is_explain: statement.kind === "explain",
    is_readonly: isReadOnly,
  };
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

function refuse(access: Access, statement: SqlStatement): void {
  refuseUnoffered(statement.tokens);
  refuseBlocked(access, statement);
}

async function guarded<Result>(access: Access, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw explainRefusal(access, statementError(error));
  }
}

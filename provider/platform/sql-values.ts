import type { ResultSet, Statement, Value } from "./libsql-client";
import type { Row, SqlStatement, SqlValue } from "./sql-connection";

export type { Row, SqlStatement, SqlValue } from "./sql-connection";

export function toStatement(statement: SqlStatement | string): Statement {
  return typeof statement === "string"
    ? { sql: statement, args: [] }
    : { sql: statement.sql, args: statement.args.map(toArgument) };
}

/** The client sends every number as a REAL, and a column without an affinity would keep it so. */
function toArgument(value: SqlValue): SqlValue {
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}

export function fromResult({ columns, rows, rowsAffected }: ResultSet): { rows: Row[]; rowsAffected: number } {
  return {
    // Read by position: the client's rows lack columns that are called "length" or "0".
    rows: rows.map((row) => {
      const pairs = columns.map((column, index): [string, unknown] => [column, fromValue(row[index]!)]);
      return Object.fromEntries(pairs.reverse());
    }),
    rowsAffected,
  };
}

function fromValue(value: Value): unknown {
  if (typeof value === "bigint") {
    const narrow = Number(value);
    return Number.isSafeInteger(narrow) ? narrow : value;
  }
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

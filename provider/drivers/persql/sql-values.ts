import type { Row, SqlResult, SqlValue } from "../../platform/sql-connection";
import { unsupported } from "./problems";
import type { QueryResult } from "./wire";

/** PerSQL docs: parameters and rows are JSON; how bytes or whole numbers beyond 2^53 would travel is not said. */
export function argumentOf(value: SqlValue): string | number | null {
  if (value instanceof Uint8Array)
    throw unsupported("takes no bytes as an argument", "Pass them as text, such as unhex(?) with their hex digits.");
  if (typeof value !== "bigint") return value;
  if (Number.isSafeInteger(Number(value))) return Number(value);
  throw unsupported("takes no whole number beyond 2^53 as an argument", "Pass it as text, such as CAST(? AS INTEGER).");
}

export function resultOf({ columns, rows, rowsWritten, changes, lastInsertRowid }: QueryResult): SqlResult {
  return {
    rows: rows.map((values): Row =>
      // Backwards, so that of two columns of one name the first counts.
      Object.fromEntries(columns.map((column, i): [string, unknown] => [column, values[i] ?? null]).reverse()),
    ),
    // Rows of indexes are counted among those written: it says whether anything was changed, where `changes` is missing.
    rowsAffected: changes ?? rowsWritten ?? 0,
    raw: {
      columns,
      rows,
      lastInsertRowid: lastInsertRowid === null || lastInsertRowid === undefined ? undefined : BigInt(lastInsertRowid),
    },
  };
}

import type { Sql, SqlStatement } from "../platform/sql";
import type { SqlValue } from "../platform/sql-values";
import type { Table } from "./definition";
import { quoted } from "./quoted-name";
import { type Cell, binding, bytesOf } from "./rows";

/** Values of one statement, and bytes of one request, at most: SQLite takes 32,766, servers some MB. */
const mostValues = 8_000;
const mostBytes = 1 << 20;

/**
 * Writes rows, each transaction one bounded request. Sent again, or met again after a kill, a row stays as it is: none is
 * doubled. Where foreign keys can be switched off, nobody looks at them meanwhile; elsewhere the order of the tables has
 * to do.
 */
export async function writeRows(sql: Sql, table: Table, rows: readonly (readonly Cell[])[]): Promise<void> {
  const most = Math.max(1, Math.floor((sql.plainJson?.maxArguments ?? mostValues) / table.columns.length));
  const statements = sql.maxStatements ?? Infinity;
  const options = { idempotent: true, foreignKeys: sql.plainJson ? "kept" : "off" } as const;
  let due: SqlStatement[] = [];
  let bytes = 0;
  const send = async (): Promise<void> => {
    if (due.length > 0) await sql.batch(due, "write", options);
    due = [];
    bytes = 0;
  };
  for (let at = 0; at < rows.length;) {
    let end = at;
    while (end < rows.length && end - at < most && (end === at || bytes + bytesOf(rows[end]!) <= mostBytes)) {
      bytes += bytesOf(rows[end++]!);
    }
    due.push(insertion(table, rows.slice(at, end), sql));
    at = end;
    if (due.length >= statements || bytes >= mostBytes || !sql.plainJson) await send();
  }
  await send();
}

export function insertion(
  { name, columns, kind }: Table,
  rows: readonly (readonly Cell[])[],
  sql: Pick<Sql, "plainJson">,
): SqlStatement {
  const args: SqlValue[] = [];
  const tuples = rows.map((row) => {
    const bound = row.map((cell) => binding(cell, sql));
    for (const one of bound) args.push(...one.args);
    return `(${bound.map((one) => one.sql).join(",")})`;
  });
  const into = `${quoted(name)} (${columns.join(", ")}) VALUES ${tuples.join(",")}`;
  return {
    // DO NOTHING is for a key that is there already; what the table's own rules refuse still fails.
    sql: kind === "plain" ? `INSERT INTO ${into} ON CONFLICT DO NOTHING` : `INSERT OR REPLACE INTO ${into}`,
    args,
  };
}

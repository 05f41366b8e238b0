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
 * doubled. Foreign keys are looked at by nobody meanwhile, since the tables come one after the other.
 */
export async function writeRows(sql: Sql, table: Table, rows: readonly (readonly Cell[])[]): Promise<void> {
  const most = Math.max(1, Math.floor(mostValues / table.columns.length));
  for (let at = 0; at < rows.length;) {
    let bytes = 0;
    let end = at;
    while (end < rows.length && end - at < most && (end === at || bytes + bytesOf(rows[end]!) <= mostBytes)) {
      bytes += bytesOf(rows[end++]!);
    }
    await sql.batch([insertion(table, rows.slice(at, end))], "write", { idempotent: true, foreignKeys: "off" });
    at = end;
  }
}

export function insertion({ name, columns, kind }: Table, rows: readonly (readonly Cell[])[]): SqlStatement {
  const args: SqlValue[] = [];
  const tuples = rows.map((row) => {
    const bound = row.map(binding);
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

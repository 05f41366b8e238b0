import { isDeepStrictEqual } from "node:util";
import { TenantryError, hasCode } from "../../platform/errors";
import { type Row, type Sql, SqlError } from "../../platform/sql";
import type { SqlValue } from "../../platform/sql-values";

/** Rows read at a time from each of the two: what is held in memory. */
const pageSize = 500;

interface Table {
  readonly name: string;
  /** The name under which its row number can be had; undefined for a table WITHOUT ROWID. */
  readonly rowid: string | undefined;
  /** Its primary key, in order, where it is WITHOUT ROWID. */
  readonly key: readonly string[];
}

/** True when both have the same schema, word for word, and the same rows in every table. */
export async function sameContents(one: Sql, other: Sql): Promise<boolean> {
  const [schema, itsSchema] = await Promise.all([schemaTexts(one), schemaTexts(other)]);
  if (!isDeepStrictEqual(schema, itsSchema)) return false;
  for (const table of await tablesOf(one)) {
    if (!(await sameRows(one, other, table))) return false;
  }
  return true;
}

async function schemaTexts(sql: Sql): Promise<readonly Row[]> {
  const text = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
  return (await sql.execute({ sql: text, args: [] })).rows;
}

/** A virtual table's rows are those of its shadow tables. */
async function tablesOf(sql: Sql): Promise<Table[]> {
  const { rows } = await sql.execute({
    sql: `SELECT l.name, l.wr, x.name AS col, x.pk FROM pragma_table_list AS l JOIN pragma_table_xinfo(l.name) AS x
          WHERE l.schema = 'main' AND l.type IN ('table', 'shadow') AND l.name <> 'sqlite_schema'
          ORDER BY l.name, x.pk`,
    args: [],
  });
  const columns = new Map<string, Row[]>();
  for (const row of rows) {
    const name = String(row["name"]);
    columns.set(name, [...(columns.get(name) ?? []), row]);
  }
  return [...columns].map(([name, own]) => {
    if (own[0]!["wr"] === 1) {
      const key = own.filter((column) => column["pk"] !== 0).map((column) => String(column["col"]));
      return { name, rowid: undefined, key };
    }
    const taken = own.map((column) => String(column["col"]).toLowerCase());
    const rowid = ["rowid", "_rowid_", "oid"].find((alias) => !taken.includes(alias));
    if (rowid) return { name, rowid, key: [rowid] };
    throw new TenantryError(
      "unsupported",
      `Table "${name}" has columns rowid, _rowid_ and oid: it cannot be compared.`,
    );
  });
}

async function sameRows(one: Sql, other: Sql, table: Table): Promise<boolean> {
  let [after, itsAfter]: [Row | undefined, Row | undefined] = [undefined, undefined];
  for (let size = pageSize; ;) {
    try {
      const [page, itsPage]: Row[][] = await Promise.all([
        readPage(one, table, after, size),
        readPage(other, table, itsAfter, size),
      ]);
      if (!isDeepStrictEqual(page!.map(contentOf(table)), itsPage!.map(contentOf(table)))) return false;
      if (page!.length < size) return true;
      [after, itsAfter] = [page!.at(-1), itsPage!.at(-1)];
    } catch (error) {
      if (size === 1 || !isTooLarge(error)) throw error;
      size = Math.floor(size / 2);
    }
  }
}

async function readPage(sql: Sql, { name, rowid, key }: Table, after: Row | undefined, size: number): Promise<Row[]> {
  // A key that is unique in its own collation is so in BINARY; the column's own could hold two for one.
  const order = rowid ? [rowid] : key.map((column) => `${quoted(column)} COLLATE BINARY`);
  const { rows } = await sql.execute({
    sql:
      `SELECT ${rowid ? `${rowid} AS ${rowid}, ` : ""}* FROM ${quoted(name)} ` +
      (after ? `WHERE (${order.join(", ")}) > (${order.map(() => "?").join(", ")}) ` : "") +
      `ORDER BY ${order.join(", ")} LIMIT ${size}`,
    args: after ? key.map((column) => after[column] as SqlValue) : [],
  });
  return [...rows];
}

/** A copy may number its rows anew where the number is no column; their order stays. */
const contentOf =
  ({ rowid }: Table) =>
  (row: Row): [string, unknown][] =>
    Object.entries(row).filter(([column]) => column !== rowid);

/** For the server, or for us. */
const isTooLarge = (error: unknown): boolean =>
  (error instanceof SqlError && error.code === "RESPONSE_TOO_LARGE") || hasCode(error, "bad-answer");

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

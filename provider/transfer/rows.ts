import { TenantryError, hasCode } from "../platform/errors";
import { type Row, type Sql, SqlError, type SqlStatement } from "../platform/sql";
import type { SqlValue } from "../platform/sql-values";
import type { Table } from "./definition";
import { createGarbageCollector } from "./garbage";
import { quoted } from "./quoted-name";

/**
 * One value, whose storage class is kept in whatever column it stands. Text is its bytes, since clients end a text at a
 * NUL and replace what is not UTF-8; REAL is told from INTEGER, since a client's number does not; infinity has no JSON.
 */
export type Cell =
  | { readonly as: "value"; readonly value: SqlValue }
  | { readonly as: "text"; readonly value: Uint8Array }
  | { readonly as: "real"; readonly value: number };

export interface Page {
  readonly rows: readonly (readonly Cell[])[];
  /** Of its values, about. */
  readonly bytes: number;
}

/** What one page holds, about: twice as much travels, which is far below the 10 MB that servers answer with. */
const pageBytes = 1 << 18;
const firstRows = 16;
const mostRows = 2_000;

/**
 * The rows behind a key (undefined: all), in the order of their keys, a bounded page at a time. Fails with "unsupported"
 * where a single row is more than the platform answers with.
 */
export async function* readRows(sql: Sql, table: Table, after?: readonly Cell[]): AsyncGenerator<Page> {
  const collect = createGarbageCollector();
  for (let size = firstRows; ;) {
    let page: Page;
    try {
      page = await readPage(sql, table, after, size);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      if (size === 1) throw rowTooLarge(table, error);
      size = Math.max(1, Math.floor(size / 4));
      continue;
    }
    if (page.rows.length > 0) yield page;
    collect();
    if (page.rows.length < size) return;
    after = keyOf(table, page.rows.at(-1)!);
    const fitting = Math.floor((pageBytes * page.rows.length) / Math.max(page.bytes, 1));
    size = Math.min(Math.max(1, fitting), size * 4, mostRows);
  }
}

/** The last row's key; undefined where there is none. */
export async function lastKey(sql: Sql, table: Table): Promise<readonly Cell[] | undefined> {
  const order = table.key.map((part) => `${part.order} DESC`).join(", ");
  const { rows } = await sql.execute(
    { sql: `SELECT ${selection(table, sql)} FROM ${quoted(table.name)} AS s ORDER BY ${order} LIMIT 1`, args: [] },
    { idempotent: true },
  );
  return rows[0] && keyOf(table, cellsOf(table, rows[0]));
}

const keyOf = ({ key }: Table, row: readonly Cell[]): readonly Cell[] => key.map(({ column }) => row[column]!);

async function readPage(sql: Sql, table: Table, after: readonly Cell[] | undefined, size: number): Promise<Page> {
  const order = table.key.map((part) => part.order);
  const bound = after?.map((cell) => binding(cell, sql)) ?? [];
  const behind = bound.length > 0 ? `WHERE (${order.join(", ")}) > (${bound.map((one) => one.sql).join(", ")}) ` : "";
  const { rows } = await sql.execute(
    {
      sql: `SELECT ${selection(table, sql)} FROM ${quoted(table.name)} AS s ${behind}ORDER BY ${order.join(", ")} LIMIT ${size}`,
      args: bound.flatMap((one) => one.args),
    },
    { idempotent: true },
  );
  const cells = rows.map((row) => cellsOf(table, row));
  return { rows: cells, bytes: cells.reduce((sum, row) => sum + bytesOf(row), 0) };
}

/** Each column as "0", "1" and so on, and in "kinds" a letter for each. */
function selection({ columns }: Table, { plainJson }: Sql): string {
  const values = columns.map((column, i) => {
    const value = `s.${column}`;
    const real = `WHEN 'real' THEN iif(abs(${value}) = 9e999, NULL, ${value})`;
    return plainJson
      ? `CASE typeof(${value}) WHEN 'text' THEN hex(${value}) WHEN 'blob' THEN hex(${value}) ` +
          `WHEN 'integer' THEN CAST(${value} AS TEXT) ${real} ELSE ${value} END AS "${i}"`
      : `CASE typeof(${value}) WHEN 'text' THEN CAST(${value} AS BLOB) ${real} ELSE ${value} END AS "${i}"`;
  });
  const kinds = columns.map(
    (column) =>
      `CASE typeof(s.${column}) WHEN 'text' THEN 't' WHEN 'blob' THEN 'b' WHEN 'integer' THEN 'i' ` +
      `WHEN 'real' THEN CASE s.${column} WHEN 9e999 THEN '+' WHEN -9e999 THEN '-' ELSE 'r' END ELSE 'n' END`,
  );
  return `${values.join(", ")}, ${joined(kinds)} AS kinds`;
}

/** As a tree of little depth: SQLite refuses expressions deeper than 1,000. */
function joined(parts: readonly string[]): string {
  if (parts.length <= 2) return parts.join(" || ");
  const middle = parts.length >> 1;
  return `(${joined(parts.slice(0, middle))}) || (${joined(parts.slice(middle))})`;
}

function cellsOf({ columns }: Table, row: Row): Cell[] {
  const kinds = String(row["kinds"]);
  return columns.map((_, i): Cell => {
    const value = row[i];
    switch (kinds[i]) {
      case "t":
        return { as: "text", value: bytesIn(value) };
      case "b":
        return { as: "value", value: bytesIn(value) };
      case "i":
        return { as: "value", value: typeof value === "string" ? BigInt(value) : (value as number | bigint) };
      case "r":
        return { as: "real", value: Number(value) };
      case "+":
        return { as: "real", value: Infinity };
      case "-":
        return { as: "real", value: -Infinity };
      default:
        return { as: "value", value: null };
    }
  });
}

const bytesIn = (value: unknown): Uint8Array =>
  typeof value === "string" ? Buffer.from(value, "hex") : (value as Uint8Array);

/** What stands for a value in a statement. */
export function binding({ as, value }: Cell, { plainJson }: Pick<Sql, "plainJson">): SqlStatement {
  if (value instanceof Uint8Array) {
    const [bytes, arg] = plainJson ? ["unhex(?)", Buffer.from(value).toString("hex")] : ["?", value];
    return { sql: as === "text" ? `CAST(${bytes} AS TEXT)` : bytes, args: [arg] };
  }
  if (as === "value") {
    return plainJson && typeof value === "bigint"
      ? { sql: "CAST(? AS INTEGER)", args: [String(value)] }
      : { sql: "?", args: [value] };
  }
  if (value === Infinity) return { sql: "9e999", args: [] };
  if (value === -Infinity) return { sql: "-9e999", args: [] };
  // The port sends a whole number as an INTEGER.
  return { sql: "CAST(? AS REAL)", args: [value] };
}

export const bytesOf = (row: readonly Cell[]): number =>
  row.reduce((sum, { value }) => sum + 8 + (value instanceof Uint8Array ? value.byteLength : 0), 0);

/** For the server, or for us. */
const isTooLarge = (error: unknown): boolean =>
  (error instanceof SqlError && error.code === "RESPONSE_TOO_LARGE") || hasCode(error, "bad-answer");

const rowTooLarge = ({ name }: Table, cause: unknown): TenantryError =>
  new TenantryError("unsupported", `Table "${name}" has a row that is larger than what the platform answers with.`, {
    fix: "Make it smaller, or leave the database where it is.",
    cause,
  });

import type { Sql } from "../../platform/sql";

/** How many tables are named, and counted. */
const shown = 5;

/** "notes 10 rows (now 12), 3 tables in all": of a copy, beside what its source has now. */
export async function comparedRows(copy: Sql, source: Sql): Promise<string> {
  const [then, now] = await Promise.all([tablesOf(copy), tablesOf(source)]);
  const tables = [...new Set([...then, ...now])].sort();
  if (tables.length === 0) return "no tables";
  const parts = await Promise.all(
    tables.slice(0, shown).map(async (table) => {
      const [has, had] = await Promise.all([
        then.includes(table) ? countOf(copy, table) : undefined,
        now.includes(table) ? countOf(source, table) : undefined,
      ]);
      if (has === undefined) return `no table ${table} (now ${had} rows)`;
      const beside = had === has ? "" : had === undefined ? " (no such table now)" : ` (now ${had})`;
      return `${table}: ${has} ${has === 1 ? "row" : "rows"}${beside}`;
    }),
  );
  const more = tables.length > shown ? `, ${tables.length} tables in all` : "";
  return `${parts.join(", ")}${more}`;
}

/** Tables with rows of their own: a virtual table's are those of its shadow tables. */
async function tablesOf(sql: Sql): Promise<string[]> {
  const text = `SELECT name FROM pragma_table_list
    WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_tenantry%' ESCAPE '\\'`;
  return (await sql.execute({ sql: text, args: [] })).rows.map((row) => String(row["name"]));
}

async function countOf(sql: Sql, table: string): Promise<number> {
  const { rows } = await sql.execute({ sql: `SELECT count(*) AS n FROM "${table.replaceAll('"', '""')}"`, args: [] });
  return Number(rows[0]!["n"]);
}

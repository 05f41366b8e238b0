import type { SqlStatement, SqlValue } from "../../platform/sql-connection";

/**
 * The registry's statements are SQLite's; these are the few words in which PostgreSQL says it otherwise. It is no
 * translator: a statement that uses more of SQLite is refused by PostgreSQL, and test/registry runs on both.
 */
const words: readonly (readonly [RegExp, string])[] = [
  [/\)\s*WITHOUT ROWID\b/gi, ")"],
  [/\bINTEGER\b/g, "BIGINT"],
  [/\bstrftime\('%s', 'now'\)/g, "extract(epoch from clock_timestamp())"],
  [
    /\bstrftime\('%Y-%m-%dT%H:%M:%fZ', 'now'\)/g,
    `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
  ],
  [/\bjson_each\(\?\)/g, "jsonb_array_elements(?::jsonb)"],
  [/\bIS NOT \?/g, "IS DISTINCT FROM ?"],
  [/\bIS \?/g, "IS NOT DISTINCT FROM ?"],
  [/\bIS NOT (hand_overs\.\w+)/g, "IS DISTINCT FROM $1"],
  [
    /\bFROM sqlite_schema\b/g,
    "FROM (SELECT 'table' AS type, tablename AS name FROM pg_tables WHERE schemaname = current_schema()) AS tables",
  ],
];

/** One statement with its values in it: the API takes a text alone. */
export function postgresText(statement: SqlStatement | string): string {
  const { sql, args } = typeof statement === "string" ? { sql: statement, args: [] } : statement;
  let text = sql;
  for (const [sqlite, postgres] of words) text = text.replace(sqlite, postgres);
  let next = 0;
  // Strings and comments hold no parameters.
  const bound = greatest(text).replace(/'(?:[^']|'')*'|--[^\n]*|\?/g, (part) => {
    if (part.startsWith("--")) return "";
    if (part !== "?") return part;
    if (next >= args.length) throw new Error(`There are more parameters than the ${args.length} values.`);
    return literal(args[next++]!);
  });
  if (next < args.length) throw new Error(`There are fewer parameters than the ${args.length} values.`);
  return bound;
}

/** `max(a, b)` of several values; that of one is the same in both. */
function greatest(text: string): string {
  const at = text.search(/\bmax\(/i);
  if (at < 0) return text;
  const begin = at + 4;
  let depth = 1;
  let several = false;
  let end = begin;
  for (; end < text.length && depth > 0; end++) {
    if (text[end] === "(") depth += 1;
    if (text[end] === ")") depth -= 1;
    if (text[end] === "," && depth === 1) several = true;
  }
  return `${text.slice(0, at)}${several ? "greatest" : "max"}(${greatest(text.slice(begin, end))}${greatest(text.slice(end))}`;
}

/** For `standard_conforming_strings`, under which our function runs. */
export function literal(value: SqlValue): string {
  if (value === null) return "NULL";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "string" && !value.includes("\0")) return `'${value.replaceAll("'", "''")}'`;
  throw new Error("PostgreSQL takes no such value as a text.");
}

import type { Connection } from "./connection";
import { parseSql } from "./sql-text";
import type { EngineValue } from "./value";

/**
 * The content of a database as an SQL text, as of one moment: what `sqlite3 .dump` and a libSQL server's `/dump` give.
 * Tables behind virtual tables and vector indexes are left out; they are made anew with what they stand behind.
 */
export async function* dump(connection: Connection): AsyncGenerator<string> {
  try {
    const rows = async (sql: string): Promise<Iterable<readonly EngineValue[]>> => {
      const [statement] = parseSql(sql);
      if (!statement) throw new Error(`no statement: ${sql}`);
      const execution = await connection.start(statement, []);
      return {
        *[Symbol.iterator]() {
          try {
            for (let row = execution.next(); row; row = execution.next()) yield row;
          } finally {
            execution.stop();
          }
        },
      };
    };
    await rows("BEGIN");
    yield "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n";
    const hidden = new Set<string>();
    const virtual = new Set<string>();
    for (const [name, type] of await rows("SELECT name, type FROM pragma_table_list WHERE schema = 'main'")) {
      if (type === "shadow") hidden.add(String(name));
      if (type === "virtual") virtual.add(String(name));
    }
    const schema = [
      ...(await rows("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")),
    ].map(([type, name, sql]) => ({ type: String(type), name: String(name), sql: String(sql) }));
    for (const { type, name } of schema) if (type === "index") hidden.add(`${name}_shadow`);
    hidden.add("libsql_vector_meta_shadow");

    for (const { type, name, sql } of schema) {
      if (type !== "table" || hidden.has(name)) continue;
      if (name === "sqlite_sequence") yield "DELETE FROM sqlite_sequence;\n";
      else if (!name.startsWith("sqlite_")) yield `${sql};\n`;
      const columns = [...(await rows(`SELECT name FROM pragma_table_xinfo(${quoted(name)}) WHERE hidden = 0`))].map(
        ([column]) => identifier(String(column)),
      );
      // Full-text tables are joined by their rowids.
      if (virtual.has(name)) columns.unshift("rowid");
      const values = columns.map(literal).join(" || ',' || ");
      for (const [row] of await rows(`SELECT ${values} FROM ${identifier(name)}`)) {
        yield `INSERT INTO ${identifier(name)} (${columns.join(", ")}) VALUES (${String(row)});\n`;
      }
    }
    for (const { type, name, sql } of schema) if (type !== "table" && !hidden.has(name)) yield `${sql};\n`;
    yield "COMMIT;\n";
  } finally {
    connection.close();
  }
}

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** SQLite's quote() ends a text at its first NUL. */
const literal = (column: string): string =>
  `CASE WHEN typeof(${column}) = 'text' AND instr(${column}, char(0)) THEN 'CAST(x''' || hex(${column}) || ''' AS TEXT)' ` +
  `ELSE quote(${column}) END`;

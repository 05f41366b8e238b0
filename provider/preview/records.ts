import { SqlError } from "../platform/errors";
import type { Row, Sql, SqlStatement } from "../platform/sql";
import type { AppliedMigration, PreviewData } from "./report";

/** What a claim does not say of a branch. A row without its claim says nothing: the claim alone is licence to delete. */
const table = `CREATE TABLE IF NOT EXISTS previews (
  name TEXT PRIMARY KEY,
  incarnation TEXT NOT NULL,        -- of the claim
  source TEXT NOT NULL,             -- name of the database that it is made from
  source_id TEXT NOT NULL,
  data TEXT NOT NULL,               -- schema-only | copy | masked
  rules TEXT NOT NULL,              -- digest of the rules of "masked"
  base TEXT,                        -- last migration of the source when it was made
  applied TEXT NOT NULL DEFAULT '[]'  -- JSON: what was applied to it since
) WITHOUT ROWID`;

export interface PreviewRecord {
  readonly name: string;
  readonly incarnation: string;
  readonly source: string;
  readonly sourceId: string;
  readonly data: PreviewData;
  readonly rules: string;
  readonly base: string | null;
  readonly applied: readonly AppliedMigration[];
}

const write = { idempotent: true };

export async function readRecords(sql: Sql): Promise<ReadonlyMap<string, PreviewRecord>> {
  try {
    const { rows } = await sql.execute({ sql: "SELECT * FROM previews", args: [] }, write);
    return new Map(rows.map((row) => [String(row["name"]), recordOf(row)]));
  } catch (error) {
    if (error instanceof SqlError && error.message.includes("no such table")) return new Map();
    throw error;
  }
}

/** In place of whatever an earlier branch of the name has left. */
export const writeRecord = (sql: Sql, record: PreviewRecord): Promise<unknown> =>
  change(sql, {
    sql: `INSERT OR REPLACE INTO previews (name, incarnation, source, source_id, data, rules, base, applied)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    args: [
      ...[record.name, record.incarnation, record.source, record.sourceId, record.data, record.rules, record.base],
      JSON.stringify(record.applied),
    ],
  });

export const forgetRecord = (sql: Sql, name: string, incarnation: string): Promise<unknown> =>
  change(sql, { sql: "DELETE FROM previews WHERE name = ? AND incarnation = ?", args: [name, incarnation] });

const change = (sql: Sql, statement: SqlStatement): Promise<unknown> => sql.batch([table, statement], "write", write);

const recordOf = (row: Row): PreviewRecord => ({
  name: String(row["name"]),
  incarnation: String(row["incarnation"]),
  source: String(row["source"]),
  sourceId: String(row["source_id"]),
  data: row["data"] as PreviewData,
  rules: String(row["rules"]),
  base: row["base"] === null ? null : String(row["base"]),
  applied: JSON.parse(String(row["applied"])) as AppliedMigration[],
});

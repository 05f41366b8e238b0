import type { Sql, SqlStatement } from "../platform/sql";
import { randomId } from "../random-id";

/**
 * Restores in place, by the key that a program gave each: written before the platform is asked, since one that ran twice
 * would undo what was written after the first.
 */
const table = `CREATE TABLE IF NOT EXISTS restorations (
  database_id TEXT NOT NULL,
  key TEXT NOT NULL,
  token TEXT NOT NULL,              -- whose attempt it is
  done INTEGER NOT NULL DEFAULT 0,
  undo_until TEXT,
  PRIMARY KEY (database_id, key)) WITHOUT ROWID`;

/** begun: by this call, so that it is to be done now. done: at an earlier time. unclear: begun earlier, and nobody knows. */
export type Restoration =
  { readonly is: "begun" | "unclear" } | { readonly is: "done"; readonly undoUntil: string | undefined };

const write = { idempotent: true };

export async function beginRestoration(sql: Sql, databaseId: string, key: string): Promise<Restoration> {
  const token = randomId();
  const insert = "INSERT INTO restorations (database_id, key, token) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
  const [, , found] = await sql.batch(
    [
      table,
      { sql: insert, args: [databaseId, key, token] },
      { sql: "SELECT * FROM restorations WHERE database_id = ? AND key = ?", args: [databaseId, key] },
    ],
    "write",
    write,
  );
  const row = found!.rows[0]!;
  if (Number(row["done"]) === 1) {
    return { is: "done", undoUntil: row["undo_until"] === null ? undefined : String(row["undo_until"]) };
  }
  return { is: row["token"] === token ? "begun" : "unclear" };
}

export const endRestoration = (sql: Sql, databaseId: string, key: string, undoUntil?: string): Promise<unknown> =>
  change(sql, {
    sql: "UPDATE restorations SET done = 1, undo_until = ? WHERE database_id = ? AND key = ?",
    args: [undoUntil ?? null, databaseId, key],
  });

/** The platform refused it, so that it may be asked again. */
export const dropRestoration = (sql: Sql, databaseId: string, key: string): Promise<unknown> =>
  change(sql, {
    sql: "DELETE FROM restorations WHERE database_id = ? AND key = ? AND done = 0",
    args: [databaseId, key],
  });

const change = (sql: Sql, statement: SqlStatement): Promise<unknown> => sql.batch([statement], "write", write);

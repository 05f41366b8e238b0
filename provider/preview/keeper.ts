import { SqlError } from "../platform/errors";
import type { Sql } from "../platform/sql";

/** Which resource has a set of branches in its state. Who made them from the command line is nobody's. */
export interface Keeper {
  /** The resource's id. */
  readonly id: string;
  /** Its address. */
  readonly self: string;
}

const table = `CREATE TABLE IF NOT EXISTS preview_keepers (
  of TEXT PRIMARY KEY,              -- as the addresses of its branches begin
  id TEXT NOT NULL,
  self TEXT NOT NULL
) WITHOUT ROWID`;

const write = { idempotent: true };

export async function keeperOf(sql: Sql, of: string): Promise<Keeper | undefined> {
  try {
    const { rows } = await sql.execute({ sql: "SELECT id, self FROM preview_keepers WHERE of = ?", args: [of] }, write);
    const [row] = rows;
    return row && { id: String(row["id"]), self: String(row["self"]) };
  } catch (error) {
    if (error instanceof SqlError && error.message.includes("no such table")) return undefined;
    throw error;
  }
}

export const writeKeeper = (sql: Sql, of: string, { id, self }: Keeper): Promise<unknown> =>
  sql.batch(
    [table, { sql: "INSERT OR REPLACE INTO preview_keepers (of, id, self) VALUES (?, ?, ?)", args: [of, id, self] }],
    "write",
    write,
  );

export const forgetKeeper = (sql: Sql, of: string, id: string): Promise<unknown> =>
  sql.batch([table, { sql: "DELETE FROM preview_keepers WHERE of = ? AND id = ?", args: [of, id] }], "write", write);

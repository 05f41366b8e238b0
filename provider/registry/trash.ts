import { SqlError, TenantryError } from "../platform/errors";
import type { Platform, PlatformDatabase } from "../platform/platform";
import type { Row, Sql, SqlStatement } from "../platform/sql";
import type { Claim } from "./claim";
import { restoreCommand } from "./commands";

/**
 * What was deleted softly. The claim stays, `trashed`, so that the name stays taken; this row says until when, and what is
 * to be put back. On a platform with a trash of its own the database is in that one, elsewhere it is suspended under its
 * name.
 */
export const trashTable = `CREATE TABLE IF NOT EXISTS trash (
  name TEXT PRIMARY KEY,
  database_id TEXT NOT NULL,
  incarnation TEXT NOT NULL,        -- of the claim when the delete was begun
  until TEXT NOT NULL,              -- afterwards a reaper deletes it
  block_reads INTEGER NOT NULL,     -- as they were before
  block_writes INTEGER NOT NULL) WITHOUT ROWID`;

export interface Trash {
  readonly name: string;
  readonly databaseId: string;
  /** ISO 8601 */
  readonly until: string;
  /** What it is to have again. */
  readonly blockReads: boolean;
  readonly blockWrites: boolean;
}

/** Repeated after a crash, what was remembered before our own blocks is kept. */
export function rememberStatement(trash: Trash, incarnation: string): SqlStatement {
  const isAgain = `trash.database_id = excluded.database_id AND trash.incarnation = excluded.incarnation
    AND excluded.block_reads = 1 AND excluded.block_writes = 1`;
  const kept = (column: string): string =>
    `${column} = CASE WHEN ${isAgain} THEN trash.${column} ELSE excluded.${column} END`;
  return {
    sql: `INSERT INTO trash (name, database_id, incarnation, until, block_reads, block_writes) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (name) DO UPDATE SET database_id = excluded.database_id, incarnation = excluded.incarnation,
            until = excluded.until, ${kept("block_reads")}, ${kept("block_writes")}`,
    args: [
      ...[trash.name, trash.databaseId, incarnation, trash.until],
      ...[Number(trash.blockReads), Number(trash.blockWrites)],
    ],
  };
}

/** So that no reaper takes what is just being brought back. `until` is an ISO moment. */
export const spareStatement = (
  { name, incarnation }: Pick<Claim, "name" | "incarnation">,
  until: string,
): SqlStatement => ({
  sql: `UPDATE trash SET until = max(until, ?) WHERE name = ? AND EXISTS (SELECT 1 FROM claims
          WHERE kind = 'database' AND claims.name = trash.name AND claims.incarnation = ?
            AND claims.state IN ('trashed', 'deleting'))`,
  args: [until, name, incarnation],
});

/** How long bringing something back may take, as a moment. */
export const spareUntil = (now = Date.now()): string => new Date(now + 3_600_000).toISOString();

/** Every row, by name; those of earlier times too. */
export async function inspectTrash(sql: Sql): Promise<ReadonlyMap<string, Trash>> {
  return new Map((await rowsOf(sql, { sql: "SELECT * FROM trash", args: [] })).map((one) => [one.name, one]));
}

export async function findTrash(sql: Sql, name: string): Promise<Trash | undefined> {
  return (await rowsOf(sql, { sql: "SELECT * FROM trash WHERE name = ?", args: [name] }))[0];
}

/** Where nothing was ever deleted softly, there is no table. */
async function rowsOf(sql: Sql, statement: SqlStatement): Promise<Trash[]> {
  try {
    return (await sql.execute(statement, { idempotent: true })).rows.map(readTrash);
  } catch (error) {
    if (error instanceof SqlError && error.message.includes("no such table")) return [];
    throw error;
  }
}

const readTrash = (row: Row): Trash => ({
  name: String(row["name"]),
  databaseId: String(row["database_id"]),
  until: String(row["until"]),
  blockReads: Number(row["block_reads"]) === 1,
  blockWrites: Number(row["block_writes"]) === 1,
});

/** Opens it again as it was, or has the platform bring it back. May be repeated. */
export async function openAgain(platform: Platform, trash: Trash): Promise<PlatformDatabase> {
  const { name, databaseId, blockReads, blockWrites } = trash;
  if (platform.capabilities.softDelete) return platform.undeleteDatabase!(name);
  const present = await platform.getDatabase(name);
  if (present?.id !== databaseId) {
    const what = present ? "another database has its name since" : "its database is gone from the platform";
    throw new TenantryError("database-not-found", `${name}: it was in the trash, but ${what}.`, {
      fix: `Give its claim up with \`npx tenantry registry release ${name}\`.`,
    });
  }
  await platform.configureDatabase(name, { blockReads, blockWrites });
  return { ...present, blockReads, blockWrites };
}

/** For whoever declares it again. */
export const inTrash = (claim: Claim, trash: Trash | undefined): TenantryError =>
  new TenantryError(
    "needs-decision",
    `name: the database "${claim.name}" of ${claim.address} is in the trash${trash ? ` until ${trash.until}` : ""}.`,
    { fix: `Bring it back with adopt: "restore", or with \`${restoreCommand(claim)}\`; or choose another name.` },
  );

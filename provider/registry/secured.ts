import { SqlError, TenantryError } from "../platform/errors";
import type { RowCounts, Secured } from "../platform/life";
import type { Platform } from "../platform/platform";
import type { Sql, SqlStatement } from "../platform/sql";

/**
 * What was known of a tenant's rows before it was deleted softly on a platform whose trash does not promise them: its
 * backup and its row counts, written down before the delete and looked at when it comes back.
 */
export const securedTable = `CREATE TABLE IF NOT EXISTS secured (
  database_id TEXT PRIMARY KEY,
  backups TEXT NOT NULL,            -- JSON, their ids
  counts TEXT,                      -- JSON, rows of each table; null where they could not be counted
  why TEXT) WITHOUT ROWID`;

export const secureStatement = (databaseId: string, { backups, rows, why }: Secured): SqlStatement => ({
  sql: `INSERT INTO secured (database_id, backups, counts, why) VALUES (?, ?, ?, ?)
        ON CONFLICT (database_id) DO UPDATE SET backups = excluded.backups, counts = excluded.counts, why = excluded.why`,
  args: [databaseId, JSON.stringify(backups), rows === undefined ? null : JSON.stringify(rows), why ?? null],
});

/** Undefined: its platform's trash promises the rows, or nothing was written down. */
export async function findSecured(sql: Sql, databaseId: string): Promise<Secured | undefined> {
  try {
    const text = "SELECT backups, counts, why FROM secured WHERE database_id = ?";
    const [row] = (await sql.execute({ sql: text, args: [databaseId] }, { idempotent: true })).rows;
    if (!row) return undefined;
    const { backups, counts, why } = row;
    return {
      backups: JSON.parse(String(backups)) as string[],
      rows: counts === null ? undefined : (JSON.parse(String(counts)) as RowCounts),
      why: why === null ? undefined : String(why),
    };
  } catch (error) {
    // Nothing was ever deleted softly here that way.
    if (error instanceof SqlError && error.message.includes("no such table")) return undefined;
    throw error;
  }
}

/**
 * Compares what has come back with what it had. Answers the error that names each difference, or a sentence where nothing
 * could be compared; undefined: it has its rows. What is to be thrown is thrown when the registry has what came back.
 */
export async function missingRows(
  platform: Platform,
  sql: Sql,
  { name, databaseId }: { readonly name: string; readonly databaseId: string },
): Promise<TenantryError | string | undefined> {
  const secured = platform.countRows && (await findSecured(sql, databaseId));
  if (!secured) return undefined;
  const { backups, rows: had } = secured;
  const quoted = backups.map((id) => `"${id}"`);
  const where = `what it had is in the ${backups.length === 1 ? "backup" : "backups"} ${quoted.join(" and ")}`;
  const now = had && (await platform.countRows?.(name));
  if (!had || !now?.rows) {
    return `${name}: its rows were not counted (${now?.why ?? secured.why ?? "nobody counts them"}); ${where}`;
  }
  const differences = differencesBetween(had, now.rows);
  if (differences.length === 0) return undefined;
  return new TenantryError(
    "needs-decision",
    `${name}: it is back, but not with the rows it was deleted with: ${shown(differences)}; ${where}.`,
    {
      fix: `Before anything writes there, put it back with \`npx tenantry restore ${name} ${quoted.map((id) => `--backup ${id}`).join(" ")}\`.`,
    },
  );
}

/** "app.public.notes has 0 rows and had 12": each table whose count is another one, or that only one of both has. */
function differencesBetween(had: RowCounts, has: RowCounts): string[] {
  const tables = [...new Set([...Object.keys(had), ...Object.keys(has)])].sort();
  return tables.flatMap((table) => {
    const [then, now] = [had[table], has[table]];
    if (then === now) return [];
    if (now === undefined) return [`${table} is not there and had ${counted(then!)}`];
    return [`${table} has ${counted(now)} and ${then === undefined ? "was not there" : `had ${then}`}`];
  });
}

const counted = (rows: number): string => `${rows} ${rows === 1 ? "row" : "rows"}`;

/** How many tables are named. */
const most = 10;

const shown = (all: readonly string[]): string =>
  all.slice(0, most).join(", ") + (all.length > most ? `, and ${all.length - most} tables more` : "");

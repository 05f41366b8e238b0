import { SqlError } from "../platform/errors";
import type { Row, Sql, SqlStatement } from "../platform/sql";

/**
 * Rollouts, in the registry of each group that they go over: where they are, whether somebody wants them to stop, and
 * which tenants stay out. Beside the claims, and like them an index: what a database has is said by its own ledger alone.
 */
const schema = [
  `CREATE TABLE IF NOT EXISTS rollouts (
     id TEXT PRIMARY KEY,              -- random
     template TEXT NOT NULL,
     target TEXT NOT NULL,             -- last migration of the template
     started_by TEXT NOT NULL,         -- a resource's address, or "tenantry schema apply"
     started_at TEXT NOT NULL,
     beat_at TEXT NOT NULL,            -- a run that has not been heard of for a minute was killed
     ended_at TEXT,
     progress TEXT NOT NULL,           -- JSON
     stop INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS quarantine (
     template TEXT NOT NULL,
     name TEXT NOT NULL,
     digest TEXT NOT NULL,             -- of the template that failed there: another one is tried
     error TEXT NOT NULL,
     since TEXT NOT NULL,
     PRIMARY KEY (template, name)) WITHOUT ROWID`,
];

export interface RolloutRecord<Progress = unknown> {
  readonly id: string;
  readonly template: string;
  readonly target: string;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly beatAt: string;
  readonly endedAt: string | undefined;
  readonly progress: Progress;
  /** Somebody has asked it to stop. */
  readonly stop: boolean;
}

export interface Quarantine {
  readonly template: string;
  readonly name: string;
  readonly digest: string;
  readonly error: string;
  readonly since: string;
}

// With milliseconds: two runs may begin within a second, and the newest is told by it.
const now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
const write = { idempotent: true };

export async function beginRollout(
  sql: Sql,
  { id, template, target, startedBy }: Pick<RolloutRecord, "id" | "template" | "target" | "startedBy">,
  progress: unknown,
): Promise<void> {
  const insert = `INSERT INTO rollouts (id, template, target, started_by, started_at, beat_at, progress)
    VALUES (?, ?, ?, ?, ${now}, ${now}, ?) ON CONFLICT DO NOTHING`;
  const args = [id, template, target, startedBy, JSON.stringify(progress)];
  await sql.batch([...schema, { sql: insert, args }], "write", write);
}

/** Says that the run lives and how far it is; answers whether it is to stop. */
export async function beatRollout(sql: Sql, id: string, progress: unknown, ended: boolean): Promise<boolean> {
  const results = await sql.batch(
    [
      {
        sql: `UPDATE rollouts SET beat_at = ${now}, progress = ?, ended_at = CASE WHEN ? THEN ${now} END WHERE id = ?`,
        args: [JSON.stringify(progress), Number(ended), id],
      },
      { sql: "SELECT stop FROM rollouts WHERE id = ?", args: [id] },
    ],
    "write",
    write,
  );
  return Number(results[1]!.rows[0]?.["stop"] ?? 0) === 1;
}

/** The newest first. */
export async function listRollouts<Progress>(sql: Sql, limit = 20): Promise<RolloutRecord<Progress>[]> {
  const rows = await rowsOf(sql, { sql: "SELECT * FROM rollouts ORDER BY started_at DESC, id LIMIT ?", args: [limit] });
  return rows.map((row) => ({
    id: String(row["id"]),
    template: String(row["template"]),
    target: String(row["target"]),
    startedBy: String(row["started_by"]),
    startedAt: String(row["started_at"]),
    beatAt: String(row["beat_at"]),
    endedAt: row["ended_at"] === null ? undefined : String(row["ended_at"]),
    progress: JSON.parse(String(row["progress"])) as Progress,
    stop: Number(row["stop"]) === 1,
  }));
}

/** Asks every run to stop that has not ended, of that template or of all. */
export async function stopRollouts(sql: Sql, template: string | undefined): Promise<void> {
  const text = "UPDATE rollouts SET stop = 1 WHERE ended_at IS NULL AND coalesce(template = ?, TRUE)";
  await sql.batch([...schema, { sql: text, args: [template ?? null] }], "write", write);
}

export async function putInQuarantine(sql: Sql, rows: readonly Omit<Quarantine, "since">[]): Promise<void> {
  // One statement however many rows: some platforms run only so many in a transaction.
  const insert = `INSERT INTO quarantine (template, name, digest, error, since)
    SELECT value ->> 'template', value ->> 'name', value ->> 'digest', value ->> 'error', ${now} FROM json_each(?) WHERE true
    ON CONFLICT DO UPDATE SET digest = excluded.digest, error = excluded.error, since = excluded.since`;
  const given = rows.map(({ template, name, digest, error }) => ({ template, name, digest, error }));
  if (rows.length > 0) await sql.batch([...schema, { sql: insert, args: [JSON.stringify(given)] }], "write", write);
}

export async function listQuarantine(sql: Sql, template: string): Promise<Quarantine[]> {
  const text = "SELECT * FROM quarantine WHERE template = ? ORDER BY name";
  return (await rowsOf(sql, { sql: text, args: [template] })).map((row) => ({
    template: String(row["template"]),
    name: String(row["name"]),
    digest: String(row["digest"]),
    error: String(row["error"]),
    since: String(row["since"]),
  }));
}

export async function releaseFromQuarantine(sql: Sql, template: string, names: readonly string[]): Promise<void> {
  const remove = "DELETE FROM quarantine WHERE template = ? AND name IN (SELECT value FROM json_each(?))";
  if (names.length === 0) return;
  await sql.batch([...schema, { sql: remove, args: [template, JSON.stringify(names)] }], "write", write);
}

/** None where the tables are not there yet: nothing was ever rolled out here. */
async function rowsOf(sql: Sql, statement: SqlStatement): Promise<readonly Row[]> {
  try {
    return (await sql.execute(statement, { idempotent: true })).rows;
  } catch (error) {
    if (error instanceof SqlError && error.message.includes("no such table")) return [];
    throw error;
  }
}

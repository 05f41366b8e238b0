import { SqlError, TenantryError } from "../platform/errors";
import type { Sql, SqlStatement } from "../platform/sql";
import type { RecordedClaim } from "./inspect";

/**
 * Deletes of what has come to its end, by whoever runs `tenantry reap`: beside runs of stacks, and beside each other. A
 * claim is marked before its database is deleted, so that nobody takes it over meanwhile; the mark is a lease, so that one
 * of a reaper that was killed is taken over, and no two delete the same name at a time.
 */
const table = `CREATE TABLE IF NOT EXISTS reapings (
  name TEXT PRIMARY KEY,
  reaper TEXT NOT NULL,             -- random
  since INTEGER NOT NULL,           -- seconds, by the registry's own clock
  was TEXT NOT NULL                 -- the claim's state before
) WITHOUT ROWID`;

/** Longer than all attempts of a delete and of the look before it take together. In seconds. */
const lease = 300;

const now = "CAST(strftime('%s', 'now') AS INTEGER)";
const write = { idempotent: true };

/** marked: the database may be deleted now. taken: another reaper is at it. changed: it is not as it was read. */
export type Marked = "marked" | "taken" | "changed";

/** Marks a claim that still stands as it was read. */
export async function markReaping(
  sql: Sql,
  claim: RecordedClaim,
  reaper: string,
  /** When it may go, of what is in the trash. */
  until?: string,
): Promise<Marked> {
  const asRead = standing(claim, until);
  const [, , , found] = await sql.batch(
    [
      table,
      {
        sql: `INSERT INTO reapings (name, reaper, since, was)
              SELECT name, ?, ${now}, state FROM claims WHERE ${asRead.sql}
              ON CONFLICT (name) DO UPDATE SET reaper = excluded.reaper, since = excluded.since,
                was = CASE WHEN excluded.was = 'reaping' THEN reapings.was ELSE excluded.was END
              WHERE reapings.since <= ${now} - ${lease}`,
        args: [reaper, ...asRead.args],
      },
      {
        sql: `UPDATE claims SET state = 'reaping'
              WHERE ${asRead.sql} AND EXISTS (SELECT 1 FROM reapings WHERE reapings.name = claims.name AND reaper = ?)`,
        args: [...asRead.args, reaper],
      },
      {
        sql: `SELECT claims.incarnation, claims.state, reapings.reaper FROM claims
              LEFT JOIN reapings ON reapings.name = claims.name WHERE claims.kind = 'database' AND claims.name = ?`,
        args: [claim.name],
      },
    ],
    "write",
    write,
  );
  const row = found!.rows[0];
  if (row?.["incarnation"] !== claim.incarnation || row["state"] !== "reaping") return "changed";
  return row["reaper"] === reaper ? "marked" : "taken";
}

/** Puts the claim back to what it was before this reaper's mark: nothing was deleted. */
export async function unmarkReaping(sql: Sql, claim: RecordedClaim, reaper: string): Promise<void> {
  const mine = own(claim, reaper);
  const was = "SELECT was FROM reapings WHERE reapings.name = claims.name";
  await sql.batch(
    [
      // A mark that was found, of a reaper that was killed, is no state to go back to.
      {
        sql: `UPDATE claims SET state = coalesce(nullif((${was}), 'reaping'), 'held') WHERE ${mine.sql}`,
        args: mine.args,
      },
      { sql: "DELETE FROM reapings WHERE name = ? AND reaper = ?", args: [claim.name, reaper] },
    ],
    "write",
    write,
  );
}

/** Forgets a claim whose database is gone, if this reaper's mark is still on it. */
export async function forgetReaped(sql: Sql, claim: RecordedClaim, reaper: string): Promise<void> {
  const mine = own(claim, reaper);
  await sql.batch(
    [
      { sql: `DELETE FROM claims WHERE ${mine.sql}`, args: mine.args },
      { sql: "DELETE FROM reapings WHERE name = ? AND reaper = ?", args: [claim.name, reaper] },
    ],
    "write",
    write,
  );
}

/**
 * Whether a reaper is at work on that database just now, another one than `own`; what one left behind that was killed is
 * anybody's to finish.
 */
export async function isBeingReaped(sql: Sql, name: string, own = ""): Promise<boolean> {
  const text = `SELECT 1 FROM reapings WHERE name = ? AND since > ${now} - ${lease} AND reaper <> ?`;
  try {
    return (await sql.execute({ sql: text, args: [name, own] }, write)).rows.length > 0;
  } catch (error) {
    if (error instanceof SqlError && error.message.includes("no such table")) return false;
    throw error;
  }
}

/** The registry's own clock, in ms: a machine whose clock is ahead must not end what goes on. */
export async function registryClock(sql: Sql): Promise<number> {
  const { rows } = await sql.execute({ sql: `SELECT ${now} AS seconds`, args: [] }, write);
  return Number(rows[0]!["seconds"]) * 1000;
}

/** For whoever meets the mark. */
export const reapedMeanwhile = (name: string): TenantryError =>
  new TenantryError("not-ready", `${name}: its time is over, and it is just being deleted.`, {
    fix: "Try again when it is gone; `npx tenantry reap --yes` finishes what was broken off.",
  });

function standing(claim: RecordedClaim, until: string | undefined): SqlStatement {
  const isDue = " AND EXISTS (SELECT 1 FROM trash WHERE trash.name = claims.name AND trash.until = ?)";
  return {
    sql: `kind = 'database' AND claims.name = ? AND address = ? AND state = ? AND owner = ? AND incarnation = ?
          AND database_id IS ? AND expires_at IS ? AND run = ?${until === undefined ? "" : isDue}`,
    args: [
      ...[claim.name, claim.address, claim.state, claim.owner, claim.incarnation],
      ...[claim.databaseId ?? null, claim.expiresAt ?? null, claim.run, ...(until === undefined ? [] : [until])],
    ],
  };
}

const own = (claim: RecordedClaim, reaper: string): SqlStatement => ({
  sql: `kind = 'database' AND claims.name = ? AND incarnation = ? AND state = 'reaping'
        AND EXISTS (SELECT 1 FROM reapings WHERE reapings.name = claims.name AND reaper = ?)`,
  args: [claim.name, claim.incarnation, reaper],
});

import type { Sql, SqlStatement } from "../platform/sql";
import { stackOf } from "./commands";
import { type RecordedClaim, recorded } from "./inspect";

/** Who is to have a claim from now on: a new owner, so that no state of earlier has a right to delete. */
export interface Successor {
  readonly address: string;
  readonly owner: string;
  readonly incarnation: string;
  readonly databaseId: string;
}

/**
 * Hands a claim over, if it still stands as it was read and the successor's address has no other. The run that may
 * still be at work for the former holder is overtaken: its next write fails as "superseded". Answers the claim as it
 * stands afterwards; it is the successor's if the incarnation is. One transaction, and harmless when sent again.
 */
export async function handOver(sql: Sql, read: RecordedClaim, to: Successor): Promise<RecordedClaim | undefined> {
  const unchanged = asRead(read);
  const free = `NOT EXISTS (SELECT 1 FROM claims AS other
                 WHERE other.kind = claims.kind AND other.address = ? AND other.name <> claims.name)`;
  return standing(sql, read, [
    overtake(read, ` AND ${free}`, [to.address]),
    {
      // What was there before the intent was somebody's: destroying the new stack leaves it.
      sql: `UPDATE claims SET address = ?, owner = ?, incarnation = ?, state = 'held', database_id = ?, default_name = 1,
              adopted = CASE WHEN state = 'open' THEN existed ELSE adopted END
            WHERE ${unchanged.sql} AND ${free}`,
      args: [to.address, to.owner, to.incarnation, to.databaseId, ...unchanged.args, to.address],
    },
  ]);
}

/** Gives a claim up, if it still stands as it was read; answers what stands afterwards. Otherwise as `handOver`. */
export async function giveUp(sql: Sql, read: RecordedClaim): Promise<RecordedClaim | undefined> {
  const { sql: unchanged, args } = asRead(read);
  return standing(sql, read, [overtake(read), { sql: `DELETE FROM claims WHERE ${unchanged}`, args }]);
}

/** The condition that a claim still stands as it was read. */
export function asRead(claim: RecordedClaim): SqlStatement {
  return {
    sql: `kind = ? AND name = ? AND address = ? AND state = ? AND owner = ? AND incarnation = ? AND database_id IS ? AND run = ?`,
    args: [
      ...[claim.kind, claim.name, claim.address, claim.state, claim.owner, claim.incarnation],
      ...[claim.databaseId ?? null, claim.run],
    ],
  };
}

/** Lets the next write of a run fail that may be at work for the claim's holder. */
export function overtake(read: RecordedClaim, also = "", more: SqlStatement["args"] = []): SqlStatement {
  const { sql, args } = asRead(read);
  return {
    sql: `UPDATE runs SET number = max(number + 1, CAST(strftime('%s', 'now') AS INTEGER))
          WHERE stack = ? AND EXISTS (SELECT 1 FROM claims WHERE ${sql}${also})`,
    args: [stackOf(read.address), ...args, ...more],
  };
}

async function standing(sql: Sql, { kind, name }: RecordedClaim, change: SqlStatement[]) {
  const look = { sql: "SELECT * FROM claims WHERE kind = ? AND name = ?", args: [kind, name] };
  const row = (await sql.batch([...change, look], "write", { idempotent: true })).at(-1)?.rows[0];
  return row && recorded(row);
}

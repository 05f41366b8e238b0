import { TenantryError } from "../platform/errors";
import type { Platform } from "../platform/platform";
import type { Sql } from "../platform/sql";
import { asRead, overtake } from "./hand-over";
import type { RecordedClaim } from "./inspect";
import { missingRows } from "./secured";
import { type Trash, openAgain, spareStatement, spareUntil } from "./trash";

/** Whether it had an end of its own, which has passed and was taken away. */
export interface Untrashed {
  readonly wasExpired: boolean;
  /** That it has other rows than it had, to be thrown; or that they could not be counted. */
  readonly missing?: TenantryError | string;
}

/**
 * Brings back what is in the trash, for whoever had it: claim and owner stay, so that a state that has it still fits. A run
 * that may be deleting it at this moment stops writing. Safe to repeat after a crash at any point: what is open again and
 * still `trashed` is nothing that a reaper takes.
 */
export async function untrash(
  platform: Platform,
  sql: Sql,
  claim: RecordedClaim,
  trash: Trash,
  now = Date.now(),
): Promise<Untrashed> {
  const stands = asRead(claim);
  const look = { sql: `SELECT 1 FROM claims WHERE ${stands.sql}`, args: stands.args };
  const [, , found] = await sql.batch([spareStatement(claim, spareUntil(now)), overtake(claim), look], "write", {
    idempotent: true,
  });
  if (found!.rows.length === 0) throw changed(claim.name);
  const { id } = await openAgain(platform, trash);
  // Before the registry says that it is back: whoever is killed here compares the next time.
  const missing = await missingRows(platform, sql, trash);
  const wasExpired = claim.expiresAt !== undefined && Date.parse(claim.expiresAt) <= now;
  const [, , after] = await sql.batch(
    [
      {
        sql: `UPDATE claims SET state = 'held', database_id = ?, expires_at = ? WHERE ${stands.sql}`,
        args: [id, wasExpired ? null : (claim.expiresAt ?? null), ...stands.args],
      },
      {
        sql: `DELETE FROM trash WHERE name = ?
              AND EXISTS (SELECT 1 FROM claims WHERE kind = 'database' AND name = ? AND state = 'held')`,
        args: [claim.name, claim.name],
      },
      { sql: "SELECT state FROM claims WHERE kind = 'database' AND name = ?", args: [claim.name] },
    ],
    "write",
    { idempotent: true },
  );
  if (after!.rows[0]?.["state"] !== "held") throw changed(claim.name);
  return missing === undefined ? { wasExpired } : { wasExpired, missing };
}

const changed = (name: string): TenantryError =>
  new TenantryError("not-owner", `${name}: somebody changed its claim in this moment.`, {
    fix: "Look again with `npx tenantry registry orphans`.",
  });

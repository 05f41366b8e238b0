import { setTimeout as sleep } from "node:timers/promises";
import { TenantryError } from "../../platform/errors";
import { type Sql, SqlError } from "../../platform/sql";
import { isBlocked } from "../../platform/sql-failure";

/** How long a platform may take to apply what it has confirmed, in ms. */
const patience = 30_000;

/**
 * A write for every engine, on an empty database too, of which nothing is kept: the second statement always fails. Its
 * BEGIN IMMEDIATE waits until a transaction that was open before the block is over.
 */
const attempt = ["CREATE TABLE _tenantry_closed (x)", "SELECT x FROM _tenantry_open"];

/** Waits until the database itself refuses writes: the platform may apply a block some time after confirming it. */
export async function awaitNoWrites(sql: Sql, name: string): Promise<void> {
  const until = Date.now() + patience;
  for (let delay = 100; await takesWrites(sql); delay = Math.min(delay * 1.5, 2_000)) {
    if (Date.now() + delay >= until) {
      const seconds = patience / 1_000;
      throw new TenantryError(
        "unavailable",
        `${name}: it still takes writes ${seconds} s after they were blocked, so it was not copied.`,
        { fix: "Run `pulumi up` again." },
      );
    }
    await sleep(delay);
  }
}

async function takesWrites(sql: Sql): Promise<boolean> {
  try {
    await sql.batch(attempt, "write", { idempotent: true });
  } catch (error) {
    if (isBlocked(error)) return false;
    if (!(error instanceof SqlError && error.message.includes("no such table"))) throw error;
  }
  return true;
}

import type { Row, Sql, SqlStatement } from "../platform/sql";
import { type Claim, readClaim } from "./claim";
import { isRuntimeAddress, runtimeAddress } from "./runtime-address";
import { registrySchema } from "./schema";

/**
 * A group's registry as applications write it: several processes at once, none of which is newer than the others, so no
 * write is fenced. Each statement changes only a claim that is still an application's; one that a stack has taken over
 * is left as it is.
 */
export interface RuntimeRegistry {
  find(name: string): Promise<RuntimeTenant | undefined>;
  /** Announces a database that is about to be made, unless somebody has the name; answers who has it now. */
  intend(name: string, intent: Intent): Promise<RuntimeTenant>;
  /** Makes an intent again of a claim on a database that is gone and is about to be made anew. */
  reopen(name: string, databaseId: string): Promise<void>;
  /** Records that the database is there and complete. False: a stack has taken it over, or it is being erased. */
  hold(name: string, database: { readonly id: string; readonly hostname: string }, intent: Intent): Promise<boolean>;
  /** Records that reads and writes are blocked until the tenant is provisioned again. */
  suspend(name: string, suspended: boolean): Promise<void>;
  /** Records that the database is about to be erased. False: it is not an application's any more. */
  erasing(name: string): Promise<boolean>;
  /** Forgets the claim, if it is still an application's. */
  release(name: string): Promise<void>;
}

export interface Intent {
  readonly owner: string;
  readonly incarnation: string;
  /** How the name was made of the subject. */
  readonly scheme: string;
  readonly template: string | undefined;
  readonly label: string | undefined;
  readonly expiresAt: string | undefined;
}

export interface RuntimeTenant {
  readonly claim: Claim;
  /** False: a stack has it. */
  readonly isRuntime: boolean;
  /** As the platform named it when the database was made; undefined where it is not known for this database id. */
  readonly hostname: string | undefined;
  readonly suspended: boolean;
}

/** What a claim does not say, so that an existing tenant costs no look at the platform. */
const runtimeSchema = `CREATE TABLE IF NOT EXISTS runtime_tenants (
  name TEXT PRIMARY KEY,
  database_id TEXT NOT NULL,
  hostname TEXT NOT NULL,
  suspended INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID`;

export async function layOutRuntimeRegistry(sql: Sql): Promise<void> {
  await sql.batch([...registrySchema, runtimeSchema], "write", { idempotent: true });
}

/** `now` in ms. */
export function openRuntimeRegistry(sql: Sql, now: () => number = Date.now): RuntimeRegistry {
  const write = (...statements: SqlStatement[]) => sql.batch(statements, "write", { idempotent: true });
  // Runs of stacks are numbered by the clock; here the number only tells when.
  const seconds = (): number => Math.floor(now() / 1000);
  const stillOurs = "kind = 'database' AND name = ? AND address LIKE 'runtime//%'";

  return {
    async find(name) {
      const { rows } = await sql.execute(look(name), { idempotent: true });
      return rows[0] && readTenant(rows[0]);
    },
    async intend(name, intent) {
      const insert = insertion(name, "open", null, intent, seconds());
      const [, found] = await write({ ...insert, sql: `${insert.sql} ON CONFLICT DO NOTHING` }, look(name));
      return readTenant(found!.rows[0]!);
    },
    async reopen(name, databaseId) {
      await write({
        sql: `UPDATE claims SET state = 'open', database_id = NULL WHERE ${stillOurs} AND database_id = ?`,
        args: [name, databaseId],
      });
    },
    async hold(name, { id, hostname }, intent) {
      const insert = insertion(name, "held", id, intent, seconds());
      const [held] = await write(
        {
          sql: `${insert.sql} ON CONFLICT (kind, name) DO UPDATE SET state = 'held', database_id = excluded.database_id
                WHERE claims.address LIKE 'runtime//%' AND claims.state <> 'deleting'`,
          args: insert.args,
        },
        {
          sql: `INSERT INTO runtime_tenants (name, database_id, hostname) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET database_id = excluded.database_id, hostname = excluded.hostname`,
          args: [name, id, hostname],
        },
      );
      return held!.rowsAffected > 0;
    },
    async suspend(name, suspended) {
      await write({ sql: "UPDATE runtime_tenants SET suspended = ? WHERE name = ?", args: [Number(suspended), name] });
    },
    async erasing(name) {
      const [marked] = await write({
        sql: `UPDATE claims SET state = 'deleting' WHERE ${stillOurs} AND state <> 'reaping'`,
        args: [name],
      });
      return marked!.rowsAffected > 0;
    },
    async release(name) {
      await write(
        { sql: `DELETE FROM claims WHERE ${stillOurs}`, args: [name] },
        { sql: "DELETE FROM runtime_tenants WHERE name = ?", args: [name] },
      );
    },
  };
}

const look = (name: string): SqlStatement => ({
  sql: `SELECT claims.*, tenants.hostname, tenants.suspended
        FROM claims LEFT JOIN runtime_tenants AS tenants
          ON tenants.name = claims.name AND tenants.database_id = claims.database_id
        WHERE claims.kind = 'database' AND claims.name = ?`,
  args: [name],
});

function insertion(name: string, state: "open" | "held", id: string | null, intent: Intent, run: number): SqlStatement {
  const { scheme, owner, incarnation, template = null, label = null, expiresAt = null } = intent;
  return {
    sql: `INSERT INTO claims
            (kind, name, address, state, owner, incarnation, database_id, existed, default_name, template, tenant,
             expires_at, run)
          VALUES ('database', ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)`,
    args: [name, runtimeAddress(scheme, name), state, owner, incarnation, id, template, label, expiresAt, run],
  };
}

function readTenant(row: Row): RuntimeTenant {
  const claim = readClaim(row);
  const hostname = row["hostname"];
  return {
    claim,
    isRuntime: isRuntimeAddress(claim.address),
    hostname: typeof hostname === "string" ? hostname : undefined,
    suspended: Number(row["suspended"] ?? 0) === 1,
  };
}

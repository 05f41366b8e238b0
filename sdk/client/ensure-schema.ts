import { resolve } from "node:path";
import { TenantryError } from "../../provider/platform/errors";
import { openSql } from "../../provider/platform/sql";
import { readHistory } from "../../provider/rollout/adoption";
import { isAhead } from "../../provider/rollout/fleet/plan";
import { migrate, standingIn } from "../../provider/rollout/migrate";
import { type Migration, type MigrationRef, digestOf, readMigrations } from "../../provider/rollout/source";

export interface EnsureSchemaOptions {
  /** The tenant's database: a libsql:, https: or http: address, such as a TenantDatabase's `url`. */
  readonly url: string;
  /** A token that may change tables, for this call only: the application's own need not. */
  readonly authToken: string;
  /** The folder that the SchemaTemplate reads, from the working directory; the application ships it along. */
  readonly migrations: string;
  /** Id of the migration to go to, such as the template's `version` output. Default: the folder's last. */
  readonly target?: string;
}

export interface EnsuredSchema {
  /** Last migration that the database has now. */
  readonly version: string;
  /** What this call applied, oldest first. */
  readonly applied: readonly string[];
  /** It has all of the folder's migrations and more: a rollout, or a newer application, has been here. */
  readonly ahead: boolean;
}

/** What this process has seen complete, by address and target. */
const ensured = new Map<string, Promise<EnsuredSchema>>();
const folders = new Map<string, Migration[]>();

/**
 * Brings one tenant's database to its target version when an application connects to it, under the same ledger as
 * `pulumi up` and rollouts: each migration is applied exactly once, whoever else is at it. Costs one read where nothing
 * is pending, and nothing once this process has seen it.
 *
 * Fails with "migration-invalid" (the folder, or a history that is not the folder's), "migration-failed" (file, line;
 * nothing of that file is kept) and what the platform answers, such as "credentials-rejected".
 *
 * ```ts
 * await ensureSchema({ url, authToken: process.env.MIGRATION_TOKEN, migrations: "./migrations" });
 * ```
 */
export async function ensureSchema(options: EnsureSchemaOptions): Promise<EnsuredSchema> {
  const migrations = upTo(folderOf(options.migrations), options);
  const key = `${options.url}\n${digestOf(migrations)}`;
  const known = ensured.get(key);
  if (known) return { ...(await known), applied: [] };
  const ensuring = bring(options, migrations);
  ensured.set(key, ensuring);
  ensuring.catch(() => ensured.delete(key));
  return ensuring;
}

async function bring(
  { url, authToken }: EnsureSchemaOptions,
  migrations: readonly Migration[],
): Promise<EnsuredSchema> {
  const sql = openSql({ url, token: () => Promise.resolve(authToken) });
  try {
    const history = await readHistory(sql);
    const last = history.ledger.at(-1);
    if (last && isAhead(history.ledger, migrations)) return { version: last.id, applied: [], ahead: true };
    const database = nameIn(url);
    const standing = standingIn(history, migrations, database);
    const applied = await migrate({ sql, database, migrations, run: undefined, standing });
    return { version: migrations.at(-1)!.id, applied: applied.map(({ id }: MigrationRef) => id), ahead: false };
  } finally {
    sql.close();
  }
}

/** Read once: a file that changes under a running application is not meant for it. */
function folderOf(folder: string): Migration[] {
  const path = resolve(folder);
  const known = folders.get(path) ?? readMigrations(path, folder).migrations;
  folders.set(path, known);
  return known;
}

function upTo(migrations: readonly Migration[], { target, migrations: folder }: EnsureSchemaOptions): Migration[] {
  const end = target === undefined ? migrations.length : migrations.findIndex(({ id }) => id === target) + 1;
  if (end > 0) return migrations.slice(0, end);
  throw new TenantryError("migration-invalid", `target: "${folder}" holds no migration "${target}".`, {
    fix: `Its last is "${migrations.at(-1)?.id}": deploy the application with the folder that the target is in.`,
  });
}

/** What to call a database in errors: the part of its address that tells it from others. */
function nameIn(url: string): string {
  const { host, pathname } = new URL(url.replace(/^libsql:/i, "https:"));
  return `${host}${pathname.replace(/\/$/, "")}`;
}

import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { TenantryError } from "../../platform/errors";
import { type ApiTokenRows, createApiTokenRows } from "./api-tokens";
import { type AuditLog, createAuditLog } from "./audit-log";
import { hasDatabaseFiles } from "./database-files";
import { createDatabaseRows, type DatabaseRows } from "./databases";
import { createGroupRows, type GroupRows } from "./groups";
import { createOrganizationRows, type OrganizationRows } from "./organizations";
import { createPeopleRows, type PeopleRows } from "./people";

/** What the platform knows: its identity, groups, databases and keys, in `control.db`. */
export interface Control {
  /** e.g. "local-5f0c2a9be1d4". */
  readonly id: string;
  /** The folder's own Platform API token, which may do everything. */
  readonly apiToken: string;
  /** The day of the folder's first start, e.g. "2026-05-21". */
  readonly createdAt: string;
  /** Slugs; the first one is the default. */
  readonly organizations: readonly string[];
  readonly groups: GroupRows;
  readonly databases: DatabaseRows;
  readonly apiTokens: ApiTokenRows;
  readonly settings: OrganizationRows;
  readonly people: PeopleRows;
  readonly audit: AuditLog;
  /** All or nothing. */
  transaction(work: () => void): void;
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS groups (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, name TEXT NOT NULL, location TEXT NOT NULL,
    delete_protection INTEGER NOT NULL DEFAULT 0, signing_key TEXT,
    UNIQUE (organization, name)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS databases (
    id TEXT PRIMARY KEY, organization TEXT NOT NULL, name TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES groups (id), label TEXT NOT NULL UNIQUE,
    block_reads INTEGER NOT NULL DEFAULT 0, block_writes INTEGER NOT NULL DEFAULT 0,
    delete_protection INTEGER NOT NULL DEFAULT 0,
    allowed_ips TEXT NOT NULL DEFAULT '[]', allowed_aws_vpc_ids TEXT NOT NULL DEFAULT '[]',
    parent_id TEXT, parent_name TEXT, branched_at TEXT, signing_key TEXT,
    UNIQUE (organization, name)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS databases_by_group ON databases (group_id, name);
  CREATE INDEX IF NOT EXISTS databases_by_parent ON databases (parent_id);
`;

/** Opens a folder's `control.db`, making it at first use. `organizations` given replace the ones remembered. */
export function openControl(directory: string, organizations: readonly string[] | undefined): Control {
  const file = join(directory, "control.db");
  // Files that no row knows are swept: where nothing is known, they are somebody's. Looked at before anything is written,
  // since a log beside the control.db that is put back would be taken for its own.
  if (!knowsItself(file) && hasDatabaseFiles(directory)) {
    throw new TenantryError(
      "invalid-input",
      `The folder ${directory} has files in "databases" that no control.db of it knows: it was lost, or they are others'.`,
      { fix: "Choose another folder, or put the control.db back that belongs to them." },
    );
  }
  // It holds the API token and every signing key, and the folder may have been made by somebody else, for all to read.
  closeSync(openSync(file, "a", 0o600));
  chmodSync(file, 0o600);
  const sql = new Database(file);
  // NORMAL loses nothing to a killed process, only, perhaps, the last moments to a power cut; never consistency. FULL
  // waits for the disk at each write (0.2 ms on a quiet one, several on a busy one) and would promise too much: tenants'
  // files, NORMAL too, would not have those moments either.
  sql.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
  sql.exec(schema);

  const read = sql.prepare("SELECT value FROM meta WHERE key = ?");
  const insert = sql.prepare(
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const remembered = (key: string, first: () => string): string => {
    const row = read.get([key]) as { value: string } | undefined;
    if (row !== undefined) return row.value;
    const value = first();
    insert.run([key, value]);
    return value;
  };

  if (organizations !== undefined) insert.run(["organizations", JSON.stringify(organizations)]);
  return {
    id: remembered("id", () => `local-${randomBytes(6).toString("hex")}`),
    apiToken: remembered("api_token", () => `local_api_${randomBytes(32).toString("base64url")}`),
    createdAt: remembered("created_at", () => new Date().toISOString().slice(0, 10)),
    organizations: JSON.parse(remembered("organizations", () => '["local"]')) as string[],
    groups: createGroupRows(sql),
    databases: createDatabaseRows(sql),
    apiTokens: createApiTokenRows(sql),
    settings: createOrganizationRows(sql),
    people: createPeopleRows(sql),
    audit: createAuditLog(sql),
    transaction(work) {
      sql.exec("BEGIN IMMEDIATE");
      try {
        work();
        sql.exec("COMMIT");
      } catch (error) {
        sql.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => void sql.close(),
  };
}

/** True where a `control.db` is there and was begun. */
function knowsItself(file: string): boolean {
  if (!existsSync(file)) return false;
  const sql = new Database(file);
  try {
    return sql.prepare("SELECT value FROM meta WHERE key = 'id'").get([]) !== undefined;
  } catch {
    return false;
  } finally {
    sql.close();
  }
}

/** Checks organizations' slugs: they end up in paths and hostnames. */
export function requireSlugs(slugs: readonly string[]): void {
  const wrong = slugs.find((slug) => !/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/.test(slug));
  if (wrong === undefined && slugs.length > 0) return;
  throw new TenantryError(
    "invalid-input",
    wrong === undefined ? "organizations: none is named." : `organizations: "${wrong}" is not a slug.`,
    { fix: "Use lowercase letters, digits and dashes, at most 32, with no dash at either end." },
  );
}

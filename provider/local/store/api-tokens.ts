import { createHash } from "node:crypto";
import type Database from "libsql";

/** A Platform API token that was made here. The token itself is not kept: whoever reads the folder cannot use it. */
export interface ApiTokenRow {
  readonly id: string;
  readonly name: string;
  /** The one organization that it may act in; undefined: all of them. */
  readonly organization: string | undefined;
  /** The one group that it may act in; undefined: all of them. */
  readonly groupId: string | undefined;
  readonly groupName: string | undefined;
  /** Undefined: no limit (a token that is not limited to a group). */
  readonly scopes: readonly string[] | undefined;
  /** e.g. "2026-05-21". */
  readonly createdAt: string;
}

export interface ApiTokenRows {
  /** In the order of names. */
  list(): ApiTokenRow[];
  get(name: string): ApiTokenRow | undefined;
  byToken(token: string): ApiTokenRow | undefined;
  insert(row: Omit<ApiTokenRow, "groupName">, token: string): void;
  remove(id: string): void;
}

interface Stored {
  id: string;
  name: string;
  organization: string | null;
  group_id: string | null;
  group_name: string | null;
  scopes: string | null;
  created_at: string;
}

// Turso docs: a token of a group ends with its group, which here the foreign key sees to.
const schema = `
  CREATE TABLE IF NOT EXISTS api_tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL UNIQUE, organization TEXT,
    group_id TEXT REFERENCES groups (id) ON DELETE CASCADE, scopes TEXT, created_at TEXT NOT NULL
  ) STRICT;
`;
const select = "SELECT t.*, g.name AS group_name FROM api_tokens t LEFT JOIN groups g ON g.id = t.group_id";

export function createApiTokenRows(sql: Database.Database): ApiTokenRows {
  sql.exec(schema);
  const list = sql.prepare(`${select} ORDER BY t.name`);
  const get = sql.prepare(`${select} WHERE t.name = ?`);
  const byDigest = sql.prepare(`${select} WHERE t.digest = ?`);
  const insert = sql.prepare(`
    INSERT INTO api_tokens (id, name, digest, organization, group_id, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const remove = sql.prepare("DELETE FROM api_tokens WHERE id = ?");

  return {
    list: () => (list.all([]) as Stored[]).map(fromStored),
    get: (name) => optional(get.get([name])),
    // A look-up by digest: the time it takes tells nothing about the tokens.
    byToken: (token) => optional(byDigest.get([digestOf(token)])),
    insert({ id, name, organization, groupId, scopes, createdAt }, token) {
      const limits = [organization ?? null, groupId ?? null, scopes ? JSON.stringify(scopes) : null];
      insert.run([id, name, digestOf(token), ...limits, createdAt]);
    },
    remove: (id) => void remove.run([id]),
  };
}

/** A token's signature is as good as 256 random bits, so one round of a plain hash is enough. */
function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

function optional(row: unknown): ApiTokenRow | undefined {
  return row === undefined ? undefined : fromStored(row as Stored);
}

function fromStored(row: Stored): ApiTokenRow {
  return {
    id: row.id,
    name: row.name,
    organization: row.organization ?? undefined,
    groupId: row.group_id ?? undefined,
    groupName: row.group_name ?? undefined,
    scopes: row.scopes === null ? undefined : (JSON.parse(row.scopes) as string[]),
    createdAt: row.created_at,
  };
}

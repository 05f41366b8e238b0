import type Database from "libsql";

export interface GroupRow {
  /** UUID. */
  readonly id: string;
  readonly organization: string;
  readonly name: string;
  readonly location: string;
  readonly deleteProtection: boolean;
  /** Private key (PEM) that signs this group's tokens; undefined until the first token. */
  readonly signingKey: string | undefined;
}

export interface GroupRows {
  list(organization: string): GroupRow[];
  get(organization: string, name: string): GroupRow | undefined;
  byId(id: string): GroupRow | undefined;
  insert(row: Pick<GroupRow, "id" | "organization" | "name" | "location">): void;
  protect(id: string, on: boolean): void;
  /** Undefined forgets the key: every token of the group is void at once. */
  setKey(id: string, key: string | undefined): void;
  remove(id: string): void;
}

interface Stored {
  id: string;
  organization: string;
  name: string;
  location: string;
  delete_protection: number;
  signing_key: string | null;
}

export function createGroupRows(sql: Database.Database): GroupRows {
  const list = sql.prepare("SELECT * FROM groups WHERE organization = ? ORDER BY name");
  const get = sql.prepare("SELECT * FROM groups WHERE organization = ? AND name = ?");
  const byId = sql.prepare("SELECT * FROM groups WHERE id = ?");
  const insert = sql.prepare("INSERT INTO groups (id, organization, name, location) VALUES (?, ?, ?, ?)");
  const protect = sql.prepare("UPDATE groups SET delete_protection = ? WHERE id = ?");
  const setKey = sql.prepare("UPDATE groups SET signing_key = ? WHERE id = ?");
  const remove = sql.prepare("DELETE FROM groups WHERE id = ?");

  return {
    list: (organization) => (list.all([organization]) as Stored[]).map(fromStored),
    get: (organization, name) => optional(get.get([organization, name])),
    byId: (id) => optional(byId.get([id])),
    insert: (row) => void insert.run([row.id, row.organization, row.name, row.location]),
    protect: (id, on) => void protect.run([Number(on), id]),
    setKey: (id, key) => void setKey.run([key ?? null, id]),
    remove: (id) => void remove.run([id]),
  };
}

function optional(row: unknown): GroupRow | undefined {
  return row === undefined ? undefined : fromStored(row as Stored);
}

function fromStored(row: Stored): GroupRow {
  return {
    id: row.id,
    organization: row.organization,
    name: row.name,
    location: row.location,
    deleteProtection: row.delete_protection !== 0,
    signingKey: row.signing_key ?? undefined,
  };
}

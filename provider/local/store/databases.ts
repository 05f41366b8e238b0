import type Database from "libsql";

export interface DatabaseRow {
  /** UUID; also the name of its file. */
  readonly id: string;
  readonly organization: string;
  readonly name: string;
  readonly groupId: string;
  readonly groupName: string;
  readonly location: string;
  /** First label of its hostname; unique over all organizations. */
  readonly label: string;
  readonly blockReads: boolean;
  readonly blockWrites: boolean;
  readonly deleteProtection: boolean;
  readonly allowedIps: readonly string[];
  readonly allowedAwsVpcIds: readonly string[];
  readonly parent: { readonly id: string; readonly name: string; readonly branchedAt: string } | undefined;
  /** Private key (PEM) that signs this database's own tokens; undefined until the first token. */
  readonly signingKey: string | undefined;
}

export type DatabaseSettings = Pick<
  DatabaseRow,
  "blockReads" | "blockWrites" | "deleteProtection" | "allowedIps" | "allowedAwsVpcIds"
>;

export interface DatabaseFilter {
  readonly organization: string;
  readonly groupId?: string;
  readonly parentId?: string;
  /** Names after this one only. */
  readonly after?: string;
  readonly limit: number;
}

export interface DatabaseRows {
  /** In the order of names. */
  list(filter: DatabaseFilter): DatabaseRow[];
  get(organization: string, name: string): DatabaseRow | undefined;
  byLabel(label: string): DatabaseRow | undefined;
  has(id: string): boolean;
  ofGroup(groupId: string): DatabaseRow[];
  count(organization: string): number;
  all(): { id: string; organization: string }[];
  insert(row: Pick<DatabaseRow, "id" | "organization" | "name" | "groupId" | "label" | "parent">): void;
  configure(id: string, settings: DatabaseSettings): void;
  /** Undefined forgets the key: every token of the database's own is void at once. */
  setKey(id: string, key: string | undefined): void;
  forgetKeysOfGroup(groupId: string): void;
  remove(id: string): void;
  removeOfGroup(groupId: string): void;
}

interface Stored {
  id: string;
  organization: string;
  name: string;
  group_id: string;
  group_name: string;
  location: string;
  label: string;
  block_reads: number;
  block_writes: number;
  delete_protection: number;
  allowed_ips: string;
  allowed_aws_vpc_ids: string;
  parent_id: string | null;
  parent_name: string | null;
  branched_at: string | null;
  signing_key: string | null;
}

const select = "SELECT d.*, g.name AS group_name, g.location FROM databases d JOIN groups g ON g.id = d.group_id";

export function createDatabaseRows(sql: Database.Database): DatabaseRows {
  const page = (where: string): Database.Statement =>
    sql.prepare(`${select} WHERE d.organization = ? AND d.name > ? ${where} ORDER BY d.name LIMIT ?`);
  const list = page("");
  const listOfGroup = page("AND d.group_id = ?");
  const listOfParent = page("AND d.parent_id = ?");
  const listOfBoth = page("AND d.group_id = ? AND d.parent_id = ?");
  const get = sql.prepare(`${select} WHERE d.organization = ? AND d.name = ?`);
  const byLabel = sql.prepare(`${select} WHERE d.label = ?`);
  const has = sql.prepare("SELECT 1 FROM databases WHERE id = ?");
  const ofGroup = sql.prepare(`${select} WHERE d.group_id = ? ORDER BY d.name`);
  const all = sql.prepare("SELECT id, organization FROM databases");
  const count = sql.prepare("SELECT count(*) AS n FROM databases WHERE organization = ?");
  const insert = sql.prepare(`
    INSERT INTO databases (id, organization, name, group_id, label, parent_id, parent_name, branched_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
  const configure = sql.prepare(`
    UPDATE databases SET block_reads = ?, block_writes = ?, delete_protection = ?, allowed_ips = ?,
      allowed_aws_vpc_ids = ? WHERE id = ?`);
  const setKey = sql.prepare("UPDATE databases SET signing_key = ? WHERE id = ?");
  const forgetKeys = sql.prepare("UPDATE databases SET signing_key = NULL WHERE group_id = ?");
  const remove = sql.prepare("DELETE FROM databases WHERE id = ?");
  const removeOfGroup = sql.prepare("DELETE FROM databases WHERE group_id = ?");

  return {
    list({ organization, groupId, parentId, after = "", limit }) {
      const rows =
        groupId !== undefined && parentId !== undefined
          ? listOfBoth.all([organization, after, groupId, parentId, limit])
          : groupId !== undefined
            ? listOfGroup.all([organization, after, groupId, limit])
            : parentId !== undefined
              ? listOfParent.all([organization, after, parentId, limit])
              : list.all([organization, after, limit]);
      return (rows as Stored[]).map(fromStored);
    },
    has: (id) => has.get([id]) !== undefined,
    get: (organization, name) => optional(get.get([organization, name])),
    byLabel: (label) => optional(byLabel.get([label])),
    ofGroup: (groupId) => (ofGroup.all([groupId]) as Stored[]).map(fromStored),
    all: () => all.all([]) as { id: string; organization: string }[],
    count: (organization) => (count.get([organization]) as { n: number }).n,
    insert(row) {
      const { parent } = row;
      const lineage = [parent?.id ?? null, parent?.name ?? null, parent?.branchedAt ?? null];
      insert.run([row.id, row.organization, row.name, row.groupId, row.label, ...lineage]);
    },
    configure(id, s) {
      const lists = [JSON.stringify(s.allowedIps), JSON.stringify(s.allowedAwsVpcIds)];
      configure.run([Number(s.blockReads), Number(s.blockWrites), Number(s.deleteProtection), ...lists, id]);
    },
    setKey: (id, key) => void setKey.run([key ?? null, id]),
    forgetKeysOfGroup: (groupId) => void forgetKeys.run([groupId]),
    remove: (id) => void remove.run([id]),
    removeOfGroup: (groupId) => void removeOfGroup.run([groupId]),
  };
}

function optional(row: unknown): DatabaseRow | undefined {
  return row === undefined ? undefined : fromStored(row as Stored);
}

function fromStored(row: Stored): DatabaseRow {
  return {
    id: row.id,
    organization: row.organization,
    name: row.name,
    groupId: row.group_id,
    groupName: row.group_name,
    location: row.location,
    label: row.label,
    blockReads: row.block_reads !== 0,
    blockWrites: row.block_writes !== 0,
    deleteProtection: row.delete_protection !== 0,
    allowedIps: JSON.parse(row.allowed_ips) as string[],
    allowedAwsVpcIds: JSON.parse(row.allowed_aws_vpc_ids) as string[],
    parent:
      row.parent_id === null
        ? undefined
        : { id: row.parent_id, name: row.parent_name ?? "", branchedAt: row.branched_at ?? "" },
    signingKey: row.signing_key ?? undefined,
  };
}

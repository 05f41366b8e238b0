import { randomUUID } from "node:crypto";
import { TenantryError, hasCode } from "../../platform/errors";
import type { AdminApi } from "./api";
import type { CatalogueRow, Statement, Transaction } from "./catalogue-sql";
import { catalogueName, catalogueSchema } from "./schema";

export interface GroupRow {
  readonly name: string;
  readonly id: string;
  readonly state: "there" | "deleting";
  readonly generation: number;
  /** The oldest generation whose tokens are still good; mostly `generation` itself. */
  readonly oldest: number;
  readonly protected: boolean;
}

export interface DatabaseRow {
  readonly name: string;
  readonly id: string;
  readonly state: "creating" | "there" | "deleting";
  readonly group: string;
  /** The group's own row, as of the same moment. */
  readonly groupId: string;
  readonly groupGeneration: number;
  readonly groupOldest: number;
  readonly seed: string | undefined;
  /** As of when it is copied, ISO 8601; undefined: of the moment. */
  readonly seedAt: string | undefined;
  readonly seedKeys: string | undefined;
  readonly parentId: string | undefined;
  readonly generation: number;
  readonly oldest: number;
  readonly keys: string;
  /** The keys that it was taken over with, as long as they are good; "": none. */
  readonly othersKeys: string;
  readonly sizeLimit: string | undefined;
  readonly protected: boolean;
}

/** Our own record of the server. Made at first use; statements of one call are one transaction. */
export interface Catalogue {
  /** The catalogue's random id, which stands for the server. */
  id(): Promise<string>;
  run(...statements: Statement[]): Promise<CatalogueRow[][]>;
  groups(name?: string): Promise<GroupRow[]>;
  database(name: string): Promise<DatabaseRow | undefined>;
}

export function openCatalogue(transaction: Transaction, admin: AdminApi, keys: string): Catalogue {
  let laidOut: Promise<void> | undefined;

  const attempt = async (statements: readonly Statement[]): Promise<CatalogueRow[][]> => {
    for (let tries = 1; ; tries++) {
      const rows = await transaction(statements);
      if (rows !== "absent") return rows;
      if (tries === 4) throw vanished();
      // Whoever makes it at the same time makes the same one, with the same keys.
      await admin.create(catalogueName, { jwt_key: keys }).catch((error: unknown) => {
        if (!hasCode(error, "already-exists")) throw error;
      });
      await transaction(catalogueSchema());
    }
  };

  const run = async (...statements: Statement[]): Promise<CatalogueRow[][]> => {
    // In the first transaction of a process: it also completes one that a killed process began.
    laidOut ??= attempt(catalogueSchema()).then(() => undefined);
    laidOut.catch(() => (laidOut = undefined));
    await laidOut;
    return attempt(statements);
  };

  return {
    run,
    async id() {
      const [rows] = await run({ sql: "SELECT value FROM meta WHERE key = 'id'", args: [] });
      return String(rows![0]!["value"]);
    },
    async groups(name) {
      const from = "AS oldest FROM groups WHERE ?1 IS NULL OR name = ?1 ORDER BY name";
      const sql = ["SELECT *,", oldest.groups, from].join(" ");
      return (await run({ sql, args: [name] }))[0]!.map(readGroup);
    },
    async database(name) {
      const row = (await run(selectDatabase(name)))[0]![0];
      return row && readDatabase(row);
    },
  };
}

/** The generation from which on a row's tokens are good now. */
const oldest = {
  groups: "CASE WHEN groups.kept_until > unixepoch() THEN groups.kept_from ELSE groups.generation END",
  databases: "CASE WHEN databases.kept_until > unixepoch() THEN databases.kept_from ELSE databases.generation END",
};
const columns = [
  ...["SELECT databases.*,", oldest.databases, "AS oldest, groups.id AS group_id,"],
  "CASE WHEN coalesce(others_until, unixepoch() + 1) > unixepoch() THEN others_keys END AS others,",
  ...["groups.generation AS group_generation,", oldest.groups, "AS group_oldest"],
].join(" ");
const joined = "FROM databases JOIN groups ON groups.name = databases.group_name";

export const selectDatabase = (name: string): Statement => ({
  sql: `${columns} FROM json_each(?) AS asked CROSS JOIN databases ON databases.name = asked.value ->> '$[0]'
    JOIN groups ON groups.name = databases.group_name`,
  args: [name],
  gathers: true,
});

const page = "WHERE (?1 IS NULL OR group_name = ?1) AND databases.name > ?2 ORDER BY databases.name LIMIT ?3";

/** By name, after `after`; `group` undefined: of all. */
export const selectDatabases = (group: string | undefined, after: string, limit: number): Statement => ({
  sql: [columns, joined, page].join(" "),
  args: [group, after, limit],
});

/** An intent to create it, where the group is there and the name is free. The row that stands follows. */
export function reserve(of: {
  readonly name: string;
  readonly id: string;
  readonly group: string;
  readonly seed: DatabaseRow | undefined;
  readonly seedAt: string | undefined;
  readonly sizeLimit: string | undefined;
}): Statement[] {
  const { name, id, group, seed, seedAt, sizeLimit } = of;
  const sql = `INSERT INTO databases (name, id, group_name, state, seed, seed_at, seed_keys, parent_id, generation, keys, size_limit, protected)
    SELECT asked.value ->> '$[0]', asked.value ->> '$[1]', groups.name, 'creating', asked.value ->> '$[2]',
      asked.value ->> '$[3]', asked.value ->> '$[4]', asked.value ->> '$[5]', 1, '', asked.value ->> '$[6]', 0
    FROM json_each(?) AS asked CROSS JOIN groups ON groups.name = asked.value ->> '$[7]' WHERE groups.state = 'there'
    ON CONFLICT DO NOTHING`;
  const args = [name, id, seed?.name, seedAt, seed?.keys, seed?.id, sizeLimit, group];
  return [{ sql, args, gathers: true }, selectDatabase(name)];
}

/** The last step of a create: what the server was given. The rows that were still there follow. */
export const completeCreate = ({ name, id }: DatabaseRow, keys: string | undefined): Statement => ({
  sql: `UPDATE databases SET state = 'there', keys = coalesce(asked.value ->> '$[2]', databases.keys) FROM json_each(?) AS asked
    WHERE databases.name = asked.value ->> '$[0]' AND databases.id = asked.value ->> '$[1]' RETURNING name, id`,
  args: [name, id, keys],
  gathers: true,
});

/** Generations before the newest whose tokens may still be good: each is a key that the server tries. */
const mostKept = 3;

/** The namespace of that row is somebody else's, and is from now on ours; what opened it goes on to. */
export const takeOver = ({ name, id }: DatabaseRow, othersKeys: string): Statement => ({
  sql: `UPDATE databases SET state = 'there', others_keys = ?, seed = NULL, seed_at = NULL, seed_keys = NULL, parent_id = NULL, keys = ''
        WHERE name = ? AND id = ? AND state = 'creating' RETURNING id`,
  args: [othersKeys, name, id],
});

/** What a rotation of a database, or of its group, leaves of the keys that it was taken over with. */
export function rotateOthers(of: "name" | "group_name", name: string, keepFor: number | undefined): Statement {
  const sql = [
    "UPDATE databases SET others_keys = CASE WHEN ?1 IS NOT NULL THEN others_keys END,",
    "others_until = max(coalesce(others_until, 0), unixepoch() + ?1) WHERE others_keys IS NOT NULL AND",
    ...[of, "= ?2"],
  ].join(" ");
  return { sql, args: [keepFor, name] };
}

/**
 * The next generation of a row's key, once, however often it is sent. `keepFor`: for how many seconds tokens of the present
 * one stay good, and with them those of an earlier one that were promised the same.
 */
export function nextGeneration(
  table: "groups" | "databases",
  { name, id, generation }: { readonly name: string; readonly id: string; readonly generation: number },
  keepFor: number | undefined,
): Statement {
  const sql = [
    ...["UPDATE", table, "SET generation = generation + 1,"],
    ...["kept_from = CASE WHEN ?1 IS NOT NULL THEN max(", oldest[table], ", generation + 1 - ?5) END,"],
    "kept_until = CASE WHEN ?1 IS NOT NULL THEN max(coalesce(kept_until, 0), unixepoch() + ?1) END",
    "WHERE name = ?2 AND id = ?3 AND generation = ?4",
  ].join(" ");
  return { sql, args: [keepFor, name, id, generation, mostKept] };
}

/** Takes a row away whose namespace is not there, unless it was changed since it was read. */
export const forget = ({ name, id, state }: Pick<DatabaseRow, "name" | "id" | "state">): Statement => ({
  sql: "DELETE FROM databases WHERE name = ? AND id = ? AND state = ?",
  args: [name, id, state],
});

export const readGroup = (row: CatalogueRow): GroupRow => ({
  name: String(row["name"]),
  id: String(row["id"]),
  state: row["state"] === "deleting" ? "deleting" : "there",
  generation: Number(row["generation"]),
  oldest: Number(row["oldest"]),
  protected: row["protected"] === 1,
});

export const readDatabase = (row: CatalogueRow): DatabaseRow => ({
  name: String(row["name"]),
  id: String(row["id"]),
  state: row["state"] === "creating" || row["state"] === "deleting" ? row["state"] : "there",
  group: String(row["group_name"]),
  groupId: String(row["group_id"]),
  groupGeneration: Number(row["group_generation"]),
  groupOldest: Number(row["group_oldest"]),
  seed: text(row["seed"]),
  seedAt: text(row["seed_at"]),
  seedKeys: text(row["seed_keys"]),
  parentId: text(row["parent_id"]),
  generation: Number(row["generation"]),
  oldest: Number(row["oldest"]),
  keys: String(row["keys"]),
  othersKeys: text(row["others"]) ?? "",
  sizeLimit: text(row["size_limit"]),
  protected: row["protected"] === 1,
});

const text = (value: string | number | null | undefined): string | undefined =>
  value === null || value === undefined ? undefined : String(value);

export const newId = (): string => randomUUID();

const vanished = (): TenantryError =>
  new TenantryError("bad-answer", `The server made the database "${catalogueName}", and does not find it.`, {
    fix: "Check that tenantry:apiUrl and tenantry:databaseUrl lead to the same server.",
  });

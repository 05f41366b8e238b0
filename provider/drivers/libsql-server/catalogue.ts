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
  readonly seed: string | undefined;
  readonly seedKeys: string | undefined;
  readonly parentId: string | undefined;
  readonly generation: number;
  readonly keys: string;
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
      const sql = "SELECT * FROM groups WHERE ?1 IS NULL OR name = ?1 ORDER BY name";
      return (await run({ sql, args: [name] }))[0]!.map(readGroup);
    },
    async database(name) {
      const row = (await run(selectDatabase(name)))[0]![0];
      return row && readDatabase(row);
    },
  };
}

const columns = "SELECT d.*, g.id AS group_id, g.generation AS group_generation";
const joined = "FROM databases d JOIN groups g ON g.name = d.group_name";

export const selectDatabase = (name: string): Statement => ({
  sql: [columns, joined, "WHERE d.name = ?"].join(" "),
  args: [name],
});

/** By name, after `after`; `group` undefined: of all. */
export const selectDatabases = (group: string | undefined, after: string, limit: number): Statement => ({
  sql: [columns, joined, "WHERE (?1 IS NULL OR d.group_name = ?1) AND d.name > ?2 ORDER BY d.name LIMIT ?3"].join(" "),
  args: [group, after, limit],
});

/** An intent to create it, where the group is there and the name is free. The row that stands follows. */
export function reserve(of: {
  readonly name: string;
  readonly id: string;
  readonly group: string;
  readonly seed: DatabaseRow | undefined;
  readonly sizeLimit: string | undefined;
}): Statement[] {
  const { name, id, group, seed, sizeLimit } = of;
  const sql = `INSERT INTO databases (name, id, group_name, state, seed, seed_keys, parent_id, generation, keys, size_limit, protected)
    SELECT ?, ?, name, 'creating', ?, ?, ?, 1, '', ?, 0 FROM groups WHERE name = ? AND state = 'there'
    ON CONFLICT DO NOTHING`;
  return [{ sql, args: [name, id, seed?.name, seed?.keys, seed?.id, sizeLimit, group] }, selectDatabase(name)];
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
  protected: row["protected"] === 1,
});

export const readDatabase = (row: CatalogueRow): DatabaseRow => ({
  name: String(row["name"]),
  id: String(row["id"]),
  state: row["state"] === "creating" || row["state"] === "deleting" ? row["state"] : "there",
  group: String(row["group_name"]),
  groupId: String(row["group_id"]),
  groupGeneration: Number(row["group_generation"]),
  seed: text(row["seed"]),
  seedKeys: text(row["seed_keys"]),
  parentId: text(row["parent_id"]),
  generation: Number(row["generation"]),
  keys: String(row["keys"]),
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

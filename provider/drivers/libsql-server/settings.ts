import type { Clock } from "../../http/clock";
import { TenantryError } from "../../platform/errors";
import type { AdminApi, NamespaceConfig } from "./api";
import { type Catalogue, type DatabaseRow, newId } from "./catalogue";
import type { KeyFor } from "./keys";

/** How long a change waits for another's, in ms. */
const patience = 30_000;

export interface Settings {
  /** The keys that a database begins with: its own, and its group's. */
  firstKeysOf(row: DatabaseRow): string;
  /** The keys that the server is to check a database's tokens with: those, and of past generations what is still good. */
  keysOf(row: DatabaseRow): string;
  /** Gives the server the keys of the row as it is then, and what else is to change. False: there is no such namespace. */
  apply(row: Pick<DatabaseRow, "name" | "id">, change?: Change): Promise<boolean>;
  /** The same where the server was given other keys before, or it is not known which; else nothing. */
  settle(row: DatabaseRow): Promise<boolean>;
}

export interface Change {
  readonly block_reads?: boolean;
  readonly block_writes?: boolean;
  readonly max_db_size?: number;
}

export interface SettingsOptions {
  readonly catalogue: Catalogue;
  readonly admin: AdminApi;
  readonly keyFor: KeyFor;
  readonly clock: Clock;
  /** How long a change keeps others away, in seconds; where its process died, they wait for that. */
  readonly lease: number;
}

/**
 * A namespace's settings are one document, that every change replaces: what is left out is reset. So each change reads it,
 * and nobody else changes it meanwhile: a lease in the catalogue keeps other processes away.
 */
export function namespaceSettings({ catalogue, admin, keyFor, clock, lease }: SettingsOptions): Settings {
  const keysOf = (row: DatabaseRow): string => {
    const { name, id, group, groupId } = row;
    const ofGroup = downFrom(row.groupGeneration, row.groupOldest);
    const own = ofGroup.flatMap((first) => downFrom(row.generation, row.oldest).map((second) => `${first}.${second}`));
    const keys = [
      ...own.map((generation) => keyFor({ kind: "database", name, id, generation })),
      ...ofGroup.map((generation) => keyFor({ kind: "group", name: group, id: groupId, generation })),
    ];
    return keys.map(({ publicKey }) => publicKey).join("") + row.othersKeys;
  };
  const firstKeysOf = (row: DatabaseRow): string =>
    keysOf({ ...row, oldest: row.generation, groupOldest: row.groupGeneration, othersKeys: "" });

  const exclusively = async <Result>(
    { name, id }: Pick<DatabaseRow, "name" | "id">,
    use: () => Promise<Result>,
  ): Promise<Result> => {
    const holder = newId();
    const take = {
      sql: `UPDATE databases SET busy = ?1, busy_until = CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?2
            WHERE name = ?3 AND id = ?4 AND (busy IS NULL OR busy = ?1 OR busy_until <= CAST(unixepoch('subsec') * 1000 AS INTEGER))
            RETURNING busy`,
      args: [holder, lease * 1_000, name, id],
    };
    const isThere = { sql: "SELECT 1 FROM databases WHERE name = ? AND id = ?", args: [name, id] };
    for (const until = clock.now() + patience; ; await clock.sleep(100)) {
      const [taken, there] = await catalogue.run(take, isThere);
      if (taken!.length > 0) break;
      if (there!.length === 0) throw notFound(name);
      if (clock.now() > until || clock.cancelled.aborted) throw busy(name);
    }
    try {
      return await use();
    } finally {
      const free = { sql: "UPDATE databases SET busy = NULL WHERE name = ? AND busy = ?", args: [name, holder] };
      // Where it fails, the lease ends by itself.
      await catalogue.run(free).catch(() => undefined);
    }
  };

  const apply: Settings["apply"] = (of, change = {}) =>
    exclusively(of, async () => {
      const row = await catalogue.database(of.name);
      if (row?.id !== of.id) throw notFound(of.name);
      const found = await admin.config(row.name, true);
      if (!found) return false;
      const keys = keysOf(row);
      if (!(await admin.setConfig(row.name, { ...kept(found), ...change, jwt_key: keys }))) return false;
      await catalogue.run({
        sql: "UPDATE databases SET keys = ? WHERE name = ? AND id = ?",
        args: [keys, row.name, row.id],
      });
      return true;
    });

  return { firstKeysOf, keysOf, apply, settle: async (row) => row.keys === keysOf(row) || apply(row) };
}

const downFrom = (newest: number, oldest: number): number[] =>
  Array.from({ length: newest - oldest + 1 }, (_, i) => newest - i);

/** The size is told rounded ("999.4 KB"), and stays as it is where it is left out. */
function kept({ max_db_size: _, ...rest }: NamespaceConfig): NamespaceConfig {
  return rest as NamespaceConfig;
}

export const notFound = (name: string): TenantryError =>
  new TenantryError("database-not-found", `There is no database "${name}".`, {
    fix: "Check its name, and whether it was deleted meanwhile.",
  });

const busy = (name: string): TenantryError =>
  new TenantryError("not-ready", `Somebody else has been changing the settings of database "${name}" for a while.`, {
    fix: "Try again in a minute.",
  });

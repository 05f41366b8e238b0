import type { Clock } from "../../http/clock";
import type { Platform, PlatformDatabase } from "../../platform/platform";
import { TenantryError, hasCode } from "../../platform/errors";
import { type AdminApi, type NamespaceConfig, noSource } from "./api";
import {
  type Catalogue,
  type DatabaseRow,
  completeCreate,
  forget,
  newId,
  readDatabase,
  reserve,
  selectDatabases,
} from "./catalogue";
import { type Settings, notFound } from "./settings";
import { bytesOf, tellSize } from "./size";
import { unlisted } from "./unlisted";
import { refuse } from "./unsupported";

type Databases = Pick<
  Platform,
  | "listDatabases"
  | "getDatabase"
  | "createDatabase"
  | "getConfiguration"
  | "configureDatabase"
  | "deleteDatabase"
  | "unlisted"
>;

export interface Surroundings {
  readonly catalogue: Catalogue;
  readonly admin: AdminApi;
  readonly settings: Settings;
  /** Name and port that clients connect to. */
  readonly hostOf: (name: string) => string;
  /** Whether a database that was given its own keys has no tables. */
  readonly isEmpty: (row: DatabaseRow) => Promise<boolean>;
  readonly clock: Clock;
}

/** A database that is there, by catalogue and server. */
export interface Found {
  readonly row: DatabaseRow;
  readonly config: NamespaceConfig;
}

/** Rows of the catalogue at a time, each of which the server is asked about. */
const pageSize = 500;

export function databases(of: Surroundings): Databases & { find(name: string): Promise<Found | undefined> } {
  const { catalogue, admin, settings, hostOf, isEmpty, clock } = of;

  /** What is there of a row. A create that a dead process began is completed, or taken back where nothing came of it. */
  const look = async (row: DatabaseRow): Promise<Found | undefined> => {
    if (row.state !== "creating") {
      const config = await admin.config(row.name, true);
      return config && { row, config };
    }
    const ours = [settings.firstKeysOf(row), ...(row.seed ? [row.seedKeys] : [])];
    for (const pause of [0, 20, 100, 300]) {
      await clock.sleep(pause);
      const config = await admin.config(row.name, false);
      if (!config) return undefined;
      if (ours.includes(config.jwt_key ?? undefined))
        return (await complete(row)) === "there" ? { row, config } : undefined;
      // Somebody else's, of the same name; or the server is just making it, and has not come to its settings.
    }
    return undefined;
  };

  /**
   * The last steps of a create. "taken": another one has the name meanwhile. "empty": the server was to copy what was at
   * some moment, and made an empty database, since it has no backup of then (tried on 0.24.32); it is taken back.
   */
  const complete = async (row: DatabaseRow): Promise<"there" | "taken" | "empty"> => {
    if (row.seed && !(await settings.apply(row, ownSettings(row)))) return "taken";
    if (row.seedAt !== undefined && (await isEmpty(row))) {
      await admin.remove(row.name);
      await catalogue.run(forget(row));
      return "empty";
    }
    // A copy's keys were noted when it was given them.
    const keys = row.seed ? undefined : settings.firstKeysOf(row);
    const [rows] = await catalogue.run(completeCreate(row, keys));
    return rows!.some(({ id }) => id === row.id) ? "there" : "taken";
  };

  const find = async (name: string): Promise<Found | undefined> => {
    const row = await catalogue.database(name);
    return row && look(row);
  };

  const shown = ({ row, config }: Found): PlatformDatabase => ({
    name: row.name,
    id: row.id,
    hostname: hostOf(row.name),
    group: row.group,
    archived: false,
    blockReads: config.block_reads,
    blockWrites: config.block_writes,
    deleteProtection: row.protected,
    parentId: row.parentId,
  });

  /** The row of the intent to create, ours or that of a process which has not come to an end; or "already-exists". */
  const intend = async (wanted: Omit<Parameters<typeof reserve>[0], "id">): Promise<DatabaseRow> => {
    const { name, group, seed, seedAt } = wanted;
    for (let tries = 1; tries <= 5; tries++) {
      const id = newId();
      const [, rows] = await catalogue.run(...reserve({ ...wanted, id }));
      const row = rows![0] && readDatabase(rows![0]);
      if (!row) throw noGroup(name, group);
      const isCopy = row.seed === seed?.name && row.parentId === seed?.id && row.seedAt === seedAt;
      if (row.id === id || (row.state === "creating" && row.group === group && isCopy)) return row;
      // Taken; or left behind by a process that died, or by a deletion past Tenantry.
      if (await look(row)) throw taken(name);
      await catalogue.run(forget(row));
    }
    throw taken(name);
  };

  return {
    find,

    async *listDatabases(filter = {}) {
      for (let after = ""; ;) {
        const [page] = await catalogue.run(selectDatabases(filter.group, after, pageSize));
        const rows = page!.map(readDatabase);
        for (const found of await Promise.all(rows.map(look))) if (found) yield shown(found);
        if (rows.length < pageSize) return;
        after = rows.at(-1)!.name;
      }
    },

    async getDatabase(name) {
      const found = await find(name);
      return found && shown(found);
    },

    async createDatabase({ name, group, seed, sizeLimit }) {
      const max_db_size = sizeLimit === undefined ? undefined : bytesOf(sizeLimit);
      const source = seed && (await find(seed.database))?.row;
      if (seed && !source) throw noSource(name, seed.database);
      const seedAt = seed?.timestamp;
      const row = await intend({ name, group, seed: source, seedAt, sizeLimit });
      try {
        if (source) await copy(source, row);
        else await admin.create(name, { jwt_key: settings.firstKeysOf(row), max_db_size });
      } catch (error) {
        // Somebody else was faster with the same intent, or has the name without one: which of them, `look` settles.
        if (hasCode(error, "already-exists")) await look(row).catch(() => undefined);
        else if (error instanceof TenantryError && error.whose === "yours" && !error.afterLostReply)
          await catalogue.run(forget(row)).catch(() => undefined);
        throw error;
      }
      const end = await complete(row);
      if (end === "empty") throw noBackup(row);
      if (end === "taken") {
        await admin.remove(name);
        throw new TenantryError("not-ready", `The name "${name}" was taken by another run in the same moment.`, {
          fix: "Try again.",
        });
      }
      const config = { block_reads: false, block_writes: false };
      return shown({ row, config });
    },

    unlisted: unlisted({ catalogue, admin, settings, look, shown }),

    async getConfiguration(name) {
      const found = await find(name);
      if (!found) return undefined;
      const { row, config } = found;
      return {
        blockReads: config.block_reads,
        blockWrites: config.block_writes,
        deleteProtection: row.protected,
        sizeLimit: tellSize(config["max_db_size"], row.sizeLimit),
      };
    },

    async configureDatabase(name, { blockReads, blockWrites, deleteProtection, allowedIps, sizeLimit }) {
      if (allowedIps) throw refuse("allowed addresses", "Restrict them in front of the server.");
      const change = {
        ...(blockReads === undefined ? {} : { block_reads: blockReads }),
        ...(blockWrites === undefined ? {} : { block_writes: blockWrites }),
        ...(sizeLimit === undefined ? {} : { max_db_size: bytesOf(sizeLimit) }),
      };
      const { row } = (await find(name)) ?? absent(name);
      if (Object.keys(change).length > 0 && !(await settings.apply(row, change))) absent(name);
      if (sizeLimit === undefined && deleteProtection === undefined) return;
      const sql = `UPDATE databases SET size_limit = coalesce(?, size_limit), protected = coalesce(?, protected)
        WHERE name = ? AND id = ?`;
      const kept = deleteProtection === undefined ? undefined : Number(deleteProtection);
      await catalogue.run({ sql, args: [sizeLimit, kept, name, row.id] });
    },

    async deleteDatabase(name) {
      const row = await catalogue.database(name);
      if (!row) return;
      // An intent to create that came to nothing is taken back; a namespace that is somebody else's stays.
      if (row.state === "creating" && !(await look(row))) return void (await catalogue.run(forget(row)));
      const sql = "UPDATE databases SET state = 'deleting' WHERE name = ? AND id = ? AND protected = 0 RETURNING id";
      const [marked] = await catalogue.run({ sql, args: [name, row.id] });
      if (marked!.length === 0) {
        if ((await catalogue.database(name))?.id !== row.id) return;
        throw new TenantryError("protected", `Could not delete database "${name}": it has delete protection.`, {
          fix: "Turn delete protection off first.",
        });
      }
      await admin.remove(name);
      await catalogue.run(forget({ ...row, state: "deleting" }));
    },
  };

  async function copy(source: DatabaseRow, row: DatabaseRow): Promise<void> {
    // The server looks among the namespaces that it has open only, so that what is there is looked for first.
    if (await admin.config(row.name, false)) throw taken(row.name);
    await admin.fork(source.name, row.name, row.seedAt);
  }
}

/** What a copy must not have from its source: it goes with rows and schema. */
function ownSettings({ sizeLimit }: DatabaseRow) {
  return { block_reads: false, block_writes: false, max_db_size: bytesOf(sizeLimit ?? "0") };
}

const absent = (name: string): never => {
  throw notFound(name);
};

const noBackup = ({ name, seed, seedAt }: DatabaseRow): TenantryError =>
  new TenantryError(
    "unsupported",
    `Could not create database "${name}" as a copy of "${seed}" as of ${seedAt}: the server's backups have nothing of it from then.`,
    { fix: "Choose a moment between the first backup of that database and now, at which it had tables." },
  );

const taken = (name: string): TenantryError =>
  new TenantryError("already-exists", `Could not create database "${name}": a namespace of that name exists already.`, {
    fix: "Choose another name, or take over what has it.",
  });

const noGroup = (name: string, group: string): TenantryError =>
  new TenantryError("group-not-found", `Could not create database "${name}": there is no group "${group}".`, {
    fix: "Create the group first, or correct its name.",
  });

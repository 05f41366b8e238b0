import { TenantryError, hasCode } from "../../platform/errors";
import type { Sql } from "../../platform/sql-connection";
import { inTurns } from "./turns";

/**
 * Which subject has which database. PerSQL calls a subject's database by a hash of its own, and no list tells the
 * subject; the call that does would make what is not there, and a token. So what it answered is kept, in a database of
 * ours. An index: what is lost of it comes back when the subject is next provisioned.
 */
export interface Catalogue {
  /** Every entry, by name. */
  entries(): Promise<ReadonlyMap<string, Entry>>;
  record(entry: Entry): Promise<void>;
}

export interface Entry {
  /** The subject, which is what everybody calls the database. */
  readonly name: string;
  readonly slug: string;
  readonly id: string;
}

export const catalogueName = "tenantry-catalogue";

const table =
  "CREATE TABLE IF NOT EXISTS databases (name TEXT PRIMARY KEY, slug TEXT NOT NULL, id TEXT NOT NULL) WITHOUT ROWID";
const insert = `INSERT OR REPLACE INTO databases (name, slug, id)
  SELECT value ->> 'name', value ->> 'slug', value ->> 'id' FROM json_each(?)`;
const select = { sql: "SELECT name, slug, id FROM databases", args: [] };

/** `open` opens its database; `make` sees to it that there is one. */
export function createCatalogue(open: () => Promise<Sql>, make: () => Promise<void>): Catalogue {
  let laidOut: Promise<void> | undefined;
  let waiting: Entry[] = [];

  const layOut = async (): Promise<void> => {
    await make();
    const sql = await open();
    await sql.ready();
    await sql.batch([table], "write", { idempotent: true });
  };

  const write = inTurns(async () => {
    const entries = waiting;
    waiting = [];
    laidOut ??= layOut();
    laidOut.catch(() => (laidOut = undefined));
    await laidOut;
    await (await open()).batch([{ sql: insert, args: [JSON.stringify(entries)] }], "write", { idempotent: true });
  });

  return {
    async entries() {
      try {
        const { rows } = await (await open()).execute(select, { idempotent: true });
        return new Map(rows.map((row) => [String(row["name"]), entryOf(row)]));
      } catch (error) {
        // Nothing was ever recorded: a run died between making the database and its table.
        if (error instanceof Error && error.message.includes("no such table: databases")) return new Map();
        if (!hasCode(error, "not-ready")) throw error;
        throw new TenantryError(
          "not-ready",
          `The database "${catalogueName}", which knows the tenants' databases, cannot be read.`,
          { fix: "Try again in a minute.", cause: error },
        );
      }
    },
    record(entry) {
      waiting.push(entry);
      return write();
    },
  };
}

const entryOf = (row: Record<string, unknown>): Entry => ({
  name: String(row["name"]),
  slug: String(row["slug"]),
  id: String(row["id"]),
});

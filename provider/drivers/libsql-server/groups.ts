import { TenantryError } from "../../platform/errors";
import type { Location, Platform, PlatformGroup } from "../../platform/platform";
import { type Catalogue, type GroupRow, newId, readDatabase, selectDatabases } from "./catalogue";
import { refuse } from "./unsupported";

type Groups = Pick<
  Platform,
  "listLocations" | "listGroups" | "getGroup" | "createGroup" | "configureGroup" | "deleteGroup"
>;

/** There is one place: where the server is. */
const location: Location = { code: "default", description: "where the server runs" };
/** Its registry's name, `tenantry-registry-<group>`, has to be one label of a host's name. */
const longestName = 45;

/** Groups are rows of the catalogue: a name that databases have in common, and a key that opens them all. */
export function groups(catalogue: Catalogue, deleteDatabase: Platform["deleteDatabase"]): Groups {
  const get = async (name: string): Promise<GroupRow | undefined> => (await catalogue.groups(name))[0];
  return {
    listLocations: async () => [location],

    listGroups: async () => (await catalogue.groups()).map(shown),

    async getGroup(name) {
      const row = await get(name);
      return row && shown(row);
    },

    async createGroup({ name, location: wanted, extensions }) {
      if (extensions) throw refuse("extensions for a group", "Start the server with --extensions-path.");
      if (wanted !== location.code) {
        throw new TenantryError("unknown-location", `There is no location "${wanted}".`, {
          fix: `Use "${location.code}": a libsql-server has one.`,
        });
      }
      if (name.length > longestName) {
        throw new TenantryError("invalid-input", `Could not create group "${name}": its name is too long.`, {
          fix: `On libsql-server a group's name has at most ${longestName} characters.`,
        });
      }
      const id = newId();
      const sql = `INSERT INTO groups (name, id, state, generation, protected) VALUES (?, ?, 'there', 1, 0)
        ON CONFLICT DO NOTHING`;
      const [, rows] = await catalogue.run(
        { sql, args: [name, id] },
        { sql: "SELECT id FROM groups WHERE name = ?", args: [name] },
      );
      if (rows![0]?.["id"] === id)
        return { name, id, location: location.code, archived: false, deleteProtection: false };
      throw new TenantryError("already-exists", `Could not create group "${name}": there is one of that name.`, {
        fix: "Choose another name, or take over what has it.",
      });
    },

    async configureGroup(name, { deleteProtection }) {
      const sql = "UPDATE groups SET protected = ? WHERE name = ? RETURNING id";
      const [rows] = await catalogue.run({ sql, args: [Number(deleteProtection), name] });
      if (rows!.length === 0) throw noGroup(name);
    },

    async deleteGroup(name) {
      const sql = `UPDATE groups SET state = 'deleting' WHERE name = ?1 AND protected = 0
        AND NOT EXISTS (SELECT 1 FROM databases WHERE group_name = ?1 AND protected = 1) RETURNING id`;
      const [marked] = await catalogue.run({ sql, args: [name] });
      if (marked!.length === 0) {
        if (!(await get(name))) return;
        throw new TenantryError(
          "protected",
          `Could not delete group "${name}": it, or a database in it, is protected.`,
          { fix: "Turn delete protection off first." },
        );
      }
      // Nothing is created in it any more.
      const [rows] = await catalogue.run(selectDatabases(name, "", 1_000_000));
      await Promise.all(rows!.map((row) => deleteDatabase(readDatabase(row).name)));
      const gone = `DELETE FROM groups WHERE name = ?1 AND state = 'deleting'
        AND NOT EXISTS (SELECT 1 FROM databases WHERE group_name = ?1)`;
      await catalogue.run({ sql: gone, args: [name] });
    },
  };
}

const shown = ({ name, id, protected: deleteProtection }: GroupRow): PlatformGroup => ({
  ...{ name, id, location: location.code, archived: false, deleteProtection },
});

export const noGroup = (name: string): TenantryError =>
  new TenantryError("group-not-found", `There is no group "${name}".`, {
    fix: "Create the group first, or correct its name.",
  });

import type { Platform, PlatformDatabase } from "../../platform/platform";
import type { AdminApi } from "./api";
import { type Catalogue, type DatabaseRow, forget, newId, readDatabase, reserve, takeOver } from "./catalogue";
import type { Found } from "./databases";
import { asPem } from "./keys";
import { catalogueName } from "./schema";
import type { Settings } from "./settings";

interface Surroundings {
  readonly catalogue: Catalogue;
  readonly admin: AdminApi;
  readonly settings: Settings;
  readonly look: (row: DatabaseRow) => Promise<Found | undefined>;
  readonly shown: (found: Found) => PlatformDatabase;
}

/** Namespaces that Tenantry did not make: the server tells of one by its name alone. */
export function unlisted({ catalogue, admin, settings, look, shown }: Surroundings): NonNullable<Platform["unlisted"]> {
  /** Its settings, where it is there and none of ours. */
  const stranger = async (name: string) => {
    if (name === catalogueName) return undefined;
    // First the server, then the catalogue: what somebody is making through it has its row by then.
    const config = await admin.config(name, true);
    const row = config && (await catalogue.database(name));
    if (!config || (row && (row.state !== "creating" || (await look(row))))) return undefined;
    return { row, config };
  };

  return {
    has: async (name) => (await stranger(name)) !== undefined,

    async take({ name, group }) {
      const found = await stranger(name);
      if (!found) return undefined;
      // An intent that came to nothing may be of another group, or a copy's.
      if (found.row) await catalogue.run(forget(found.row));
      const id = newId();
      const wanted = { name, id, group, seed: undefined, seedAt: undefined, sizeLimit: undefined };
      const [, rows] = await catalogue.run(...reserve(wanted));
      const row = rows![0] && readDatabase(rows![0]);
      if (row?.id !== id) return undefined;
      const { jwt_key: key } = found.config;
      const [taken] = await catalogue.run(takeOver(row, key ? asPem(key) : ""));
      const ours = taken!.length > 0 ? await catalogue.database(name) : undefined;
      if (!ours) return undefined;
      // Where that is not reached, the first token does it.
      await settings.settle(ours);
      return shown({ row: ours, config: found.config });
    },
  };
}

import type { DatabaseUsage } from "../../platform/account";
import type { Platform } from "../../platform/platform";
import type { AdminApi } from "./api";
import { type Catalogue, readDatabase, selectDatabases } from "./catalogue";

/** There is one key that may do everything, and no plan. */
export function account(catalogue: Catalogue, admin: AdminApi): Pick<Platform, "account" | "usage"> {
  return {
    async usage() {
      const [rows] = await catalogue.run(selectDatabases(undefined, "", 1_000_000));
      const there = rows!.map(readDatabase).filter(({ state }) => state === "there");
      const each = there.map(async ({ name, id }): Promise<DatabaseUsage | undefined> => {
        const stats = await admin.stats(name);
        return (
          stats && {
            id,
            rowsRead: stats.rows_read_count,
            rowsWritten: stats.rows_written_count,
            storageBytes: stats.storage_bytes_used,
            // A frame is a page with its header (libSQL: bottomless and replication frames).
            bytesSynced: (stats.embedded_replica_frames_replicated ?? 0) * 4_120,
          }
        );
      });
      return (await Promise.all(each)).filter((one) => one !== undefined);
    },

    async account() {
      await admin.ping();
      const [[databases], [groups]] = (await catalogue.run(
        { sql: "SELECT count(*) AS n FROM databases WHERE state = 'there'", args: [] },
        { sql: "SELECT count(*) AS n FROM groups", args: [] },
      )) as [[{ n: number }], [{ n: number }]];
      return {
        tokenExpiry: "never",
        grant: {
          name: "the admin key",
          scopes: "unrestricted",
          missing: [],
          enoughFor: "every deploy",
          organization: undefined,
          group: undefined,
        },
        plan: undefined,
        quotas: [
          { what: "databases", used: databases.n, limit: "unlimited" },
          { what: "groups", used: groups.n, limit: "unlimited" },
        ],
      };
    },
  };
}

import { pages } from "../../http/pagination";
import type { DatabaseConfiguration, Platform } from "../../platform/platform";
import type { Api } from "./api";
import { configuration, databasePage, named, oneDatabase, read } from "./wire";

type Databases = Pick<
  Platform,
  "listDatabases" | "getDatabase" | "createDatabase" | "getConfiguration" | "configureDatabase" | "deleteDatabase"
>;

/** The largest page that Turso's own CLI asks for. */
const pageSize = "1000";

export function tursoDatabases(api: Api): Databases {
  const at = (name: string) => `/databases/${encodeURIComponent(name)}`;
  return {
    listDatabases(filter = {}) {
      const fetchPage = async (cursor: string | undefined) => {
        const query = { group: filter.group, limit: pageSize, cursor };
        const doing = { doing: "list databases", kind: "look" } as const;
        return read(databasePage, await api.call(doing, { method: "GET", path: "/databases", query }));
      };
      return pages(fetchPage, { key: ({ id }) => id, where: api.where("GET", "/databases") });
    },

    async getDatabase(name) {
      const doing = { doing: `look up database "${name}"`, kind: "look" } as const;
      const answer = await api.find(doing, { method: "GET", path: at(name) });
      return answer && named(name, read(oneDatabase, answer), answer);
    },

    async createDatabase({ name, group, seed, sizeLimit }) {
      const body = {
        name,
        group,
        seed: seed && { type: "database", name: seed.database, timestamp: seed.timestamp },
        size_limit: sizeLimit,
      };
      const doing = { doing: `create database "${name}" in group "${group}"`, kind: "create-database" } as const;
      const answer = await api.call(doing, { method: "POST", path: "/databases", body });
      const made = named(name, read(oneDatabase, answer), answer);
      // The reply holds id, name and hostname only; the group is the one that was asked for.
      return { ...made, group: made.group ?? group };
    },

    async getConfiguration(name) {
      const doing = { doing: `read the configuration of database "${name}"`, kind: "look" } as const;
      const answer = await api.find(doing, { method: "GET", path: `${at(name)}/configuration` });
      return answer && read(configuration, answer);
    },

    async configureDatabase(name, change) {
      const body = wireConfiguration(change);
      if (Object.values(body).every((value) => value === undefined)) return;
      const doing = { doing: `configure database "${name}"`, kind: "change" } as const;
      await api.call(doing, { method: "PATCH", path: `${at(name)}/configuration`, body });
    },

    async deleteDatabase(name) {
      await api.find({ doing: `delete database "${name}"`, kind: "delete" }, { method: "DELETE", path: at(name) });
    },
  };
}

/** Only what is given: current databases refuse a PATCH for the mere presence of `size_limit`. */
function wireConfiguration(change: DatabaseConfiguration) {
  return {
    block_reads: change.blockReads,
    block_writes: change.blockWrites,
    delete_protection: change.deleteProtection,
    allowed_ips: change.allowedIps,
    size_limit: change.sizeLimit,
  };
}

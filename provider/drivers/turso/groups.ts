import { TenantryError, hasCode } from "../../platform/errors";
import type { Platform } from "../../platform/platform";
import type { Api } from "./api";
import { allGroups, named, oneGroup, read } from "./wire";

type Groups = Pick<Platform, "listGroups" | "getGroup" | "createGroup" | "configureGroup" | "deleteGroup">;

export function tursoGroups(api: Api, listLocations: Platform["listLocations"]): Groups {
  const at = (name: string) => `/groups/${encodeURIComponent(name)}`;
  return {
    async listGroups() {
      return read(
        allGroups,
        await api.call({ doing: "list groups", kind: "look" }, { method: "GET", path: "/groups" }),
      );
    },

    async getGroup(name) {
      const doing = { doing: `look up group "${name}"`, kind: "look" } as const;
      const answer = await api.find(doing, { method: "GET", path: at(name) });
      return answer && named(name, read(oneGroup, answer), answer);
    },

    async createGroup({ name, location, extensions }) {
      const doing = { doing: `create group "${name}" in "${location}"`, kind: "create-group" } as const;
      try {
        const body = { name, location, extensions };
        const answer = await api.call(doing, { method: "POST", path: "/groups", body });
        return named(name, read(oneGroup, answer), answer);
      } catch (error) {
        throw hasCode(error, "unknown-location") ? await withLocations(error, location, listLocations) : error;
      }
    },

    async configureGroup(name, { deleteProtection }) {
      const doing = { doing: `configure group "${name}"`, kind: "change" } as const;
      const body = { delete_protection: deleteProtection };
      await api.call(doing, { method: "PATCH", path: `${at(name)}/configuration`, body });
    },

    async deleteGroup(name) {
      await api.find({ doing: `delete group "${name}"`, kind: "delete" }, { method: "DELETE", path: at(name) });
    },
  };
}

/** Names the places there are; if they cannot be had, the platform's own words must do. */
async function withLocations(
  error: TenantryError,
  location: string,
  listLocations: Platform["listLocations"],
): Promise<TenantryError> {
  try {
    const codes = (await listLocations()).map(({ code }) => code).sort();
    return new TenantryError("unknown-location", `There is no location "${location}".`, {
      fix: `Use one of: ${codes.join(", ")}.`,
      platformText: error.platformText,
      requestId: error.requestId,
    });
  } catch {
    return error;
  }
}

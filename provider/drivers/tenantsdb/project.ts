import { TenantryError } from "../../platform/errors";
import type { Location, Platform, PlatformDatabase, PlatformGroup } from "../../platform/platform";
import type { Api } from "./api";

/** Where a project is; regions are a tenant's own affair (TenantsDB docs: L2 only). */
const anywhere: Location = { code: "default", description: "TenantsDB; a tenant's region is its own" };

export interface ProjectOptions {
  readonly api: Api;
  readonly project: string;
  listAll(): Promise<PlatformDatabase[]>;
}

type Project = Pick<
  Platform,
  "account" | "usage" | "listLocations" | "listGroups" | "getGroup" | "createGroup" | "configureGroup" | "deleteGroup"
>;

/** An API key is of one project, and that is the one group: a Group adopts it, and nothing here makes or deletes it. */
export function tenantsdbProject({ project, listAll }: ProjectOptions): Project {
  const group: PlatformGroup = {
    name: project,
    id: project,
    location: anywhere.code,
    archived: false,
    deleteProtection: undefined,
  };
  return {
    async account() {
      const used = (await listAll()).length;
      return {
        tokenExpiry: undefined,
        grant: undefined,
        plan: undefined,
        quotas: [
          { what: "databases", used, limit: undefined },
          { what: "groups", used: 1, limit: 1 },
        ],
      };
    },
    usage: async () => {
      throw new TenantryError("unsupported", "TenantsDB does not tell what each database used.", {
        fix: "Look at a tenant's metrics.",
      });
    },
    listLocations: async () => [anywhere],
    listGroups: async () => [group],
    getGroup: async (name) => (name === project ? group : undefined),
    async createGroup({ name }) {
      if (name === project) {
        throw new TenantryError("already-exists", `name: the project "${name}" is there.`, {
          fix: "Declare it as it is.",
        });
      }
      throw new TenantryError(
        "unsupported",
        `name: TenantsDB has no group "${name}": a Group there is the API key's project.`,
        { fix: `Declare it with name: "${project}", or make the project in TenantsDB and use its API key.` },
      );
    },
    async configureGroup() {
      throw new TenantryError("unsupported", "deleteProtection: TenantsDB has none.", {
        fix: 'Use Pulumi\'s "protect" option.',
      });
    },
    async deleteGroup(name) {
      if (name !== project) return;
      throw new TenantryError("unsupported", `${name}: Tenantry does not delete a project of TenantsDB.`, {
        fix: "Delete it in TenantsDB, which deletes every tenant in it.",
      });
    },
  };
}

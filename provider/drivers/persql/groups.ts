import { TenantryError } from "../../platform/errors";
import type { Platform, PlatformGroup } from "../../platform/platform";
import type { Api } from "./api";
import { unsupported } from "./problems";
import { regions } from "./regions";

type Groups = Pick<
  Platform,
  "listLocations" | "listGroups" | "getGroup" | "createGroup" | "configureGroup" | "deleteGroup"
>;

/** The one group is the namespace that the token belongs to. */
export function persqlGroups(api: Api): Groups {
  const namespace = async (): Promise<PlatformGroup> => {
    const { namespaceSlug, namespaceId } = await api.me();
    // No location: each of its databases may be elsewhere.
    return { name: namespaceSlug, id: namespaceId, location: "", archived: false, deleteProtection: undefined };
  };

  return {
    // The only one in which a tenant can be had: see `tenantRegion` in capabilities.ts.
    listLocations: async () => regions.filter(({ code }) => code === "auto"),
    listGroups: async () => [await namespace()],

    async getGroup(name) {
      const found = await namespace();
      return found.name === name ? found : undefined;
    },

    async createGroup({ name, location }) {
      requireAuto(location);
      const found = await namespace();
      if (found.name === name) {
        throw new TenantryError("already-exists", `The namespace "${name}" is there already.`, {
          fix: "Take it as it is.",
        });
      }
      throw unsupported(
        `makes namespaces in its console only, and the token's is "${found.name}"`,
        `Declare the Group with name: "${found.name}", or use a token of namespace "${name}".`,
      );
    },

    async configureGroup(name, { deleteProtection }) {
      if (deleteProtection) throw unsupported(`protects no namespace ("${name}")`, 'Use Pulumi\'s "protect" option.');
    },

    async deleteGroup(name) {
      if ((await namespace()).name !== name) return;
      throw unsupported(`deletes the namespace "${name}" in its console only`, "Delete it there.");
    },
  };
}

/** A word that PerSQL does not know would silently be "auto" there. */
function requireAuto(location: string): void {
  if (location === "auto") return;
  const region = regions.find(({ code }) => code === location);
  if (region) {
    throw unsupported(
      `takes a region (here "${location}", ${region.description}) for databases made in its console, and none for those of subjects`,
      'Use location: "auto".',
    );
  }
  const codes = regions.map(({ code }) => code).join(", ");
  throw new TenantryError("unknown-location", `location: PerSQL has no region "${location}" (it has ${codes}).`, {
    fix: 'Use location: "auto".',
  });
}

import { TenantryError } from "../../provider/platform/errors";
import type { Ground, Place } from "./ground";

/**
 * The group that a new tenant is made in: by the manifest's rules where there is a manifest; else the one that is named,
 * or the only one there is.
 */
export async function placeOf(ground: Ground, { group, geo, plan }: Place): Promise<string> {
  if (ground.place) return ground.place({ group, geo, plan });
  const ruled = geo === undefined ? (plan === undefined ? undefined : "plan") : "geo";
  if (ruled) {
    throw new TenantryError("invalid-input", `${ruled}: where it leads is written in a manifest, and there is none.`, {
      fix: "Pass `manifest` to createTenantry, or name the group.",
    });
  }
  if (group !== undefined) return group;
  const groups = (await ground.platform().listGroups()).map(({ name }) => name);
  if (groups.length === 1) return groups[0]!;
  throw new TenantryError(
    "invalid-input",
    `group: it is not said which${groups.length > 0 ? ` of ${groups.length}` : ""}.`,
    {
      fix:
        groups.length > 0
          ? `Pass group to provision or createTenantry: ${groups
              .slice(0, 5)
              .map((one) => `"${one}"`)
              .join(", ")}.`
          : "There is none yet: declare a Group, or make one with the platform's own tools.",
    },
  );
}

import { TenantryError } from "../../provider/platform/errors";
import type { Ground, Place, Placed } from "./ground";

/** What was found to be the only group: asked once. */
const onlyGroups = new WeakMap<Ground, string>();

/**
 * The group that a new tenant is made in: by the manifest's rules where there is a manifest; else the one that is named,
 * or the only one there is.
 */
export async function placeOf(ground: Ground, place: Place, otherwise: string | undefined): Promise<Placed> {
  const { group = otherwise, geo, plan } = place;
  if (ground.place) return ground.place(place, otherwise);
  const ruled = geo === undefined ? (plan === undefined ? undefined : "plan") : "geo";
  if (ruled) {
    throw new TenantryError("invalid-input", `${ruled}: where it leads is written in a manifest, and there is none.`, {
      fix: "Pass `manifest` to createTenantry, or name the group.",
    });
  }
  return { group: group ?? onlyGroups.get(ground) ?? (await onlyGroup(ground)) };
}

async function onlyGroup(ground: Ground): Promise<string> {
  const groups = (await ground.platform().listGroups()).map(({ name }) => name);
  if (groups.length === 1) {
    onlyGroups.set(ground, groups[0]!);
    return groups[0]!;
  }
  const some = groups.slice(0, 5).map((one) => `"${one}"`);
  const ofThem = groups.length > 0 ? ` of ${groups.length}` : "";
  throw new TenantryError("invalid-input", `group: it is not said which${ofThem}.`, {
    fix:
      groups.length > 0
        ? `Pass group to provision or createTenantry: ${some.join(", ")}.`
        : "There is none yet: declare a Group, or make one with the platform's own tools.",
  });
}

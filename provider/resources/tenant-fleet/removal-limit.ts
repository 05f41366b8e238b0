import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { count, someOf } from "./change-text";
import type { FleetChanges } from "./changes";
import type { TenantFleetInputs } from "./inputs";

/** How many tenants may go at once: as configured for the run, as declared, or 10, or 5 % of more. */
export const removalLimit = (
  { maxRemovals }: Pick<TenantFleetInputs, "maxRemovals">,
  { settings }: Context,
  tenants: number,
): number => settings.maxRemovals ?? maxRemovals ?? Math.max(10, Math.floor(tenants * 0.05));

/**
 * A manifest that lost its half is more likely a mistake than so many tenants to be deleted, and so is an empty one: that
 * needs a number that somebody has written.
 */
export function requireFewRemovals(
  { remove, replace }: Pick<FleetChanges, "remove" | "replace">,
  fleet: Pick<TenantFleetInputs, "maxRemovals" | "count">,
  context: Context,
  tenants: number,
): void {
  const leaving = [...remove.map(({ id }) => id), ...replace.map(({ tenant }) => tenant.id)];
  if (leaving.length === 0) return;
  const said = context.settings.maxRemovals ?? fleet.maxRemovals;
  const limit = fleet.count === 0 ? (said ?? 0) : removalLimit(fleet, context, tenants);
  if (leaving.length <= limit) return;
  const all = fleet.count === 0 ? "all " : "";
  throw new TenantryError(
    "too-many-removals",
    `tenants: ${all}${count(leaving.length)} of ${count(tenants)} tenants would be removed (more than ${limit}): ${someOf(leaving, 20)}.`,
    {
      fix:
        "Put them back; or, if they are to go, allow it for one run with " +
        `TENANTRY_MAX_REMOVALS=${leaving.length} in the environment.`,
    },
  );
}

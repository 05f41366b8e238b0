import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { successorOf } from "../handed-over";
import { count, someOf } from "./change-text";
import type { FleetChanges } from "./changes";
import type { TenantFleetInputs } from "./inputs";
import { type FleetRecord, isMade, ownerOf } from "./record";

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
export async function requireFewRemovals(
  { remove, replace }: Pick<FleetChanges, "remove" | "replace">,
  fleet: Pick<TenantFleetInputs, "self" | "maxRemovals" | "count">,
  context: Context,
  tenants: number,
): Promise<void> {
  const all = [...remove, ...replace.map(({ record }) => record)];
  if (all.length === 0) return;
  const said = context.settings.maxRemovals ?? fleet.maxRemovals;
  const limit = fleet.count === 0 ? (said ?? 0) : removalLimit(fleet, context, tenants);
  if (all.length <= limit) return;
  const leaving = await withoutHandedOver(all, fleet.self, context);
  if (leaving.length <= limit) return;
  const whole = fleet.count === 0 ? "all " : "";
  throw new TenantryError(
    "too-many-removals",
    `tenants: ${whole}${count(leaving.length)} of ${count(tenants)} tenants would be removed (more than ${limit}): ${someOf(leaving, 20)}.`,
    {
      fix:
        "Put them back; if another resource is to have them, run `npx tenantry move` first; or, if they are to go, allow it " +
        `for one run with TENANTRY_MAX_REMOVALS=${leaving.length} in the environment.`,
    },
  );
}

/** Ids of those that are not another's by now: who leaves on purpose keeps the data. */
async function withoutHandedOver(records: readonly FleetRecord[], self: string, context: Context): Promise<string[]> {
  const successors = await Promise.all(
    records.map(async (record) =>
      isMade(record)
        ? successorOf(context, ownerOf(record), { self, group: record.profile.group, name: record.name })
        : undefined,
    ),
  );
  return records.flatMap(({ id }, i) => (successors[i] === undefined ? [id] : []));
}

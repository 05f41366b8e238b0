import { TenantryError } from "../../../provider/platform/errors";
import { someOf } from "../../../provider/resources/tenant-fleet/change-text";
import { type FleetRecord, type MadeRecord, isMade } from "../../../provider/resources/tenant-fleet/record";
import type { KnownFleet } from "./fleets";
import { noSuchTenant } from "./show";

export interface Choice {
  readonly tenants?: readonly string[];
  readonly where?: Readonly<Record<string, string>>;
}

/**
 * Those who are meant and have a database; `left` tells of the others. Fails with "invalid-input" for a name that is no
 * tenant's, for one that has no database, and where nobody is left.
 */
export function choose(
  fleet: KnownFleet,
  { tenants, where = {} }: Choice,
): { readonly chosen: readonly MadeRecord[]; readonly left: readonly string[] } {
  const known = new Map(fleet.records.map((record) => [record.id, record]));
  const named = tenants?.map((id) => {
    const record = known.get(id);
    if (!record) throw noSuchTenant(id, [fleet]);
    if (!isThere(record))
      throw new TenantryError("database-not-found", `Tenant "${id}" has no database: ${record.state}.`, {
        fix: "Run `pulumi up` first.",
      });
    return record;
  });
  const meant = (named ?? fleet.records).filter(({ profile: { labels = {} } }) =>
    Object.entries(where).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value),
  );
  const chosen = meant.filter(isThere);
  const without = meant.filter((record) => !isThere(record)).map(({ id }) => id);
  if (chosen.length === 0) {
    throw new TenantryError("invalid-input", `No tenant of fleet "${fleet.name}" is meant by that.`, {
      fix: `\`tenantry fleet status ${fleet.name} --json\` lists them with their labels.`,
    });
  }
  return {
    chosen,
    left: without.length > 0 ? [`${without.length} without a database left out: ${someOf(without)}`] : [],
  };
}

const isThere = (record: FleetRecord): record is MadeRecord =>
  isMade(record) && record.state !== "expired" && record.state !== "gone";

import type { Context } from "../../context";
import { freshEnough } from "../../platform/listing";
import type { FleetTenant } from "../../rollout/fleet/waves";
import type { RolloutTenant } from "./inputs";

/** The tenants with their groups: as given, else as the platform lists them. One that is nowhere keeps an empty one. */
export async function fleetOf(context: Context, tenants: readonly RolloutTenant[]): Promise<FleetTenant[]> {
  const missing = tenants.some(({ group }) => group === undefined);
  const listed = missing ? (await context.listing.databases(freshEnough)).byName : undefined;
  return tenants.map((tenant) => ({ ...tenant, group: tenant.group ?? listed?.get(tenant.name)?.group ?? "" }));
}

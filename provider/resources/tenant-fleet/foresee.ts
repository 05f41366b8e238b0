import type { Context } from "../../context";
import type { Capabilities } from "../../platform/capabilities";
import { SqlError, TenantryError } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim } from "../../registry/claim";
import { inspectClaims } from "../../registry/inspect";
import { registryName, templateName } from "../../registry/reserved-names";
import { parseTemplateRef } from "../../rollout/template-ref";
import { refusalOf } from "../tenant-database/acquire";
import { count, someOf } from "./change-text";
import { type FleetAddress, databaseInputs } from "./record";
import type { RosterTenant } from "./roster";

/** A fleet that state does not have; `where` names it. */
export interface NewFleet extends FleetAddress {
  readonly where: string;
  readonly tenants: readonly RosterTenant[];
}

/** How many refusals are said in full. */
const shown = 5;

/**
 * What the platform would refuse new fleets, as far as it can be seen before the first write: names that somebody has, and
 * more databases than the plan has room for. Only reads; all tenants' groups must be there, or be about to be made.
 */
export async function foresee(fleets: readonly NewFleet[], context: Context): Promise<string[]> {
  const { byName } = await context.listing.databases();
  const groups = new Set(fleets.flatMap(({ tenants }) => tenants.map(({ group }) => group)));
  const claims = new Map<string, ReadonlyMap<string, Claim>>();
  for (const group of groups) claims.set(group, await claimsOf(group, byName, context));
  const made: RosterTenant[] = [];
  const problems = fleets.flatMap((fleet) => {
    const refused = fleet.tenants.flatMap((tenant) => {
      const present = byName.get(tenant.name);
      const refusal = refusalOf(databaseInputs(fleet, tenant), present, claims.get(tenant.group)?.get(tenant.name));
      if (!present) made.push(tenant);
      return refusal ? [`tenants.${tenant.id}.${refusal.message}`] : [];
    });
    if (refused.length <= 1) return refused.map((text) => `${fleet.where}: ${text}`);
    const rest = refused.length > shown ? [`and ${count(refused.length - shown)} more`] : [];
    const lines = [...refused.slice(0, shown), ...rest];
    return [`${fleet.where}: tenants: ${count(refused.length)} cannot have their names:\n  ${lines.join("\n  ")}`];
  });
  if (problems.length > 0) return problems;
  const shortage = await shortageOf(made, byName, context);
  return shortage === undefined ? [] : [`${someOf(fleets.map(({ where }) => where))}: tenants: ${shortage}`];
}

/** Claims of databases by name; none where there is no registry yet. */
async function claimsOf(
  group: string,
  byName: ReadonlyMap<string, PlatformDatabase>,
  context: Context,
): Promise<ReadonlyMap<string, Claim>> {
  const database = byName.get(registryName(group));
  if (!database) return new Map();
  try {
    const all = await inspectClaims(context.sql({ ...database, group }));
    return new Map(all.filter(({ kind }) => kind === "database").map((claim) => [claim.name, claim]));
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    // A run died between making the database and its tables.
    if (error.message.includes("no such table: claims")) return new Map();
    throw new TenantryError("unavailable", `The registry of group "${group}" cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}

/** What the platform does not tell is not foreseen. */
async function shortageOf(
  made: readonly RosterTenant[],
  byName: ReadonlyMap<string, PlatformDatabase>,
  { platform }: Context,
): Promise<string | undefined> {
  if (made.length === 0) return undefined;
  const account = await platform.account().catch((error: unknown) => {
    if (error instanceof TenantryError) return undefined;
    throw error;
  });
  const quota = account?.quotas.find(({ what }) => what === "databases");
  if (typeof quota?.limit !== "number") return undefined;
  const used = quota.used ?? byName.size;
  const room = Math.max(0, quota.limit - used);
  const own = ownOf(made, platform.capabilities).filter((name) => !byName.has(name)).length;
  if (made.length + own <= room) return undefined;
  const plan = account?.plan === undefined ? "the plan" : `the plan "${account.plan}"`;
  const whose = own === 0 ? "databases" : `databases, and ${count(own)} of Tenantry's own,`;
  return (
    `${count(made.length)} ${whose} would be made, and ${plan} has room for ${count(room)}: ` +
    `${count(used)} of ${count(quota.limit)} are used. Free some, upgrade the plan, or declare fewer tenants.`
  );
}

/** Names of the databases that Tenantry needs besides: a registry for each group, and what new tenants are copied from. */
function ownOf(tenants: readonly RosterTenant[], { seedFromDatabase }: Capabilities): string[] {
  const names = tenants.flatMap(({ group, schema, seed }) => {
    const template = schema === undefined || seed || !seedFromDatabase ? undefined : parseTemplateRef(schema);
    const copied = template?.start === "copy" ? [templateName(group, template.name, template.digest)] : [];
    return [registryName(group), ...copied];
  });
  return [...new Set(names)];
}

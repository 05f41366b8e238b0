import type { Context } from "../../context";
import { SqlError, TenantryError } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim } from "../../registry/claim";
import { inspectClaims } from "../../registry/inspect";
import { registryName } from "../../registry/reserved-names";
import { type NewDatabase, shortagesOf } from "../room";
import { refusalOf } from "../tenant-database/acquire";
import { count, someOf } from "./change-text";
import { type FleetAddress, databaseInputs } from "./record";
import type { RosterTenant } from "./roster";

/** A fleet that is new or changes; `where` names it. */
export interface DeclaredFleet extends FleetAddress {
  readonly where: string;
  readonly tenants: readonly RosterTenant[];
  /** State has it already. */
  readonly isThere?: boolean;
}

/** What else a program declares that state does not have; `where` names it. */
export interface NewThing {
  readonly where: string;
  readonly database?: NewDatabase;
  readonly group?: string;
}

/** How many refusals are said in full. */
const shown = 5;

/**
 * What the platform would refuse fleets, as far as it can be seen before the first write: names that somebody has, of new
 * ones, and more databases or groups than the plan has room for, those `beside` counted in. Only reads; all tenants' groups must be there, or be about to be made.
 */
export async function foresee(
  all: readonly DeclaredFleet[],
  context: Context,
  beside: readonly NewThing[] = [],
): Promise<string[]> {
  const { byName } = await context.listing.databases();
  const fleets = all.filter(({ isThere }) => !isThere);
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
  const grown = all
    .filter(({ isThere }) => isThere)
    .map((fleet) => ({ ...fleet, tenants: fleet.tenants.filter((one) => !byName.has(one.name) && !mayBeOver(one)) }))
    .filter(({ tenants }) => tenants.length > 0);
  const where = [...[...fleets, ...grown].map((fleet) => `${fleet.where}: tenants`), ...beside.map((one) => one.where)];
  const more = grown.flatMap(({ tenants }) => tenants);
  const databases = [...made, ...more, ...beside.flatMap(({ database }) => database ?? [])];
  const things = { databases, groups: beside.flatMap(({ group }) => group ?? []) };
  return (await shortagesOf(things, context)).map((shortage) => `${someOf(where)}: ${shortage}`);
}

/** Only state tells who of a fleet has been made: one whose time is over is not there, and is not made again. */
const mayBeOver = ({ expiresIn, expiresAt }: RosterTenant): boolean =>
  (expiresIn !== undefined && expiresIn !== "never") ||
  (expiresAt !== undefined && Date.parse(expiresAt) <= Date.now());

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

import { didYouMean } from "../../provider/platform/did-you-mean";
import { TenantryError, hasCode } from "../../provider/platform/errors";
import { isReserved } from "../../provider/registry/own-names";
import type { KnownTenant } from "./tenant-list";

/** Among more than so many nobody is looked for who may have been meant: ids can come from a request. */
const few = 1_000;

export function noTenant(tenant: string, known: Readonly<Record<string, KnownTenant>>): TenantryError {
  const ids = Object.keys(known);
  const guess = ids.length <= few ? didYouMean(tenant, ids) : undefined;
  return new TenantryError("database-not-found", `There is no tenant "${tenant}".`, {
    fix: guess ? `Did you mean "${guess}"?` : "Check its id; a new one is made by provision, or by a deploy.",
  });
}

/** An application may take ids from a request: they lead to no database of Tenantry's own, and to no other path. */
export function requireTenantName(name: string, tenant: string, known: Readonly<Record<string, KnownTenant>>): void {
  if (isReserved(name.toLowerCase()) || /^\.{0,2}$/.test(name)) throw noTenant(tenant, known);
}

/** What to say instead of a failure to open a tenant that is not there, or that the application's own list does not have. */
export function explained(error: unknown, tenant: string, known: Readonly<Record<string, KnownTenant>>): unknown {
  if (Object.hasOwn(known, tenant)) return error;
  const isUnlisted = Object.keys(known).length > 0 && hasCode(error, "not-configured", "credentials-missing");
  return isUnlisted || hasCode(error, "database-not-found") ? noTenant(tenant, known) : error;
}

/** What a fleet's tenants cannot have, by the property that somebody would write, and the way to it. */
const ownWays: Readonly<Record<string, string>> = {
  restoreFrom:
    "a fleet does not restore its tenants; hand this one over with `npx tenantry move <database> --to-resources`, declare it " +
    "as a TenantDatabase, and give that one restoreFrom",
};

/** A sentence for a property of a tenant that a fleet has not; undefined: nothing is known of it. */
export const ownWayOf = (key: string): string | undefined => ownWays[key];

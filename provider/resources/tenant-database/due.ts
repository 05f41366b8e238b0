import type { TenantDatabaseInputs } from "./inputs";

/**
 * When a reaper may delete the database: what the registry records of a tenant's end. What is to be retained has an end in
 * its outputs only, since removing it leaves the database too.
 */
export function dueOf(
  { deletionPolicy }: Pick<TenantDatabaseInputs, "deletionPolicy">,
  expiresAt: string | undefined,
): string | undefined {
  return deletionPolicy === "retain" ? undefined : expiresAt;
}

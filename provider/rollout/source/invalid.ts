import { TenantryError } from "../../platform/errors";

/** What is wrong with the user's migrations, and what to do about it. */
export const invalid = (what: string, fix: string): TenantryError =>
  new TenantryError("migration-invalid", `migrations: ${what}`, { fix });

import type { TenantDatabaseInputs } from "./inputs";
import { graceOf } from "./trash";

/**
 * When a reaper may delete the database: what the registry records of a tenant's end. What is to be retained has an end in
 * its outputs only, since removing it leaves the database too; what is deleted softly has its grace period after it.
 */
export function dueOf(
  inputs: Pick<TenantDatabaseInputs, "deletionPolicy" | "gracePeriod">,
  expiresAt: string | undefined,
): string | undefined {
  if (expiresAt === undefined || inputs.deletionPolicy === "retain") return undefined;
  if (inputs.deletionPolicy !== "soft") return expiresAt;
  return new Date(Date.parse(expiresAt) + graceOf(inputs)).toISOString();
}

import { TenantryError } from "../../platform/errors";

/** What check refuses already, for callers that do not check. */
export const refuse = (what: string, fix: string): TenantryError =>
  new TenantryError("unsupported", `libsql-server has no ${what}.`, { fix });

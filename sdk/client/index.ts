/** The run-time library, for applications: no Pulumi. */
export { type EnsureSchemaOptions, type EnsuredSchema, ensureSchema } from "./ensure-schema";
export { type TenantryOptions, createTenantry } from "./create-tenantry";
export type { ConnectionStringOptions } from "./connection-string";
export type { CacheSettings, Client, Defaults, Tenant, Tenantry } from "./tenantry";
export type { ForEachOptions, TenantInfo, TenantResult, Where } from "./for-each-tenant";
export type { Sources } from "./tenant-access";
export type { KnownTenant } from "./tenant-list";
export type { TenantUsage, Usage } from "./usage";
export type { DeprovisionOptions, Deprovisioned } from "./deprovision";
export type { ProvisionOptions, Provisioned } from "./provision";
export type { TenantToken } from "./token-keeper";
export { subjectName } from "./subject";
export { TenantryError } from "../../provider/platform/errors";

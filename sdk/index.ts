/** Tenant databases as code. See the README for a program of 20 lines and for every default. */
export { ApiToken, type ApiTokenArgs } from "./api-token";
export { DatabaseToken, type DatabaseTokenArgs } from "./database-token";
export { Group, type GroupArgs } from "./group";
export { Invite, type InviteArgs } from "./invite";
export { type LookupOptions, type TenantDatabaseInfo, getLocations, getTenantDatabase, listTenants } from "./lookup";
export { Member, type MemberArgs } from "./member";
export { PreviewBranch, type PreviewBranchArgs, type PreviewSource, type PreviewedTenant } from "./preview-branch";
export { type SchemaDifference, type SchemaDriftOptions, type TenantDrift, getSchemaDrift } from "./schema-drift";
export {
  type LabelSelector,
  type RolloutCounts,
  SchemaRollout,
  type SchemaRolloutArgs,
  type UnfinishedTenant,
} from "./schema-rollout";
export { SchemaTemplate, type SchemaTemplateArgs } from "./schema-template";
export { TenantDatabase, type TenantDatabaseArgs, type TenantRestore } from "./tenant-database";
export {
  type FleetRolloutArgs,
  type FleetTenant,
  type FleetTenantArgs,
  TenantFleet,
  type TenantFleetArgs,
} from "./tenant-fleet";

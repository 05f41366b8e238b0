import type { Capabilities } from "../../platform/capabilities";

/** What TenantsDB can do (TenantsDB docs: API reference). Its plans refuse some of it (L2); that is learned from the answer. */
export const tenantsdbCapabilities: Capabilities = {
  // Its API keys are of a project, and open no database; all tenants of a project share one password.
  tokenAccess: [],
  groupTokens: false,
  attach: false,
  longestToken: undefined,
  shortestToken: 1,
  rotation: "none",
  rotationGrace: false,
  // An API key is of one project, and that is the group.
  createsGroups: false,
  extensions: false,
  seedFromDatabase: false,
  seedAtTime: false,
  block: false,
  suspend: true,
  deleteProtection: false,
  allowedIps: false,
  sizeLimit: false,
  isolation: true,
  tenantRegion: true,
  severalDatabases: true,
  deletes: true,
  engines: ["postgresql", "mysql", "mongodb", "redis"],
  schemas: "deployments",
  dialects: ["postgresql"],
  // The docs do not say how long the trash is kept.
  keepsDeleted: 0,
  softDelete: true,
  backups: true,
  backupOnDemand: true,
  // A moment is for L2 only, which the driver looks at.
  restoreInPlace: ["backup", "timestamp"],
  restoreUndo: 86_400,
  logs: true,
  metrics: true,
  statistics: true,
  instances: false,
  comesBack: true,
  usage: false,
  directory: false,
  apiTokenScopes: [],
  names: {
    // With the blueprint before it, it is the name of a database of PostgreSQL, of which 63 characters count.
    maxLength: 48,
    pattern: /^(?!.*__)[a-z0-9_]+$/,
    rule: "lowercase letters, digits and single underscores, at most 48 characters",
    separator: "_",
  },
};

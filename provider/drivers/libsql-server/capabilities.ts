import type { Capabilities } from "../../platform/capabilities";

/** What libsql-server can do (libSQL: libsql-server/src/http/admin, docs/ADMIN_API.md; tried on 0.24.32). */
export const libsqlServerCapabilities: Capabilities = {
  tokenAccess: ["read-only", "full-access"],
  groupTokens: true,
  attach: false,
  longestToken: undefined,
  shortestToken: 1,
  rotation: "database",
  // A namespace's jwt_key takes several keys (libSQL: libsql-server/src/auth/parsers.rs).
  rotationGrace: true,
  // The server knows no groups: they are rows of our own catalogue.
  createsGroups: true,
  extensions: false,
  seedFromDatabase: true,
  // Only with bottomless replication, and then as far back as that kept.
  seedAtTime: true,
  block: true,
  suspend: false,
  // The server has none: kept in the catalogue, and held by whoever deletes through Tenantry.
  deleteProtection: true,
  allowedIps: false,
  sizeLimit: true,
  isolation: false,
  tenantRegion: false,
  severalDatabases: false,
  deletes: true,
  engines: ["sqlite"],
  schemas: "migrations",
  dialects: ["sqlite"],
  keepsDeleted: 0,
  softDelete: false,
  backups: false,
  backupOnDemand: false,
  restoreInPlace: [],
  restoreUndo: 0,
  logs: false,
  metrics: false,
  statistics: false,
  instances: false,
  comesBack: true,
  usage: true,
  // A database is found by the first label of its host's name.
  directory: false,
  apiTokenScopes: [],
  names: {
    maxLength: 63,
    pattern: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/,
    rule: "lowercase letters, digits and dashes (not at an end), at most 63 characters",
  },
};

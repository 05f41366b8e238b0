import type { Capabilities } from "../../platform/capabilities";

/**
 * What the Turso Platform can do (Turso docs: Platform API reference). Its plans and current AWS databases refuse some
 * of it (size limits, attach, address lists); that is learned from the answer.
 */
export const tursoCapabilities: Capabilities = {
  tokenAccess: ["read-only", "full-access"],
  groupTokens: true,
  attach: true,
  // Turso docs: invalidating a database's tokens also invalidates those of its group.
  rotation: "group",
  rotationGrace: false,
  longestToken: undefined,
  shortestToken: 1,
  createsGroups: true,
  extensions: true,
  seedFromDatabase: true,
  seedAtTime: true,
  block: true,
  suspend: false,
  deleteProtection: true,
  allowedIps: true,
  sizeLimit: true,
  isolation: false,
  tenantRegion: false,
  severalDatabases: false,
  deletes: true,
  engines: ["sqlite"],
  schemas: "migrations",
  dialects: ["sqlite"],
  // Turso docs, "Recover deleted databases": paid plans, five days, by the database's id.
  keepsDeleted: 5 * 86_400,
  softDelete: false,
  // Turso docs, "Point-in-time recovery": a moment is had as a new database; backups have no names.
  backups: false,
  backupOnDemand: false,
  restoreInPlace: [],
  restoreUndo: 0,
  logs: false,
  metrics: true,
  statistics: true,
  instances: true,
  comesBack: true,
  usage: true,
  directory: true,
  // Turso docs, "Create API token".
  apiTokenScopes: [
    ...["read", "db:create", "db:delete", "db:configure", "db:mint-token", "db:rotate-creds"],
    ...["group:configure", "group:mint-token", "group:rotate-creds"],
  ],
  names: {
    maxLength: 64,
    pattern: /^[a-z0-9-]+$/,
    rule: "lowercase letters, digits and dashes, at most 64 characters",
  },
};

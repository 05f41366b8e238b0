import type { Capabilities } from "../../platform/capabilities";

/**
 * What PerSQL can do with a bearer token (PerSQL docs, the /v1 surface). Its migrations, snapshots, restores, archives,
 * forks, audit and lists of tokens are documented for the console's session cookie alone, and a deploy has none.
 */
export const persqlCapabilities: Capabilities = {
  // PerSQL docs: minted tokens read, or read and write rows; schema changes are for the namespace's own admin tokens.
  tokenAccess: ["read-only", "read-write"],
  groupTokens: false,
  attach: false,
  longestToken: 86_400,
  shortestToken: 60,
  // Revoking is documented nowhere but in the console.
  rotation: "none",
  rotationGrace: false,
  // A Group takes the namespace, which the token belongs to.
  createsGroups: false,
  extensions: false,
  // PerSQL docs: a template gives its tables and no rows, and with them not the rows that migrations write.
  seedFromDatabase: false,
  seedAtTime: false,
  block: false,
  suspend: false,
  deleteProtection: false,
  allowedIps: false,
  sizeLimit: false,
  isolation: false,
  // A region is documented for databases made in the console; the call that provisions by subject takes none.
  tenantRegion: false,
  severalDatabases: false,
  engines: ["sqlite"],
  schemas: "migrations",
  dialects: ["sqlite"],
  // No page documents a call for it that takes a token.
  deletes: false,
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
  usage: false,
  comesBack: true,
  directory: false,
  apiTokenScopes: [],
  names: {
    maxLength: 64,
    pattern: /^[a-z0-9-]+$/,
    rule: "lowercase letters, digits and dashes, at most 64 characters",
  },
};

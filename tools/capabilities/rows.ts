import { formatDuration } from "../../provider/duration";
import type { Capabilities } from "../../provider/platform/capabilities";

/** What only whoever runs the platform could prove: not in the table. */
export const toldFlags = ["keepsDeleted", "comesBack"] as const satisfies readonly (keyof Capabilities)[];

/** Proved by test/suites/driver-life.ts. */
export const lifeFlags = [
  ...(["softDelete", "backups", "backupOnDemand", "restoreInPlace", "restoreUndo"] as const),
  ...(["logs", "metrics", "statistics", "instances"] as const),
] as const satisfies readonly (keyof Capabilities)[];

/** Proved by test/suites/driver-capabilities.ts. */
export type ProvenFlag = Exclude<keyof Capabilities, (typeof toldFlags)[number] | LifeFlag>;
type LifeFlag = (typeof lifeFlags)[number];

/** A row of the README's table. Its cells are proved by the suites that every driver passes. */
interface CapabilityRow {
  readonly flag: ProvenFlag | LifeFlag;
  /** What a reader would look for. */
  readonly what: string;
  readonly cell: (capabilities: Capabilities) => string;
}

const yes = (can: boolean): string => (can ? "yes" : "–");
const plain = (flag: FlagOf<boolean>, what: string): CapabilityRow => ({ flag, what, cell: (its) => yes(its[flag]) });
type FlagOf<Value> = { [Key in ProvenFlag | LifeFlag]: Capabilities[Key] extends Value ? Key : never }[
  ProvenFlag | LifeFlag];

export const capabilityRows: readonly CapabilityRow[] = [
  plain("createsGroups", "groups are created and deleted (else: adopted)"),
  plain("extensions", "`extensions` of a group"),
  plain("seedFromDatabase", "`seed`, and new tenants as copies of a template"),
  plain("seedAtTime", "`seed.timestamp`: a copy as of then"),
  plain("block", "`blockReads`, `blockWrites`"),
  { flag: "suspend", what: "`suspended`", cell: ({ block, suspend }) => yes(block || suspend) },
  plain("deleteProtection", "`deleteProtection`"),
  plain("allowedIps", "`allowedIps`"),
  plain("sizeLimit", "`sizeLimit`"),
  plain("isolation", "`isolation`"),
  plain("tenantRegion", "`region` of one tenant"),
  plain("severalDatabases", "several `databases` of one tenant"),
  { flag: "engines", what: "engines of a tenant's databases", cell: ({ engines }) => engines.join(", ") },
  { flag: "dialects", what: "`dialect` of a SchemaTemplate", cell: ({ dialects }) => dialects.join(", ") },
  {
    flag: "schemas",
    what: "SchemaRollout, TenantFleet: canary, waves, dry run, destructive analysis, drift",
    cell: ({ schemas }) => (schemas === "migrations" ? "yes" : "– (the platform deploys to all tenants)"),
  },
  plain("deletes", '`deletionPolicy: "delete"`, `expiresAt` (else: retained)'),
  {
    flag: "softDelete",
    what: '`deletionPolicy: "soft"`',
    cell: ({ softDelete, block, suspend }) => (softDelete ? "yes" : block || suspend ? "suspended and kept" : "–"),
  },
  plain("backups", "backups are listed"),
  plain("backupOnDemand", "a backup at any moment"),
  { flag: "restoreInPlace", what: "`restoreFrom` in place", cell: ({ restoreInPlace: its }) => its.join(", ") || "–" },
  {
    flag: "restoreUndo",
    what: "a restore is undone within",
    cell: ({ restoreUndo }) => (restoreUndo > 0 ? formatDuration(restoreUndo) : "–"),
  },
  {
    flag: "tokenAccess",
    what: "rights of a `DatabaseToken`",
    cell: ({ tokenAccess }) => tokenAccess.map((access) => `\`${access}\``).join(", ") || "no tokens",
  },
  plain("groupTokens", "a token for a whole group"),
  {
    flag: "longestToken",
    what: "longest life of a token",
    cell: ({ longestToken, tokenAccess }) =>
      tokenAccess.length === 0 ? "–" : longestToken === undefined ? "for ever" : formatDuration(longestToken),
  },
  {
    flag: "shortestToken",
    what: "shortest life of a token",
    cell: ({ shortestToken, tokenAccess }) => (tokenAccess.length === 0 ? "–" : formatDuration(shortestToken)),
  },
  plain("attach", "`attach` of a token"),
  {
    flag: "rotation",
    what: "`rotate` of a token ends",
    cell: ({ rotation }) =>
      ({ database: "its database's tokens", group: "perhaps all of the group", none: "–" })[rotation],
  },
  plain("rotationGrace", "`rotateGrace`: tokens from before a rotation live on for a while"),
  plain("usage", "`tenantry usage`"),
  plain("logs", "logs of queries"),
  plain("metrics", "metrics of one database"),
  plain("statistics", "statistics of its queries"),
  plain("instances", "where it runs"),
  plain("directory", "`Member`, `Invite`, `ApiToken`"),
  {
    flag: "apiTokenScopes",
    what: "`scopes` of an `ApiToken`",
    cell: ({ apiTokenScopes }) => (apiTokenScopes.length > 0 ? `${apiTokenScopes.length}, in one group` : "–"),
  },
  { flag: "names", what: "names", cell: ({ names }) => names.rule },
];

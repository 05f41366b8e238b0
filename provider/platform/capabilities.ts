import type { Access, TenantEngine } from "./platform";

/**
 * What a platform can do, known without asking it. Code above a driver asks a flag, never which driver it is. What a
 * plan or an account refuses is learned from the platform's answer instead.
 */
export interface Capabilities {
  /** Token rights that can be minted. Without "read-write", rows-but-no-DDL tokens are refused at check. */
  readonly tokenAccess: readonly Access[];
  /** One token can open every database of a group. Without it a token for a group is refused at check, and each database has its own. */
  readonly groupTokens: boolean;
  /** Tokens may attach other databases. Default false. */
  readonly attach: boolean;
  /** The longest lifetime of a token, in seconds; undefined: any, and for ever. What is longer is refused at check. */
  readonly longestToken: number | undefined;
  /** The shortest, in seconds, which every platform that says nothing of it has as 1. What is shorter is refused at check. */
  readonly shortestToken: number;
  /**
   * What rotating one database's tokens may reach: "database" only that database's, "group" perhaps every token of its
   * group. Where it is "group", whom a rotation logs out is said first. "none": tokens end by themselves only, and `rotate`
   * is refused at check.
   */
  readonly rotation: "database" | "group" | "none";
  /** Tokens from before a rotation can be kept good for a while; without it `rotateGrace` is refused at check. */
  readonly rotationGrace: boolean;
  /** Groups can be created and deleted. Without it a Group takes one that exists for its own, and leaves it when it goes. */
  readonly createsGroups: boolean;
  /** SQLite extensions can be chosen for a group; without it `extensions` is refused at check. */
  readonly extensions: boolean;
  /** A new database can start as a copy of another one, in one call, within one group. Without it: migrated from empty. */
  readonly seedFromDatabase: boolean;
  /** A copy can be taken as of a past moment. */
  readonly seedAtTime: boolean;
  /** Reads and writes can be blocked, each by itself; without it `blockReads` and `blockWrites` are refused at check. */
  readonly block: boolean;
  /**
   * A tenant can be suspended as a whole: `configureDatabase` takes both blocks together, and a suspended one has both.
   * Where neither this nor `block` is there, `suspended` is refused at check.
   */
  readonly suspend: boolean;
  readonly deleteProtection: boolean;
  readonly allowedIps: boolean;
  readonly sizeLimit: boolean;
  /** Isolation level and region of a single tenant, and several databases a tenant; without them the inputs are refused. */
  readonly isolation: boolean;
  readonly tenantRegion: boolean;
  readonly severalDatabases: boolean;
  /**
   * Databases can be deleted. Without it "retain" is the default deletion policy and the only one, an end is refused at
   * check, and whatever is taken out of a program stays where it is until somebody deletes it in the platform's console.
   */
  readonly deletes: boolean;
  /** What a tenant's databases are: libSQL, opened with a token, or others, opened with a connection string. */
  readonly engines: readonly ("sqlite" | TenantEngine)[];
  /**
   * How a schema comes to tenants: "migrations" that Tenantry runs in each, with a ledger there, or "deployments" of a
   * blueprint by the platform itself, to all of its tenants at once. With these a SchemaTemplate states its dialect, it
   * goes forward only, and SchemaRollout (canary, waves, dry run, destructive analysis, drift) and TenantFleet are refused.
   */
  readonly schemas: "migrations" | "deployments";
  /** What a SchemaTemplate can be written in; the first one is meant where it says nothing. */
  readonly dialects: readonly ("sqlite" | TenantEngine)[];
  /** For how long whoever runs the platform can bring a deleted database back, in seconds; 0: not at all. */
  readonly keepsDeleted: number;
  /**
   * Deleting keeps the data for a while and can be undone by us; it is then the default deletion policy. Without it a soft
   * delete suspends the database and keeps it, where it can be suspended.
   */
  readonly softDelete: boolean;
  /** Backups can be listed, and taken at any moment. */
  readonly backups: boolean;
  readonly backupOnDemand: boolean;
  /** What a database can be put back to where it is. With `seedAtTime` a moment can be had as a copy. */
  readonly restoreInPlace: readonly ("backup" | "timestamp")[];
  /** For how long a restore in place can be undone, in seconds; 0: not at all. */
  readonly restoreUndo: number;
  /** What can be read of a tenant: its queries one by one, what it uses, what its queries cost, and where it runs. */
  readonly logs: boolean;
  readonly metrics: boolean;
  readonly statistics: boolean;
  readonly instances: boolean;
  /**
   * Somebody sees to it that it comes back when nobody answers there, so that half a minute is waited. Without it whoever
   * reads the error is to start it, and is told within seconds.
   */
  readonly comesBack: boolean;
  /** What each database used is counted, and told. */
  readonly usage: boolean;
  /** The platform's `directory` is there: members, invites, API tokens, audit log, plan. Without it Member, Invite and ApiToken are refused at check. */
  readonly directory: boolean;
  /** What an API token that is limited to a group can be allowed, in the platform's words. */
  readonly apiTokenScopes: readonly string[];
  /** Longest name of a database or a group, and the rule in words and as a pattern. */
  readonly names: {
    readonly maxLength: number;
    readonly pattern: RegExp;
    readonly rule: string;
    /** What stands between the words of a default name. Default "-". */
    readonly separator?: "-" | "_";
  };
}

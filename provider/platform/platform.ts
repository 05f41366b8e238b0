/**
 * The port: what Tenantry asks of a platform that hosts tenant databases. A driver is a function from options to an
 * object of this shape. Absence is `undefined` at this edge, refusals are TenantryErrors with a code, and every method
 * may be called again after a lost reply.
 */
import type { Account, DatabaseUsage } from "./account";
import type { TokenFor } from "./bearer";
import type { Capabilities } from "./capabilities";
import type { Deployments } from "./deployments";
import type { Directory } from "./directory";
import type { Life } from "./life";
import type { Sql } from "./sql-connection";

/** Where a piece of state lives. Two scopes are the same place when `scopeText` gives the same text. */
export interface Scope {
  readonly platform: PlatformName;
  /** The organization's slug; for the embedded platform the identity of its folder. */
  readonly organization: string;
  /** Host (and port, if not the default) of the control plane; empty for the embedded platform, which may move. */
  readonly host: string;
}

export type PlatformName = "turso" | "local" | "libsql-server" | "persql" | "tenantsdb";

export function scopeText(scope: Scope): string {
  return `${scope.platform}:${scope.organization}${scope.host ? `@${scope.host}` : ""}`;
}

export interface Location {
  readonly code: string;
  readonly description: string;
}

export interface PlatformGroup {
  readonly name: string;
  readonly id: string;
  readonly location: string;
  readonly archived: boolean;
  /** Undefined where the platform's reply did not say. */
  readonly deleteProtection: boolean | undefined;
}

export interface GroupSpec {
  readonly name: string;
  readonly location: string;
  readonly extensions?: "all" | readonly string[];
}

export interface PlatformDatabase {
  readonly name: string;
  readonly id: string;
  readonly hostname: string;
  /** Undefined where the platform's reply did not say (Turso's reply to create holds id, name and hostname only). */
  readonly group: string | undefined;
  readonly archived: boolean;
  readonly blockReads: boolean | undefined;
  readonly blockWrites: boolean | undefined;
  readonly deleteProtection: boolean | undefined;
  /** The database that this one was seeded from, where the platform tells. */
  readonly parentId: string | undefined;
  /** The databases that the tenant is made of, where those are not one of SQLite. */
  readonly parts?: readonly TenantPart[];
}

export type TenantEngine = "postgresql" | "mysql" | "mongodb" | "redis";

/** Which database a tenant is to have: of which blueprint, and where. */
export interface PartSpec {
  readonly blueprint: string;
  /** Shared with others, or a machine of its own. Default "L1". */
  readonly isolation?: string;
  readonly region?: string;
}

export interface TenantPart extends PartSpec {
  /** Undefined: the platform told none that is known. */
  readonly engine: TenantEngine | undefined;
  readonly region: string | undefined;
  readonly isolation: string | undefined;
  /** The blueprint's, as the platform numbers it. */
  readonly version: string | undefined;
  /** What a client takes, with its password, secret; undefined where the platform does not show it. */
  readonly connectionString: string | undefined;
}

export interface DatabaseSpec {
  readonly name: string;
  readonly group: string;
  readonly seed?: { readonly database: string; readonly timestamp?: string };
  /** Bytes or with a unit, e.g. "256mb". Sent only when given: current Turso databases refuse it. */
  readonly sizeLimit?: string;
  /** `severalDatabases`: what the tenant is made of. */
  readonly parts?: readonly PartSpec[];
}

/**
 * What can change on a living database. A field that is absent stays as it is; an empty list clears. Where a platform can
 * only `suspend`, both blocks come together.
 */
export interface DatabaseConfiguration {
  readonly blockReads?: boolean;
  readonly blockWrites?: boolean;
  readonly deleteProtection?: boolean;
  readonly allowedIps?: readonly string[];
  readonly sizeLimit?: string;
}

export type TokenSubject = { readonly database: string } | { readonly group: string };
export type Access = "read-only" | "read-write" | "full-access";

export interface TokenSpec {
  readonly access: Access;
  /** Lifetime in seconds; undefined: never expires. */
  readonly lifetime: number | undefined;
  /** Names of databases that this token may attach, where the platform can. */
  readonly attach?: readonly string[];
}

export interface RotateOptions {
  readonly keepFor?: number;
}

export interface MintedToken {
  readonly token: string;
  /** When the token stops working, read from the token itself; undefined: never. */
  readonly expiresAt: Date | undefined;
}

export interface MoveOptions {
  /** In ms; default half an hour. */
  readonly deadline?: number;
  readonly onStatus?: (status: string) => void;
}

export interface OpenSqlOptions {
  /** What will be asked of it at most. */
  readonly access: Access;
  /** The database's own, with which an application speaks. Default: the driver's credential, or one that it gets with that. */
  readonly token?: TokenFor;
  /** No request leaves any more once it is aborted. */
  readonly signal?: AbortSignal;
}

export interface Platform extends Life {
  readonly name: PlatformName;
  readonly capabilities: Capabilities;

  /** Where this driver works. For the embedded platform it asks the server once for its folder's identity. */
  scope(): Promise<Scope>;
  /** The same as far as it can be told without I/O, for diff; undefined where only the platform knows. */
  knownScope(): Scope | undefined;
  /** The credential's validity and rights, and the plan's quotas, as far as the platform tells. */
  account(): Promise<Account>;
  /** Of every database, in one call. */
  usage(): Promise<DatabaseUsage[]>;
  /** Every place a group can be put in, code and description. */
  listLocations(): Promise<Location[]>;

  listGroups(): Promise<PlatformGroup[]>;
  getGroup(name: string): Promise<PlatformGroup | undefined>;
  /** Fails with "already-exists" when the name is taken. */
  createGroup(spec: GroupSpec): Promise<PlatformGroup>;
  configureGroup(name: string, change: { readonly deleteProtection: boolean }): Promise<void>;
  /** Deletes the group and every database in it. Absence is success. */
  deleteGroup(name: string): Promise<void>;

  /** All databases of the organization (or of one group), page by page; `signal`-free: iterate only as far as needed. */
  /** Databases that the platform has and cannot list, so that they are found by their names alone. Absent: it lists all. */
  readonly unlisted?: {
    has(name: string): Promise<boolean>;
    /**
     * From then on it is listed, in that group; its tokens go on opening it until they are rotated. Undefined: there is
     * none of that name, or it is listed.
     */
    take(of: { readonly name: string; readonly group: string }): Promise<PlatformDatabase | undefined>;
  };
  listDatabases(filter?: { readonly group?: string }): AsyncIterable<PlatformDatabase>;
  getDatabase(name: string): Promise<PlatformDatabase | undefined>;
  /**
   * Creates and returns at once: the database may not answer SQL yet. Fails with "already-exists" when the name is
   * taken; `maybeOurs` on that error's details is not known here, so the caller decides by its own records.
   */
  createDatabase(spec: DatabaseSpec): Promise<PlatformDatabase>;
  /**
   * Waits until a new database is there, where making one goes on for minutes. Absent: it is there when it answers SQL.
   * `deadline` in ms.
   */
  awaitDatabase?(name: string, deadline: number, onStatus?: (status: string) => void): Promise<PlatformDatabase>;
  /** `isolation`, `tenantRegion`: puts one of a tenant's databases somewhere else, and waits until it is there. */
  movePart?(name: string, part: PartSpec, options?: MoveOptions): Promise<void>;
  getConfiguration(name: string): Promise<DatabaseConfiguration | undefined>;
  /** Sends exactly the fields given. */
  configureDatabase(name: string, change: DatabaseConfiguration): Promise<void>;
  /** Absence is success. Fails with "protected" when delete protection is on. */
  deleteDatabase(name: string): Promise<void>;

  /** After a lost reply it is asked again: a token that nobody got may then live on until it expires. */
  mintToken(subject: TokenSubject, spec: TokenSpec): Promise<MintedToken>;
  /**
   * Makes every token of the subject invalid that was minted before the call; see `capabilities.rotation` for whom else
   * that may log out. It is asked again after a lost reply, so that a token minted while the call runs may be invalid too:
   * mint when it has returned. Not asking again would leave it to a later deploy to rotate a second time, with more to lose.
   *
   * `keepFor`, in seconds: they stay good for so long, where `capabilities.rotationGrace` says so; elsewhere it is
   * refused with "unsupported"; while an earlier rotation's time is not over, until the later of both. They end when
   * Tenantry next mints a token for the database or its group, not before.
   */
  rotateTokens(subject: TokenSubject, options?: RotateOptions): Promise<void>;

  /** `schemas` "deployments": how the platform brings a schema to tenants. */
  readonly deployments?: Deployments;

  /** `directory`: the organization beside its databases. */
  readonly directory?: Directory;

  /** The address clients connect to, from the platform's own hostname and the configured template; no I/O. */
  databaseUrl(database: { readonly name: string; readonly hostname: string }): string;

  /**
   * SQL on a database, where that does not speak libSQL over HTTP; absent where it does, and clients of `@libsql/client`
   * open the address with a minted token. `url` is what `databaseUrl` says. No I/O; to be closed by the caller.
   */
  openSql?(database: { readonly name: string; readonly url: string }, options: OpenSqlOptions): Sql;
}

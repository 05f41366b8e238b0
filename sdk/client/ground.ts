import type { Access, DatabaseConfiguration, Platform } from "../../provider/platform/platform";
import type { Sql } from "../../provider/platform/sql";

/** What the run-time library stands on. Node and edge runtimes have each their own. */
export interface Ground {
  /** The platform as configured. Fails where it is not: an application with addresses and tokens of its own needs none. */
  readonly platform: () => Platform;
  /** The names of Tenantry's own databases; a hash is not to be had at once everywhere. */
  readonly registryName: (group: string) => string | Promise<string>;
  readonly templateName: (group: string, template: string, digest: string) => string | Promise<string>;
  /** What a new tenant begins with, by its name or its `ref`. Fails where there is none of that name. */
  readonly template: (text: string) => Template;
  /** By the manifest's rules, `otherwise` where they name no group; undefined: there is no manifest. */
  readonly place?: (request: Place, otherwise: string | undefined) => Placed;
}

export interface Place {
  readonly group?: string;
  readonly geo?: string;
  readonly plan?: string;
}

/** Where a tenant is put, and what its plan gives it. */
export interface Placed {
  readonly group: string;
  readonly template?: string;
  readonly access?: Access;
  readonly tokenTtl?: string;
  /** When a new database may be deleted, in ms since 1970. */
  readonly end?: number;
  /** What a new database is configured with. */
  readonly configuration?: DatabaseConfiguration;
}

export interface Template {
  readonly name: string;
  /** Id of its last migration. */
  readonly version: string;
  readonly digest: string;
  /** New tenants are copied from a template database, where the platform can. */
  readonly copied: boolean;
  /** Runs what the database lacks; undefined where its files cannot be read. */
  readonly bringUp?: (sql: Sql, database: string) => Promise<void>;
}

import type { RestoreRecord } from "../provider/resources/tenant-database/restore-point";
import * as pulumi from "./pulumi";
import { nameFrom } from "../provider/resources/name";
import { Group } from "./group";
import { type Need, joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf, withoutStacks } from "./remote";
import { SchemaTemplate } from "./schema-template";

/** One of several databases of a tenant. */
export interface TenantDatabasePart {
  blueprint: pulumi.Input<string>;
  /** @default the tenant's */
  isolation?: pulumi.Input<"L1" | "L2">;
  /** @default the tenant's */
  region?: pulumi.Input<string>;
  /**
   * A Redis string holds the project's API key, which opens every tenant: only true has it among the connectionStrings.
   * @default false
   */
  allowApiKey?: pulumi.Input<boolean>;
}

export interface TenantDatabaseArgs {
  /**
   * The database's name on the platform, unique in the organization. Lowercase letters, digits and dashes, at most 64.
   * @default the resource's name, made valid; kept when the resource is renamed with an alias
   */
  name?: pulumi.Input<string>;
  /** Your own id of the tenant, kept in the registry. */
  tenant?: pulumi.Input<string>;
  /**
   * Words by which a rollout's canary and waves find tenants, such as `{ ring: "beta" }`: at most 32, keys and values of 1
   * to 63 characters. They are recorded only.
   */
  labels?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** A Group of this program, or the name of a group that exists: a plain name refers without owning. */
  group: Group | pulumi.Input<string>;
  /**
   * The template whose schema the tenant gets: copied when the tenant is new, migrated afterwards (by a SchemaRollout,
   * where the template says so).
   */
  schema?: SchemaTemplate | pulumi.Input<string>;
  /** Start as a copy of another database of the group, now or as of `timestamp` (ISO 8601). Used at creation only. */
  seed?: pulumi.Input<{ database: pulumi.Input<string>; timestamp?: pulumi.Input<string> }>;
  /** Refuse all reads. @default left as it is */
  blockReads?: pulumi.Input<boolean>;
  /** Refuse all writes; lifted for as long as one of our own migrations takes. @default left as it is */
  blockWrites?: pulumi.Input<boolean>;
  /** Refuse reads and writes, keep the data. @default left as it is */
  suspended?: pulumi.Input<boolean>;
  /** The platform refuses to delete the database while this is true. @default left as it is */
  deleteProtection?: pulumi.Input<boolean>;
  /** Addresses or CIDR ranges that may connect; an empty list allows all. Paid plans of Turso. @default left as it is */
  allowedIps?: pulumi.Input<pulumi.Input<string>[]>;
  /** Such as "256mb". Current Turso databases refuse it. */
  sizeLimit?: pulumi.Input<string>;
  /**
   * TenantsDB: "L1" shares its machine with others, "L2" has one of its own. A change moves it, which takes minutes.
   * @default "L1"
   */
  isolation?: pulumi.Input<"L1" | "L2">;
  /** TenantsDB: where a tenant of isolation "L2" is, such as "eu-central". It cannot be read back. @default the platform's */
  region?: pulumi.Input<string>;
  /**
   * TenantsDB: the databases that the tenant is made of, one of each blueprint; they cannot become others later.
   * @default one, of the schema's blueprint
   */
  databases?: pulumi.Input<pulumi.Input<TenantDatabasePart>[]>;
  /**
   * What to do with a database of that name that exists already: "never" refuses, "unowned" takes it over as it is if no
   * other stack has it, "force" takes it from another one, "restore" takes it out of the trash, with all its rows.
   * @default "never"
   */
  adopt?: pulumi.Input<"never" | "unowned" | "force" | "restore">;
  /**
   * What a change does that the platform can only do with another database (name, group, connection): "error" refuses,
   * "copy" blocks writes, copies, compares and switches, "destroy" starts anew, empty. What a copy into another group or
   * connection leaves is closed, and kept for 7 days.
   * @default "error"
   */
  onReplace?: pulumi.Input<"error" | "copy" | "destroy">;
  /**
   * What removing the resource does to the database: "delete" it, "retain" it as it is, or "soft": it can be brought back
   * during `gracePeriod`, and keeps its name; `tenantry reap` deletes it afterwards.
   * @default "delete" for what this stack created, "retain" for what it adopted ("soft" instead of "delete" where a
   * platform has it)
   */
  deletionPolicy?: pulumi.Input<"delete" | "retain" | "soft">;
  /** How long what is deleted softly can be brought back, such as "30d". @default "7d" */
  gracePeriod?: pulumi.Input<string>;
  /** Lifetime from now, such as "14d"; once it is over `tenantry reap` deletes the database, and it is not made anew. */
  expiresIn?: pulumi.Input<string>;
  /** The same as a moment, ISO 8601. */
  expiresAt?: pulumi.Input<string>;
  /**
   * Goes back to a backup, or to a moment (ISO 8601), once for each `key`: in place where the platform can, else into a copy
   * beside it, which the deploy names and `tenantry reap` deletes after `gracePeriod`. Taking it out does nothing;
   * `{ undo: key }` undoes it while that is possible. @default none
   */
  restoreFrom?: pulumi.Input<
    | { backup?: pulumi.Input<string>; timestamp?: pulumi.Input<string>; key: pulumi.Input<string> }
    | { undo: pulumi.Input<string> }
  >;
  /**
   * How long to wait for a new database to answer, or for one to be provisioned or moved (TenantsDB).
   * @default { create: "60s" }, on TenantsDB { create: "15m" }
   */
  timeouts?: pulumi.Input<{ create?: pulumi.Input<string> }>;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/** A restore that was done; state keeps it, so that its key is not done again. */
export type TenantRestore = Omit<RestoreRecord, "copy">;

/**
 * One tenant's database.
 *
 * ```ts
 * const acme = new tenantry.TenantDatabase("acme", { group: eu, schema: app });
 * export const url = acme.url;
 * ```
 */
export class TenantDatabase extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly group: pulumi.Output<string>;
  /** As given; undefined where it was not. */
  declare readonly tenant: pulumi.Output<string> | undefined;
  /** As given; undefined where none were. */
  declare readonly labels: pulumi.Output<Record<string, string>> | undefined;
  /** The platform's id; it changes when the database is made anew under the same name. */
  declare readonly databaseId: pulumi.Output<string>;
  declare readonly hostname: pulumi.Output<string>;
  /** Where clients connect, such as "libsql://acme-org.aws-eu-west-1.turso.io". */
  declare readonly url: pulumi.Output<string>;
  /** Last migration that the database has; undefined without a schema. Under a rollout as of the last refresh. */
  declare readonly schemaVersion: pulumi.Output<string | undefined>;
  /** "ready", or "expired": its time was over and it is gone. */
  declare readonly status: pulumi.Output<"ready" | "expired">;
  /** When it ends, ISO 8601; undefined: never. */
  declare readonly expiresAt: pulumi.Output<string | undefined>;
  /**
   * Secret, by blueprint: what a client of PostgreSQL, MySQL, MongoDB or Redis takes. Undefined where the database is
   * libSQL, which `url` and a token open.
   */
  declare readonly connectionStrings: pulumi.Output<Record<string, string> | undefined>;
  /** What `restoreFrom` has done, the oldest first; undefined where the program does not mention that. */
  declare readonly restores: pulumi.Output<TenantRestore[] | undefined> | undefined;
  /** Where it lives: platform, organization and host. */
  declare readonly scope: pulumi.Output<string>;

  static override isInstance(value: unknown): value is TenantDatabase {
    return isKind(value, "tenantDatabase");
  }

  constructor(name: string, args: TenantDatabaseArgs, opts: pulumi.CustomResourceOptions = {}) {
    const need: Need | undefined =
      typeof args?.group === "string" ? { what: "group", value: args.group, where: `${name}: group` } : undefined;
    const inputs = {
      ...args,
      name: args?.name ?? nameFrom(name),
      nameIsDefault: args?.name === undefined || undefined,
      group: Group.isInstance(args?.group) ? args.group.name : args?.group,
      schema: SchemaTemplate.isInstance(args?.schema) ? args.schema.ref : args?.schema,
    };
    const restores = args?.restoreFrom === undefined ? {} : { restores: undefined };
    const registered = { ...computed, ...restores, ...remoteInputs("tenantDatabase", name, inputs, opts) };
    const stacks = withoutStacks();
    const additionalSecretOutputs = [...(opts.additionalSecretOutputs ?? []), "connectionStrings"];
    try {
      super(typeOf("tenantDatabase"), name, registered, { ...opts, additionalSecretOutputs });
    } finally {
      stacks.restore();
    }
    const { group, schema } = inputs;
    const database = { name: inputs.name, group, schema, seed: args?.seed };
    joinPreflight(args?.connection, this.scope, need, { id: this.id, thing: { where: name, database } });
  }
}

/** What a program can read; each costs it time (see `remoteInputs`), so that what only the provider reads is left out. */
const computed = {
  databaseId: undefined,
  hostname: undefined,
  url: undefined,
  schemaVersion: undefined,
  status: undefined,
  expiresAt: undefined,
  connectionStrings: undefined,
  scope: undefined,
};

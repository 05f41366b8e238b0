import * as pulumi from "./pulumi";
import { Group } from "./group";
import { joinPreflight } from "./preflight";
import { remoteInputs, typeOf, withoutStacks } from "./remote";
import { TenantDatabase } from "./tenant-database";

export interface DatabaseTokenArgs {
  /** The database it opens: a TenantDatabase, or a name. Give this or `group`. */
  database?: TenantDatabase | pulumi.Input<string>;
  /** The group whose databases it opens, present and future: a Group, or a name. */
  group?: Group | pulumi.Input<string>;
  /**
   * "read-only"; "read-write": rows but no schema changes, where the platform can (not Turso); "full-access".
   * @default "read-only"
   */
  access?: pulumi.Input<"read-only" | "read-write" | "full-access">;
  /** Lifetime, such as "12h" or "30d", or "never". @default "7d" */
  expiresIn?: pulumi.Input<string>;
  /** A deploy within this time of the end mints anew. @default a third of the lifetime */
  renewBefore?: pulumi.Input<string>;
  /** Names of databases that it may attach, for reading, where the platform can. */
  attach?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Any text; a change of it first makes all tokens of the database (on Turso those of its whole group) invalid, then
   * mints anew. The preview says whom it logs out.
   */
  rotate?: pulumi.Input<string>;
  /**
   * For how long tokens from before a rotation stay good, such as "1h", so that nobody is logged out who takes the new one
   * in time; where the platform can (libsql-server). They end when Tenantry first mints another one behind it.
   * @default they end at once
   */
  rotateGrace?: pulumi.Input<string>;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * A token with which an application opens a tenant's database. It is kept as a secret in state, minted once, and again
 * when an input changes, when it is about to end, or when the database was made anew. No platform revokes a single
 * token: removing the resource says until when it stays valid.
 *
 * ```ts
 * const reader = new tenantry.DatabaseToken("acme-reader", { database: acme, expiresIn: "30d" });
 * export const token = reader.token;
 * ```
 */
export class DatabaseToken extends pulumi.CustomResource {
  /** The token itself, secret. */
  declare readonly token: pulumi.Output<string>;
  /** When it stops working, ISO 8601; undefined: never. */
  declare readonly expiresAt: pulumi.Output<string | undefined>;
  /** The database it was minted for. */
  declare readonly databaseId: pulumi.Output<string | undefined>;

  constructor(name: string, args: DatabaseTokenArgs, opts: pulumi.CustomResourceOptions = {}) {
    const inputs = {
      ...args,
      database: TenantDatabase.isInstance(args?.database) ? args.database.name : args?.database,
      group: Group.isInstance(args?.group) ? args.group.name : args?.group,
    };
    const registered = { ...computed, ...remoteInputs("databaseToken", name, inputs, opts) };
    const additionalSecretOutputs = [...(opts.additionalSecretOutputs ?? []), "token"];
    const stacks = withoutStacks();
    try {
      super(typeOf("databaseToken"), name, registered, { ...opts, additionalSecretOutputs });
    } finally {
      stacks.restore();
    }
    joinPreflight(args?.connection, this.token);
  }
}

const computed = { token: undefined, expiresAt: undefined, databaseId: undefined };

import * as pulumi from "./pulumi";
import { joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf, withoutStacks } from "./remote";
import { SchemaTemplate } from "./schema-template";
import { TenantDatabase } from "./tenant-database";

/** A tenant's database: a TenantDatabase of this program, or the name of one that exists. */
export type PreviewSource = TenantDatabase | pulumi.Input<string>;

export interface PreviewBranchArgs {
  /** Whose databases are branched; all of them are in one group. */
  from: PreviewSource | PreviewSource[];
  /** "schema-only": no rows; "copy": all rows as they are; "masked": all rows, values by the rules of `mask`. */
  data: pulumi.Input<"schema-only" | "copy" | "masked">;
  /**
   * By table and column: "keep", "null", or "hash" (the same value has the same one everywhere). A column that is not named
   * is nulled; what rows hang on is hashed. For "masked", which needs it: `{}` shows nothing.
   */
  mask?: pulumi.Input<Record<string, pulumi.Input<Record<string, pulumi.Input<"keep" | "null" | "hash">>>>>;
  /** Whose migrations the branches are brought to the end of. @default none: they have their sources' schema */
  schema?: SchemaTemplate | pulumi.Input<string>;
  /**
   * Lifetime from the last `pulumi up` that changed or renewed them, such as "7d"; then `tenantry preview reap` deletes them.
   * "never" is a staging copy. @default "never"
   */
  expiresIn?: pulumi.Input<string>;
  /** Any text; a change of it makes all branches anew from their sources: what was written to them is gone then. */
  refresh?: pulumi.Input<string>;
  /** The moment that rows are of, ISO 8601, where the platform can (Turso). @default now */
  timestamp?: pulumi.Input<string>;
  /** What the tokens may do. @default "read-write" where the platform has that, else "full-access" */
  access?: pulumi.Input<"read-only" | "read-write" | "full-access">;
  /** Whose pull request it is, "owner/name", as `tenantry preview list` shows it. @default the resource's own address */
  repository?: pulumi.Input<string>;
  /** @default the number that the resource's name, or the stack's, ends with; else 1 */
  pullRequest?: pulumi.Input<number>;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * Branches of tenants' databases: databases of their own, with the rows of production or without, migrated to the program's
 * schema, opened by tokens that open nothing else. For teams with a stack for each pull request; without one, use
 * `tenantry preview up`. An `up` keeps their rows and migrates them; removing the resource deletes them. It fails where a
 * migration fails on a tenant's data, and names the tenant.
 *
 * ```ts
 * const app = new tenantry.SchemaTemplate("app", { migrations: "./migrations" });
 * const preview = new tenantry.PreviewBranch("pr-42", { from: ["acme", "globex"], data: "copy", schema: app, expiresIn: "7d" });
 * export const TENANTRY_PREVIEW = preview.preview;
 * ```
 */
export class PreviewBranch extends pulumi.CustomResource {
  /** By tenant: name, id, address, schema's version and state of its branch. */
  declare readonly branches: pulumi.Output<Record<string, PreviewedTenant>>;
  /** By tenant, what opens its branch and nothing else; secret. */
  declare readonly tokens: pulumi.Output<Record<string, string>>;
  /** The value of TENANTRY_PREVIEW for an application; secret. */
  declare readonly preview: pulumi.Output<string>;
  /** What `tenantry preview comment` reads, as JSON. */
  declare readonly report: pulumi.Output<string>;
  /** ISO 8601; undefined: without end. */
  declare readonly expiresAt: pulumi.Output<string | undefined>;

  static override isInstance(value: unknown): value is PreviewBranch {
    return isKind(value, "previewBranch");
  }

  constructor(name: string, args: PreviewBranchArgs, opts: pulumi.CustomResourceOptions = {}) {
    const from = args?.from;
    const inputs = {
      ...args,
      from: from === undefined ? from : (Array.isArray(from) ? from : [from]).map(sourceOf),
      schema: SchemaTemplate.isInstance(args?.schema) ? args.schema.ref : args?.schema,
    };
    const registered = { ...computed, ...remoteInputs("previewBranch", name, inputs, opts) };
    const additionalSecretOutputs = [...(opts.additionalSecretOutputs ?? []), "tokens", "preview"];
    const stacks = withoutStacks();
    try {
      super(typeOf("previewBranch"), name, registered, { ...opts, additionalSecretOutputs });
    } finally {
      stacks.restore();
    }
    joinPreflight(args?.connection, this.branches);
  }
}

export interface PreviewedTenant {
  readonly name: string;
  readonly databaseId: string;
  readonly url: string;
  /** Last migration that it has; undefined: none. */
  readonly schemaVersion?: string;
  readonly state: "ready" | "migration-failed" | "failed";
}

function sourceOf(source: PreviewSource): pulumi.Input<{ tenant: string; database: string }> {
  if (!TenantDatabase.isInstance(source)) {
    return pulumi.output(source).apply((database) => ({ tenant: database, database }));
  }
  const { name, tenant } = source;
  return pulumi.all([name, tenant]).apply(([database, id]) => ({ tenant: id ?? database, database }));
}

const computed = {
  branches: undefined,
  tokens: undefined,
  preview: undefined,
  report: undefined,
  expiresAt: undefined,
};

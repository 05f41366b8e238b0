import * as pulumi from "./pulumi";
import { Group } from "./group";
import { type Need, joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf, withoutStacks } from "./remote";
import { previewRollout } from "./rollout-preview";
import { SchemaTemplate } from "./schema-template";
import { TenantDatabase } from "./tenant-database";

/** Labels that a tenant must have, all of them: `{ ring: "canary" }`. */
export type LabelSelector = Record<string, pulumi.Input<string>>;

export interface SchemaRolloutArgs {
  /** The template that tenants are brought to the end of; it is declared with `migrate: "rollout"`. */
  schema: SchemaTemplate | pulumi.Input<string>;
  /**
   * Whom it goes over, in the order in which shares are counted: TenantDatabase resources of this program, or names of
   * databases that exist. Each once. A TenantFleet is none of them: it has a `rollout` of its own.
   */
  tenants: (TenantDatabase | pulumi.Input<string>)[] | pulumi.Input<pulumi.Input<string>[]>;
  /** The group of the tenants that are given by name. @default looked up for each */
  group?: Group | pulumi.Input<string>;
  /**
   * Who goes first, alone: these tenants, all with these labels, or so many of those that are behind. When one of them
   * fails, nobody else is touched. 0: nobody goes first.
   * @default 1
   */
  canary?: pulumi.Input<number> | LabelSelector | (TenantDatabase | pulumi.Input<string>)[];
  /**
   * Then, one after the other: all with these labels, or everybody up to a share of the fleet (0.1 is 10 %). Shares grow,
   * and together the waves hold everybody.
   * @default [1]
   */
  waves?: (pulumi.Input<number> | LabelSelector)[];
  /** Tenants at a time, 1 to 256. @default 16 */
  concurrency?: pulumi.Input<number>;
  /** How many may fail before no other is begun: a number, or a share of those that are behind ("5%"). @default 0 */
  maxFailures?: pulumi.Input<number | string>;
  /** Between two waves, such as "10m"; `pulumi up` waits. @default "0s" */
  pauseBetween?: pulumi.Input<string>;
  /**
   * "stop": who fails is tried again by the next `pulumi up`, and this one fails. "quarantine": who fails is left out until
   * it is released or the template changes, and `pulumi up` succeeds without it, up to `maxFailures`.
   * @default "stop"
   */
  onFailure?: pulumi.Input<"stop" | "quarantine">;
  /** For one tenant, such as "90s". @default "5m" */
  timeout?: pulumi.Input<string>;
  /** How long to wait for a database that somebody else keeps locked. @default "30s" */
  lockTimeout?: pulumi.Input<string>;
  /** Ids of migrations that may destroy data ("0012_drop_notes"). @default none */
  allowDestructive?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Whether the change is first tried, and taken back, on the canary and some others. When it fails on the canary, on all of
   * them, or on more than `maxFailures` allows, nobody is changed.
   * @default true
   */
  verify?: pulumi.Input<boolean>;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * Brings a schema change to many tenants: a canary first, then wave by wave, until too many fail. A preview shows who is
 * changed in which order. What is done stays done: after a failure, correct what failed and run `pulumi up` again.
 * Removing the resource changes no database.
 *
 * ```ts
 * const app = new tenantry.SchemaTemplate("app", { migrations: "./migrations", migrate: "rollout" });
 * const acme = new tenantry.TenantDatabase("acme", { group: "eu", schema: app, labels: { ring: "canary" } });
 * const globex = new tenantry.TenantDatabase("globex", { group: "eu", schema: app });
 * const rollout = new tenantry.SchemaRollout("app", {
 *   schema: app,
 *   tenants: [acme, globex],
 *   canary: { ring: "canary" },
 *   waves: [0.1, 0.5, 1],
 *   maxFailures: "5%",
 * });
 * export const schemaVersion = rollout.minSchemaVersion;
 * ```
 */
export class SchemaRollout extends pulumi.CustomResource {
  /** Last migration that every tenant has at least: what an application may rely on. Undefined: one has none, or is not known. */
  declare readonly minSchemaVersion: pulumi.Output<string | undefined>;
  /** Last migration of the template. */
  declare readonly targetVersion: pulumi.Output<string>;
  /** How many tenants are current, skipped, failed, quarantined, and unknown. */
  declare readonly counts: pulumi.Output<RolloutCounts>;
  /** Names of the tenants in quarantine. */
  declare readonly quarantined: pulumi.Output<string[]>;
  /** The first 50 tenants that are not at the template's version, and why. */
  declare readonly unfinished: pulumi.Output<UnfinishedTenant[]>;
  /** What the last `pulumi up` set out to do, in a few lines. */
  declare readonly plan: pulumi.Output<string>;

  static override isInstance(value: unknown): value is SchemaRollout {
    return isKind(value, "schemaRollout");
  }

  constructor(name: string, args: SchemaRolloutArgs, opts: pulumi.CustomResourceOptions = {}) {
    refuseFleets(name, args);
    const { group, ...policy } = args ?? {};
    const need: Need | undefined =
      typeof group === "string" ? { what: "group", value: group, where: `${name}: group` } : undefined;
    const inputs = {
      ...policy,
      schema: SchemaTemplate.isInstance(args?.schema) ? args.schema.ref : args?.schema,
      tenants: tenantsOf(args?.tenants, Group.isInstance(group) ? group.name : group),
      canary: Array.isArray(args?.canary) ? args.canary.map(nameOf) : args?.canary,
    };
    const registered = { ...computed, ...remoteInputs("schemaRollout", name, inputs, opts) };
    const stacks = withoutStacks();
    try {
      super(typeOf("schemaRollout"), name, registered, opts);
    } finally {
      stacks.restore();
    }
    joinPreflight(args?.connection, this.counts, need);
    const isDeclared = (tenant: unknown): boolean => TenantDatabase.isInstance(tenant);
    const declared = Array.isArray(args?.tenants) ? args.tenants.map(isDeclared) : [];
    previewRollout(this, name, args?.connection, inputs, declared);
  }
}

/** Tenants by how they stand. */
export interface RolloutCounts {
  readonly current: number;
  /** Behind, and left as they are: blocked, or the run ended before them. */
  readonly skipped: number;
  readonly failed: number;
  readonly quarantined: number;
  readonly unknown: number;
}

export interface UnfinishedTenant {
  readonly name: string;
  readonly state: string;
  /** Last migration that it has; undefined: none, or not known. */
  readonly version?: string;
  readonly why?: string;
}

/** A tenant is migrated by one of them only, and a fleet's are by the fleet. */
function refuseFleets(name: string, args: SchemaRolloutArgs | undefined): void {
  const { fleet, tenants } = (args ?? {}) as { fleet?: unknown; tenants?: unknown };
  const isFleet = (value: unknown): boolean => isKind(value, "tenantFleet");
  const given = Array.isArray(tenants) ? tenants.some(isFleet) : isFleet(tenants);
  if (fleet === undefined && !given) return;
  // A RunError is shown as its message alone, without a stack.
  throw new pulumi.RunError(`${name}: ${fleet === undefined ? "tenants" : "fleet"}: ${ofItsOwn}`);
}

const ofItsOwn =
  "a TenantFleet brings its tenants' schemas up itself. Give canary, waves and the rest to the fleet, as its `rollout`, " +
  "and leave the SchemaRollout out.";

/** Names, groups and labels are inputs of the tenants, so that a preview knows them. */
function tenantsOf(tenants: SchemaRolloutArgs["tenants"], group: pulumi.Input<string> | undefined): unknown {
  const byName = (name: pulumi.Input<string>) => ({ name, ...(group === undefined ? {} : { group }) });
  if (!Array.isArray(tenants)) {
    return tenants && pulumi.output(tenants).apply((names) => (Array.isArray(names) ? names.map(byName) : names));
  }
  return tenants.map((tenant) => {
    if (!TenantDatabase.isInstance(tenant)) return byName(tenant);
    const { name, group: itsGroup, labels } = tenant;
    return { name, group: itsGroup, ...(labels === undefined ? {} : { labels }) };
  });
}

const nameOf = (tenant: TenantDatabase | pulumi.Input<string>): pulumi.Input<string> =>
  TenantDatabase.isInstance(tenant) ? tenant.name : tenant;

const computed = {
  minSchemaVersion: undefined,
  targetVersion: undefined,
  counts: undefined,
  quarantined: undefined,
  unfinished: undefined,
  plan: undefined,
};

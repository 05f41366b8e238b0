import { isAbsolute, join } from "node:path";
import * as pulumi from "./pulumi";
import { nameFrom } from "../provider/resources/name";
import { unpackFleet } from "../provider/resources/tenant-fleet/pack";
import type { FleetState } from "../provider/resources/tenant-fleet/record";
import {
  type Roster,
  type RosterTenant,
  rosterDigest,
  rosterFolder,
  rosterText,
  writeRoster,
} from "../provider/resources/tenant-fleet/roster";
import { addressBy } from "../provider/resources/tenant-fleet/urls";
import { formatTemplateRef, parseTemplateRef } from "../provider/rollout/template-ref";
import { type FleetManifest, readFleetManifest } from "./fleet-manifest";
import { Group } from "./group";
import { isKnown, settled } from "./known";
import { type Need, joinFleet, joinPreflight } from "./preflight";
import { formerAddresses, isKind, remoteInputs, selfOf, typeOf, withoutStacks } from "./remote";
import { resolved } from "./resolved";
import type { SchemaRolloutArgs } from "./schema-rollout";
import { SchemaTemplate } from "./schema-template";
import type { TenantDatabaseArgs } from "./tenant-database";

/** What can be said of a single tenant; `group` and `schema` go before the fleet's own. */
export interface FleetTenantArgs extends Omit<
  TenantDatabaseArgs,
  "group" | "tenant" | "isolation" | "region" | "databases" | "timeouts" | "connection"
> {
  group?: TenantDatabaseArgs["group"];
}

export interface TenantFleetArgs {
  /**
   * The tenants by their ids, each with what is special about it; or only their ids. At most 20,000. Give this or
   * `manifest`.
   */
  tenants?: Record<string, FleetTenantArgs> | readonly string[];
  /**
   * A manifest: a file or a folder, looked up from the program's folder. Its schemas, and its groups that have a location,
   * are declared as resources `<fleet>-<name>`; its `rollout` and `maxRemovals` hold where none are given here.
   */
  manifest?: string;
  /**
   * How a database is called whose tenant has no `name` of its own, with `{id}` for the tenant's id; made valid.
   * @default "{id}"
   */
  namePattern?: string;
  /** Where tenants are that name no group: a Group of this program, or the name of one that exists. */
  group?: Group | pulumi.Input<string>;
  /** The template whose schema tenants get that name none: copied when they are new, brought up by `rollout` afterwards. */
  schema?: SchemaTemplate | pulumi.Input<string>;
  /**
   * How a schema change goes over the fleet; see SchemaRollout. A canary by name is given in ids.
   * @default one tenant first, then all others, 16 at a time
   */
  rollout?: FleetRolloutArgs;
  /**
   * How many tenants one `pulumi up` may remove; more are an error in the preview. TENANTRY_MAX_REMOVALS and
   * `tenantry:maxRemovals` go before it.
   * @default 10, or 5 % of more; 0 where no tenant is left
   */
  maxRemovals?: pulumi.Input<number>;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

export type FleetRolloutArgs = Omit<SchemaRolloutArgs, "schema" | "tenants" | "group" | "connection" | "canary"> & {
  /** Who goes first, alone: tenants by id, all with these labels, or so many of those that are behind. @default 1 */
  canary?: pulumi.Input<number> | Record<string, pulumi.Input<string>> | pulumi.Input<string>[];
};

/** A tenant as it was when the fleet was last deployed or refreshed. */
export interface FleetTenant {
  readonly name: string;
  /** Undefined, like the next two, where there is no database: it failed, or is gone. */
  readonly url: string | undefined;
  readonly databaseId: string | undefined;
  readonly hostname: string | undefined;
  /** Last migration that it has; undefined without a schema. */
  readonly schemaVersion: string | undefined;
  /** "ready": as declared. */
  readonly state: FleetState;
}

/**
 * Thousands of tenants as one resource: a database each, their schema brought up by a rollout. What is to be done with
 * whom is said on the fleet's own line; one tenant's failure does not stop the others, and the next `pulumi up` does what
 * is left. A fleet holds no tokens.
 *
 * ```ts
 * const fleet = new tenantry.TenantFleet("prod", {
 *   group: eu,
 *   schema: app,
 *   namePattern: "tenant-{id}",
 *   tenants: { acme: {}, globex: { labels: { ring: "canary" } }, initech: { suspended: true } },
 *   rollout: { canary: { ring: "canary" }, waves: [0.1, 1] },
 * });
 * export const acme = fleet.tenants.apply((tenants) => tenants["acme"]?.url);
 * ```
 */
export class TenantFleet extends pulumi.CustomResource {
  /** Last migration that every tenant has at least: what an application may rely on. */
  declare readonly minSchemaVersion: pulumi.Output<string | undefined>;
  /** Last migration of the template, where the fleet has one template. */
  declare readonly targetVersion: pulumi.Output<string | undefined>;
  /** How many tenants are in which state. */
  declare readonly counts: pulumi.Output<Record<FleetState, number>>;
  /** Ids of the tenants in quarantine. */
  declare readonly quarantined: pulumi.Output<string[]>;
  /** The first 50 tenants that are not as declared, and why. */
  declare readonly unfinished: pulumi.Output<{ id: string; state: FleetState; version?: string; why?: string }[]>;
  /** What the last `pulumi up` set out to do. */
  declare readonly plan: pulumi.Output<string>;
  /** All tenants as one text; read them through `tenants`. */
  declare readonly packed: pulumi.Output<string>;
  /** Addresses of databases, with `{name}` or `{hostname}`. */
  declare readonly urls: pulumi.Output<string>;

  static override isInstance(value: unknown): value is TenantFleet {
    return isKind(value, "tenantFleet");
  }

  /** Every tenant, by its id. */
  get tenants(): pulumi.Output<Record<string, FleetTenant>> {
    return pulumi.all([this.packed, this.urls]).apply(([packed, urls]) => lookUp(packed, urls));
  }

  constructor(name: string, args: TenantFleetArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { tenants, manifest, namePattern, group, schema, ...rest } = args ?? {};
    const self = pulumi.output(selfOf("tenantFleet", name, opts));
    const common = {
      group: Group.isInstance(group) ? group.name : group,
      schema: SchemaTemplate.isInstance(schema) ? schema.ref : schema,
    };
    const read = manifest === undefined ? undefined : manifestOf(name, args, opts);
    const declared = rosterOf(name, read?.tenants ?? tenantsOf(name, tenants, namePattern), common);
    const roster = self.apply(rosterFolder);
    const listed = resolved(declared).apply((all) => all.map(underFleet));
    const written = pulumi
      .all([roster, listed])
      .apply(([folder, all]) => ({ digest: write(folder, { tenants: all }) }));
    const { maxRemovals = read?.maxRemovals, rollout = read?.rollout } = rest;
    const inputs = { ...rest, maxRemovals, rollout, roster, digest: written.digest, count: declared.length };
    const registered = { ...computed, ...remoteInputs("tenantFleet", name, inputs, opts) };
    const stacks = withoutStacks();
    try {
      super(typeOf("tenantFleet"), name, registered, opts);
    } finally {
      stacks.restore();
    }
    for (const need of read?.needs ?? groupsOf(name, args)) joinPreflight(args.connection, this.packed, need);
    joinFleet(args.connection, this.packed, async () => {
      const known = await settled(pulumi.all([self, formerAddresses("tenantFleet", name, opts) ?? [], listed]));
      const isThere = await isKnown(this.id);
      return known && { where: name, self: known[0], formerly: known[1], tenants: known[2], isThere };
    });
  }
}

const computed = {
  minSchemaVersion: undefined,
  targetVersion: undefined,
  counts: undefined,
  quarantined: undefined,
  unfinished: undefined,
  plan: undefined,
  packed: undefined,
  urls: undefined,
};

/** The groups that a program names, each where it does so first; those of a manifest say their own places. */
function groupsOf(fleet: string, { group, tenants = {} }: TenantFleetArgs): Need[] {
  const own = Array.isArray(tenants) ? [] : Object.entries(tenants as Record<string, FleetTenantArgs>);
  const named = [[`${fleet}: group`, group], ...own.map(([id, args]) => [`${fleet}: tenants.${id}.group`, args.group])];
  const first = new Map<string, Need>();
  for (const [where, value] of named as [string, unknown][]) {
    if (typeof value === "string" && !first.has(value)) first.set(value, { what: "group", value, where });
  }
  return [...first.values()];
}

/** A tenant whose properties may only be known later. */
type Declared = { readonly id: string } & Record<string, unknown>;

function fail(fleet: string, what: string): never {
  // A RunError is shown as its message alone, without a stack.
  throw new pulumi.RunError(`${fleet}: ${what}`);
}

function manifestOf(fleet: string, args: TenantFleetArgs, opts: pulumi.CustomResourceOptions): FleetManifest {
  const { tenants, manifest: path, namePattern, group, connection } = args;
  if (tenants !== undefined) fail(fleet, "tenants: the manifest says which there are; give one of the two.");
  if (namePattern !== undefined) fail(fleet, "namePattern: the manifest has one; write it there.");
  if (typeof path !== "string") return fail(fleet, "manifest: must be the path of a file or a folder.");
  const known = typeof group === "string" ? group : group !== undefined;
  return readFleetManifest(fleet, { path, group: known, connection, opts });
}

/** The tenants that a program lists, with their names. */
function tenantsOf(fleet: string, tenants: TenantFleetArgs["tenants"], pattern = "{id}"): Declared[] {
  if (typeof tenants !== "object" || tenants === null)
    return fail(fleet, "tenants: must be ids, or tenants by their ids; or give a `manifest`.");
  if (!pattern.includes("{id}")) fail(fleet, `namePattern: "${pattern}" has no {id}, so that all would have one name.`);
  const entries = Array.isArray(tenants)
    ? (tenants as readonly string[]).map((id) => [id, {}] as const)
    : Object.entries(tenants as Record<string, FleetTenantArgs>);
  return entries.map(([id, own]) => {
    if (typeof id !== "string") return fail(fleet, "tenants: an id must be a text.");
    if (typeof own !== "object" || own === null) return fail(fleet, `tenants.${id}: must be an object, such as {}.`);
    return { name: nameFrom(pattern.replaceAll("{id}", () => id)), ...withoutUndefined(own), id };
  });
}

function rosterOf(
  fleet: string,
  tenants: FleetManifest["tenants"],
  common: { readonly group: unknown; readonly schema: unknown },
): Declared[] {
  return tenants.map((tenant) => {
    const { group = common.group, schema = common.schema, ...more } = tenant;
    if (group === undefined) fail(fleet, `tenants.${tenant.id}.group: give it, or the fleet's \`group\`.`);
    return {
      ...more,
      group: Group.isInstance(group) ? group.name : group,
      schema: SchemaTemplate.isInstance(schema) ? schema.ref : schema,
    };
  });
}

const withoutUndefined = (own: object): object =>
  Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));

/** Under the mocks of a user's unit tests there is no project's folder, and nobody to read it. */
function write(folder: string, roster: Roster): string {
  const root = pulumi.getRootDirectory();
  return isAbsolute(root) ? writeRoster(join(root, folder), roster) : rosterDigest(rosterText(roster));
}

/** In a fleet no tenant migrates itself. */
function underFleet({ schema, ...tenant }: Declared): RosterTenant {
  const ref = typeof schema === "string" ? parseTemplateRef(schema) : undefined;
  const text = ref ? formatTemplateRef({ ...ref, rollout: true }) : schema;
  return { ...tenant, ...(text === undefined ? {} : { schema: text }) } as unknown as RosterTenant;
}

/** Under the mocks of a user's unit tests there may be nothing. */
function lookUp(packed: string | undefined, urls: string): Record<string, FleetTenant> {
  if (packed === undefined) return {};
  const tenants = unpackFleet(packed).map(({ id, name, databaseId, hostname, schemaVersion, state }) => {
    const url = addressBy(urls, { name, hostname });
    return [id, { name, url, databaseId, hostname, schemaVersion, state }] as const;
  });
  return Object.fromEntries(tenants);
}

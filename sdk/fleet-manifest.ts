import { createRequire } from "node:module";
import * as pulumi from "./pulumi";
import { TenantryError } from "../provider/platform/errors";
import { Group } from "./group";
import type { ManifestGroup, ManifestSchema } from "./manifest/definition";
import type { ResolvedManifest } from "./manifest/resolve";
import type { Need } from "./preflight";
import { SchemaTemplate } from "./schema-template";

/** What a fleet takes of a manifest. */
export interface FleetManifest extends Pick<ResolvedManifest, "maxRemovals" | "rollout"> {
  /** With a group's or a template's outputs in place of its name, where the fleet declares it. */
  readonly tenants: readonly ({ readonly id: string } & Record<string, unknown>)[];
  /** The groups that have to be there. */
  readonly needs: readonly Need[];
}

export interface FleetManifestOptions {
  readonly path: string;
  /** For tenants for whom the manifest has none: a name; `true` where only the program knows it. */
  readonly group: string | boolean;
  readonly connection: string | undefined;
  /** The fleet's. */
  readonly opts: pulumi.CustomResourceOptions;
}

/** Stands in a manifest's place for a group that the program gives. */
const programs = "the program's";

/**
 * Reads a manifest, and declares the groups that have a location in it, and its schemas, as resources `<fleet>-<name>`.
 * What is wrong is one error for people, with file, line and column of each.
 */
export function readFleetManifest(
  fleet: string,
  { path, group, connection, opts }: FleetManifestOptions,
): FleetManifest {
  const { manifest, placeOf } = resolved(fleet, path, group === true ? programs : group || undefined);
  const { maxRemovals, rollout } = manifest;
  const common = connection === undefined ? {} : { connection };
  const groups = new Map<string, pulumi.Input<string> | undefined>([[programs, undefined]]);
  for (const [name, { location, adopt }] of Object.entries<ManifestGroup>(manifest.groups ?? {})) {
    if (location === undefined) continue;
    const args = { name, location, ...(adopt === undefined ? {} : { adopt }), ...common };
    groups.set(name, new Group(`${fleet}-${name}`, args, besideFleet(opts, name)).name);
  }
  const schemas = new Map<string, pulumi.Output<string>>();
  for (const [name, schema] of Object.entries<ManifestSchema>(manifest.schemas)) {
    const template = { name, ...schema, migrate: "rollout", ...common } as const;
    schemas.set(name, new SchemaTemplate(`${fleet}-${name}`, template, besideFleet(opts, name)).ref);
  }
  const needs: Need[] = [];
  const tenants = manifest.tenants.map((tenant) => {
    if (!groups.has(tenant.group)) {
      needs.push({ what: "group", value: tenant.group, where: placeOf(["tenants", tenant.id, "group"]) });
      groups.set(tenant.group, tenant.group);
    }
    const schema = tenant.schema === undefined ? undefined : (schemas.get(tenant.schema) ?? tenant.schema);
    return { ...tenant, group: groups.get(tenant.group), ...(schema === undefined ? {} : { schema }) };
  });
  return { tenants, needs, maxRemovals, rollout };
}

function resolved(fleet: string, path: string, group: string | undefined) {
  // Late: a program without a manifest loads no YAML and no validator.
  const late = createRequire(__filename)("./manifest") as typeof import("./manifest");
  const { loadManifest, placesOf, Problems, placeText, resolveManifest } = late;
  const problems = new Problems();
  try {
    const read = loadManifest(path, { problems });
    const manifest = resolveManifest(read, { problems, ...(group === undefined ? {} : { group }) });
    problems.throwIfAny();
    const placeOf = (of: readonly string[]): string => `${placeText(placesOf(read).of(of))}: ${of.join(".")}`;
    return { manifest, placeOf };
  } catch (error) {
    // A RunError is shown as its message alone, without a stack.
    throw error instanceof TenantryError ? new pulumi.RunError(`${fleet}: ${error.message}`) : error;
  }
}

/** Where the fleet stands, protected as it is, and also under the names that it had. */
function besideFleet(opts: pulumi.CustomResourceOptions, name: string): pulumi.CustomResourceOptions {
  const { parent, protect, retainOnDelete, aliases = [] } = opts;
  const former = aliases.flatMap((alias) =>
    typeof alias === "object" && "name" in alias && typeof alias.name === "string"
      ? { ...alias, name: `${alias.name}-${name}` }
      : [],
  );
  return { parent, protect, retainOnDelete, ...(former.length > 0 ? { aliases: former } : {}) };
}

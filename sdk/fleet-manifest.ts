import { createRequire } from "node:module";
import * as pulumi from "@pulumi/pulumi";
import { TenantryError } from "../provider/platform/errors";
import { Group } from "./group";
import type { ManifestGroup, ManifestSchema } from "./manifest/definition";
import type { ResolvedManifest } from "./manifest/resolve";
import { SchemaTemplate } from "./schema-template";

/** What a fleet takes of a manifest. */
export interface FleetManifest extends Pick<ResolvedManifest, "maxRemovals" | "rollout"> {
  /** With a group's or a template's outputs in place of its name, where the fleet declares it. */
  readonly tenants: readonly ({ readonly id: string } & Record<string, unknown>)[];
}

export interface FleetManifestOptions {
  readonly path: string;
  /** For tenants for whom the manifest has none. */
  readonly group: string | undefined;
  readonly connection: string | undefined;
  readonly parent: pulumi.Resource | undefined;
}

/**
 * Reads a manifest, and declares the groups that have a location in it, and its schemas, as resources `<fleet>-<name>`.
 * What is wrong is one error for people, with file, line and column of each.
 */
export function readFleetManifest(
  fleet: string,
  { path, group, connection, parent }: FleetManifestOptions,
): FleetManifest {
  const manifest = resolved(fleet, path, group);
  const { maxRemovals, rollout } = manifest;
  const common = connection === undefined ? {} : { connection };
  const opts = parent === undefined ? {} : { parent };
  const groups = new Map<string, pulumi.Output<string>>();
  for (const [name, { location }] of Object.entries<ManifestGroup>(manifest.groups ?? {})) {
    if (location === undefined) continue;
    groups.set(name, new Group(`${fleet}-${name}`, { name, location, ...common }, opts).name);
  }
  const schemas = new Map<string, pulumi.Output<string>>();
  for (const [name, schema] of Object.entries<ManifestSchema>(manifest.schemas)) {
    const template = { name, ...schema, migrate: "rollout", ...common } as const;
    schemas.set(name, new SchemaTemplate(`${fleet}-${name}`, template, opts).ref);
  }
  const tenants = manifest.tenants.map((tenant) => ({
    ...tenant,
    group: groups.get(tenant.group) ?? tenant.group,
    ...(tenant.schema === undefined ? {} : { schema: schemas.get(tenant.schema) ?? tenant.schema }),
  }));
  return { tenants, maxRemovals, rollout };
}

function resolved(fleet: string, path: string, group: string | undefined): ResolvedManifest {
  // Late: a program without a manifest loads no YAML and no validator.
  const late = createRequire(__filename);
  const { loadManifest } = late("./manifest/load") as typeof import("./manifest/load");
  const { resolveManifest } = late("./manifest/resolve") as typeof import("./manifest/resolve");
  try {
    return resolveManifest(loadManifest(path), group === undefined ? {} : { group });
  } catch (error) {
    // A RunError is shown as its message alone, without a stack.
    throw error instanceof TenantryError ? new pulumi.RunError(`${fleet}: ${error.message}`) : error;
  }
}

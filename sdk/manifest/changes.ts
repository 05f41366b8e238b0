import type { Manifest } from "./definition";
import type { ResolvedManifest } from "./resolve";

export interface PropertyChange {
  /** Such as "sizeLimit", "labels.ring", "rollout.canary". */
  readonly property: string;
  /** Undefined: not given. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface TenantChange {
  readonly id: string;
  /** Of the database: the new one where it changes. */
  readonly name: string;
  readonly properties: readonly PropertyChange[];
}

/** What a change of a manifest means, tenant by tenant; each list is sorted by id. */
export interface ManifestChanges {
  readonly added: readonly TenantChange[];
  readonly removed: readonly TenantChange[];
  readonly changed: readonly TenantChange[];
  readonly unchanged: number;
  /** Of the manifest itself: groups, residency, schemas, rollout, limits. */
  readonly settings: readonly PropertyChange[];
  /** So many may be removed by one deploy. */
  readonly maxRemovals: number;
}

/** One side of a comparison. */
export interface Side {
  readonly manifest: Manifest;
  readonly resolved: ResolvedManifest;
}

const ofTheManifest = ["platform", "organization", "maxRemovals", "rollout", "groups", "residency", "schemas"] as const;

/** Compares what two manifests come to. Pure. */
export function changesBetween(before: Side, after: Side): ManifestChanges {
  const [olds, news] = [tenantsOf(before), tenantsOf(after)];
  const added: TenantChange[] = [];
  const changed: TenantChange[] = [];
  for (const [id, tenant] of news) {
    const properties = differences(olds.get(id) ?? {}, tenant);
    if (!olds.has(id)) added.push({ id, name: tenant.name, properties });
    else if (properties.length > 0) changed.push({ id, name: tenant.name, properties });
  }
  const removed = [...olds]
    .filter(([id]) => !news.has(id))
    .map(([id, tenant]) => ({ id, name: tenant.name, properties: differences(tenant, {}) }));
  const settings = (manifest: Manifest): object => Object.fromEntries(ofTheManifest.map((key) => [key, manifest[key]]));
  return {
    ...{ added, removed, changed },
    unchanged: news.size - added.length - changed.length,
    settings: differences(settings(before.manifest), settings(after.manifest)),
    maxRemovals: after.resolved.maxRemovals ?? removalsAllowed(olds.size, news.size),
  };
}

/** Unless the manifest says otherwise: 10, or 5 % of more than 200; none where nobody would be left. */
export const removalsAllowed = (before: number, after: number): number =>
  after === 0 ? 0 : Math.max(10, Math.floor(before * 0.05));

function tenantsOf({ resolved }: Side) {
  return new Map(
    resolved.tenants.map(({ id, ...tenant }) => [id, { ...tenant, ...resolved.profiles.get(id) }] as const),
  );
}

/** By property, in alphabetical order; maps are compared by what is in them, lists as a whole. */
function differences(before: object, after: object, within = ""): PropertyChange[] {
  const [olds, news] = [before as Record<string, unknown>, after as Record<string, unknown>];
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])].sort().flatMap((key): PropertyChange[] => {
    const [one, other] = [olds[key], news[key]];
    if (isMap(one ?? {}) && isMap(other ?? {}) && (one ?? other) !== undefined) {
      const inner = differences((one ?? {}) as object, (other ?? {}) as object, `${within}${key}.`);
      // A map that is empty is there all the same.
      if (inner.length > 0 || (one !== undefined) === (other !== undefined)) return inner;
    }
    if (JSON.stringify(one) === JSON.stringify(other)) return [];
    return [{ property: `${within}${key}`, before: one, after: other }];
  });
}

const isMap = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

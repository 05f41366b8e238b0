import { isReserved, reservedPrefix } from "../../provider/registry/reserved-names";
import { nameFrom } from "../../provider/resources/name";
import type { RosterTenant } from "../../provider/resources/tenant-fleet/roster";
import type { Manifest, ManifestTenant, Settings } from "./definition";
import { type Placement, allowedGroups, noGroup, place } from "./placement";
import { placesOf } from "./places";
import { Problems, placeText, quoted } from "./problems";
import { someOf } from "./unknown-name";

/** What a manifest comes to: every tenant with all that is declared of it. */
export interface ResolvedManifest extends Pick<
  Manifest,
  "platform" | "organization" | "maxRemovals" | "rollout" | "groups" | "schemas"
> {
  /** Sorted by id, by UTF-16 code units. `schema` is the name of one of `schemas`: the caller puts the template's ref there. */
  readonly tenants: readonly RosterTenant[];
  /** By a tenant's id: what a fleet keeps no record of. */
  readonly profiles: ReadonlyMap<string, Profile>;
}

export interface Profile extends Pick<Settings, "tokens"> {
  readonly plan: string | undefined;
  readonly geo: string | undefined;
}

export interface ResolveOptions {
  /** The group of tenants for whom the manifest has none. */
  readonly group?: string;
  /** What is wrong is put here, and not thrown. */
  readonly problems?: Problems;
}

/**
 * Gives each tenant its group, name and settings: what the tenant says wins over its plan, that over the defaults. Fails
 * with "invalid-input", all at once: residency rules that are violated (by copies too), tenants without a group, names
 * that are none or that two tenants would have.
 */
export function resolveManifest(manifest: Manifest, options: ResolveOptions = {}): ResolvedManifest {
  const problems = options.problems ?? new Problems();
  const resolution = new Resolution(manifest, problems);
  for (const tenant of manifest.tenants) resolution.add(tenant, options.group);
  const resolved = resolution.finish();
  if (!options.problems) problems.throwIfAny();
  return resolved;
}

class Resolution {
  private readonly tenants = new Map<string, RosterTenant>();
  private readonly profiles = new Map<string, Profile>();
  private readonly byName = new Map<string, string>();

  constructor(
    private readonly manifest: Manifest,
    private readonly problems: Problems,
  ) {}

  add(tenant: ManifestTenant, group: string | undefined): void {
    const { id, name: given, seed, ...request } = tenant;
    const name = this.nameOf(id, given);
    const placed = place(this.manifest, request, group);
    if ("why" in placed) return this.refuse(id, placed.property, placed.why);
    const missing = placed.group === undefined ? noGroup(this.manifest, placed.geo) : undefined;
    if (missing) this.refuse(id, request.geo === undefined ? undefined : "geo", missing.why);
    const { tokens, ...settings } = placed.settings;
    this.checkBlocks(id, settings);
    if (name === undefined || placed.group === undefined) return;
    this.tenants.set(id, { id, name, group: placed.group, ...settings, ...(seed ? { seed } : {}) });
    this.profiles.set(id, { plan: placed.plan, geo: placed.geo, ...(tokens ? { tokens } : {}) });
  }

  finish(): ResolvedManifest {
    const { platform, organization, maxRemovals, groups, schemas, rollout } = this.manifest;
    for (const tenant of this.tenants.values()) this.checkCopy(tenant);
    return {
      ...{ platform, organization, maxRemovals, rollout, groups, schemas },
      tenants: [...this.tenants.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      profiles: this.profiles,
    };
  }

  private refuse(id: string, property: string | undefined, message: string): void {
    const path = ["tenants", id, ...(property === undefined ? [] : property.split("."))];
    this.problems.add(placesOf(this.manifest).of(path), path, message);
  }

  private nameOf(id: string, given: string | undefined): string | undefined {
    const { namePattern } = this.manifest;
    if (given === undefined && nameFrom(id) === "") {
      this.refuse(id, undefined, "no letter or digit of it can stand in a database's name; give it a `name`.");
      return undefined;
    }
    const name = given ?? nameFrom(namePattern.replace("{id}", () => id));
    if (isReserved(name)) {
      this.refuse(id, given && "name", `"${name}" begins with "${reservedPrefix}", which Tenantry keeps for itself.`);
      return undefined;
    }
    const other = this.byName.get(name);
    if (other === undefined) {
      this.byName.set(name, id);
      return name;
    }
    const where = placeText(placesOf(this.manifest).of(["tenants", other]));
    const why = other.toLowerCase() === id.toLowerCase() ? "the ids differ only in case; " : "";
    const text = `its database would be called "${name}", as that of ${quoted(other)} (${where}): ${why}give one of them another \`name\`.`;
    this.refuse(id, given && "name", text);
    return undefined;
  }

  private checkBlocks(id: string, { suspended, blockReads, blockWrites }: Placement["settings"]): void {
    if (!suspended || (blockReads !== false && blockWrites !== false)) return;
    const what = blockReads === false ? "blockReads" : "blockWrites";
    this.refuse(id, what, "`suspended` blocks reads and writes, so that this cannot be false; leave one of them out.");
  }

  /** A copy is bound as the data is that it holds, also where that came by way of another copy. */
  private checkCopy({ id, group, name, seed }: RosterTenant): void {
    if (seed?.database === name) return this.refuse(id, "seed.database", "it cannot be a copy of itself.");
    for (const source of this.sourcesOf(seed)) {
      const geo = this.profiles.get(source)?.geo;
      const allowed = geo === undefined ? undefined : allowedGroups(this.manifest, geo);
      if (!allowed || allowed.includes(group)) continue;
      const text = `a copy of ${quoted(source)} (geo "${geo}") is not allowed in group "${group}"; allowed: ${someOf(allowed)}.`;
      return this.refuse(id, "seed.database", text);
    }
  }

  /** Ids of the tenants that the data came from, the nearest first. */
  private sourcesOf(seed: RosterTenant["seed"]): ReadonlySet<string> {
    const sources = new Set<string>();
    for (let next = seed; next;) {
      const source = this.byName.get(next.database);
      if (source === undefined || sources.has(source)) break;
      sources.add(source);
      next = this.tenants.get(source)?.seed;
    }
    return sources;
  }
}

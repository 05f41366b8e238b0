import { createHash } from "node:crypto";
import { didYouMean } from "../../../provider/platform/did-you-mean";
import { TenantryError } from "../../../provider/platform/errors";
import { registryName } from "../../../provider/registry/reserved-names";
import { tenantsOf } from "../../../provider/registry/tenants";
import { isMade } from "../../../provider/resources/tenant-fleet/record";
import type { Where } from "../../client";
import { readManifest } from "../../client/manifest-file";
import type { KnownFleet } from "../fleet/fleets";
import type { Ground } from "../schema/ground";
import type { PullRequest } from "./flags";

export interface Candidate {
  readonly id: string;
  /** Of the database. */
  readonly name: string;
  /** Undefined: the platform is to tell. */
  readonly group: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Selection {
  readonly names: readonly string[];
  readonly where?: Where;
  readonly sample?: number;
}

/** Those of a manifest, of a fleet as the stack's state has it, or every tenant's database. */
export async function candidates(
  { context, group }: Ground,
  { manifest, fleet }: { readonly manifest?: string; readonly fleet?: KnownFleet },
): Promise<Candidate[]> {
  if (manifest !== undefined) {
    const { tenants } = readManifest(manifest, group);
    return Object.entries(tenants).map(([id, { name = id, group: its, labels = {} }]) => ({
      id,
      name,
      group: its,
      labels,
    }));
  }
  if (fleet) {
    return fleet.records
      .filter(isMade)
      .map(({ id, name, profile }) => ({ ...{ id, name, group: profile.group, labels: profile.labels ?? {} } }));
  }
  const { byName } = await context.listing.databases();
  const found: Candidate[] = [];
  for await (const { name, group: its } of tenantsOf(context.platform, { registryName, databases: byName.values() })) {
    found.push({ id: name, name, group: its, labels: {} });
  }
  return found;
}

/**
 * Who gets a branch: those named, with those labels; and of them a sample, which is the same at every push to a pull
 * request, and another one for another. Fails with "invalid-input" for a name that is nobody's and where nobody is meant.
 */
export function select(all: readonly Candidate[], of: Selection, pullRequest: PullRequest): Candidate[] {
  const { names, where = {}, sample } = of;
  if (names.length === 0 && where.group === undefined && !where.labels && sample === undefined) {
    throw new TenantryError(
      "needs-decision",
      "Which tenants get a branch was not said, and all of them are seldom meant.",
      { fix: "Name them, or pass --where ring=beta or --sample 5." },
    );
  }
  const known = new Map(all.map((one) => [one.id, one]));
  const named = names.length === 0 ? all : [...new Set(names)].map((name) => known.get(name) ?? stranger(name, all));
  const meant = named.filter(
    ({ group, labels }) =>
      (where.group === undefined || where.group === group) &&
      Object.entries(where.labels ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value),
  );
  if (meant.length === 0) {
    throw new TenantryError("invalid-input", "No tenant is meant by that.", {
      fix: "Look at the labels and names given.",
    });
  }
  if (sample === undefined || sample >= meant.length) return meant;
  const rank = ({ id }: Candidate): string =>
    createHash("sha256")
      .update(JSON.stringify([pullRequest.repository, pullRequest.number, id]))
      .digest("hex");
  const ranked = meant.map((one) => ({ one, rank: rank(one) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, sample).map(({ one }) => one);
}

function stranger(name: string, all: readonly Candidate[]): never {
  const near = didYouMean(
    name,
    all.map(({ id }) => id),
  );
  throw new TenantryError("invalid-input", `There is no tenant "${name}".`, {
    fix:
      near === undefined
        ? "Tenants are named as in the manifest or the fleet; without either, as their databases."
        : `Did you mean "${near}"?`,
  });
}

import { didYouMean } from "../../platform/did-you-mean";
import { TenantryError } from "../../platform/errors";
import type { Labels, Policy } from "./policy";

/** A tenant of a rollout; names are unique in an organization. */
export interface FleetTenant {
  readonly name: string;
  readonly group: string;
  readonly labels?: Labels;
}

/** A part of the fleet that is changed together. */
export interface Wave<Tenant = FleetTenant> {
  /** "canary", "wave 2 (to 50 %)", "wave 1 (ring=beta)". */
  readonly title: string;
  readonly tenants: readonly Tenant[];
}

/**
 * Parts the fleet: the canary first, then wave by wave; everybody is in exactly one. The order within is the one given,
 * and which wave a tenant is in does not depend on how far a run came, so that a later run goes on with the same waves.
 * Only a canary by number is chosen among those `isPending`: it is whoever goes first now.
 *
 * Fails with "invalid-input" where the canary names a stranger, where labels fit nobody, and where waves leave somebody out.
 */
export function partition<Tenant extends FleetTenant>(
  tenants: readonly Tenant[],
  policy: Pick<Policy, "canary" | "waves">,
  isPending: (tenant: Tenant) => boolean,
): Wave<Tenant>[] {
  const canary = canaryOf(tenants, policy.canary, isPending);
  const waves: Wave<Tenant>[] = [{ title: "canary", tenants: tenants.filter((tenant) => canary.has(tenant.name)) }];
  const taken = new Set(canary);
  policy.waves.forEach((wave, i) => {
    const isIn = membership(tenants, wave, `waves[${i}]`);
    const members = tenants.filter((tenant, at) => !taken.has(tenant.name) && isIn(tenant, at));
    for (const { name } of members) taken.add(name);
    const by = typeof wave === "number" ? `to ${percent(wave)}` : labelText(wave);
    waves.push({ title: `wave ${i + 1} (${by})`, tenants: members });
  });
  const left = tenants.filter((tenant) => !taken.has(tenant.name));
  if (left.length > 0) {
    throw new TenantryError("invalid-input", `waves: ${some(left.map(({ name }) => name))} in no wave.`, {
      fix: "End with 1, the whole fleet.",
    });
  }
  return waves;
}

function canaryOf<Tenant extends FleetTenant>(
  tenants: readonly Tenant[],
  canary: Policy["canary"],
  isPending: (tenant: Tenant) => boolean,
): Set<string> {
  if (typeof canary === "number") {
    const first: string[] = [];
    for (const tenant of tenants) {
      if (first.length === canary) break;
      if (isPending(tenant)) first.push(tenant.name);
    }
    return new Set(first);
  }
  if (isNames(canary)) {
    const known = new Set(tenants.map(({ name }) => name));
    const stranger = canary.find((name) => !known.has(name));
    if (stranger === undefined) return new Set(canary);
    const near = didYouMean(stranger, known);
    throw new TenantryError("invalid-input", `canary: "${stranger}" is no tenant of this rollout.`, {
      fix: near ? `Did you mean "${near}"?` : "Name databases of its tenants.",
    });
  }
  const isIn = membership(tenants, canary, "canary");
  return new Set(tenants.filter(isIn).map(({ name }) => name));
}

function membership<Tenant extends FleetTenant>(
  tenants: readonly Tenant[],
  wave: number | Labels,
  path: string,
): (tenant: Tenant, at: number) => boolean {
  if (typeof wave === "number") {
    // 0.07 * 100 is a little over 7: a share must not take one more than it says.
    const end = Math.ceil(Number((wave * tenants.length).toFixed(6)));
    return (_, at) => at < end;
  }
  const wanted = Object.entries(wave);
  const isIn = ({ labels }: FleetTenant): boolean => wanted.every(([key, value]) => labels?.[key] === value);
  if (tenants.length === 0 || tenants.some(isIn)) return isIn;
  throw new TenantryError("invalid-input", `${path}: no tenant has ${labelText(wave)}.`, {
    fix: "Give tenants these labels, or take it out.",
  });
}

const isNames = (canary: readonly string[] | Labels): canary is readonly string[] => Array.isArray(canary);
const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`;

/** "t1 is", "t1, t2 and 7 more are". */
export function some(names: readonly string[], shown = 3): string {
  if (names.length === 1) return `${names[0]} is`;
  const rest = names.length - shown;
  const list = names.slice(0, shown).join(", ");
  return rest > 0 ? `${list} and ${rest} more are` : `${list} are`;
}

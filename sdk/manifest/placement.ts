import { TenantryError } from "../../provider/platform/errors";
import type { Rules, Settings, TenantEntry } from "./definition";
import { someOf, unknownName } from "./unknown-name";

// Where a tenant may be, and what it gets there: the same at a deploy and at run time. Loads nothing of Node.

/** What is known of a tenant; whatever it says itself wins over plan and defaults. */
export type PlacementRequest = Omit<TenantEntry, "name" | "seed">;

export interface Placement {
  /** Undefined where nobody names one, and it does not follow from `geo`. */
  readonly group: string | undefined;
  readonly plan: string | undefined;
  readonly geo: string | undefined;
  /** Of tenant, plan and defaults together. */
  readonly settings: Omit<Settings, "group">;
}

/** Why a tenant cannot be anywhere: `property` is the one to change. */
export interface Misplaced {
  readonly property: "plan" | "geo" | "group";
  readonly why: string;
}

/**
 * Chooses plan, group and settings. `group` is that of the tenant, or of its plan; else that of the defaults where
 * `geo` allows it, else the only one that there is, or that `geo` allows. Fails with "invalid-input" for names that are
 * not in the manifest, and where a residency rule is violated or leaves no group, or several.
 */
export function placement(rules: Rules, request: PlacementRequest): Placement & { readonly group: string } {
  const placed = place(rules, request);
  const wrong = "why" in placed ? placed : placed.group === undefined ? noGroup(rules, placed.geo) : undefined;
  if (wrong) throw new TenantryError("invalid-input", `${wrong.property}: ${wrong.why}`);
  return placed as Placement & { readonly group: string };
}

/** The same as a value. `otherwise` is the group of those for whom the manifest has none. */
export function place(rules: Rules, request: PlacementRequest, otherwise?: string): Placement | Misplaced {
  const { defaults } = rules;
  const geo = request.geo ?? defaults.geo;
  const plan = request.plan ?? defaults.plan;
  const profile = plan === undefined ? {} : entryOf(rules.plans, plan);
  if (!profile) return { property: "plan", why: unknownName("plan", plan!, Object.keys(rules.plans)) };
  const rule = geo === undefined ? undefined : entryOf(rules.residency, geo);
  if (geo !== undefined && !rule) {
    return { property: "geo", why: unknownName("residency rule", geo, Object.keys(rules.residency)) };
  }
  const allowed = geo === undefined ? undefined : allowedGroups(rules, geo);
  const isAllowed = (group: string | undefined): boolean => !!group && (!allowed || allowed.includes(group));

  const named = request.group ?? profile.group;
  const groups = rules.groups && Object.keys(rules.groups);
  if (named !== undefined) {
    if (groups && !groups.includes(named)) return { property: "group", why: unknownName("group", named, groups) };
    if (!isAllowed(named)) return violation(named, geo!, allowed!, request.group === undefined ? plan : undefined);
  }
  const candidates = [named, defaults.group, otherwise, groups?.length === 1 ? groups[0] : undefined];
  const group = candidates.find(isAllowed) ?? (allowed?.length === 1 ? allowed[0] : undefined);
  return { group, plan, geo, settings: together(defaults, profile, request) };
}

/** The groups in which data of that place may be; undefined: any. */
export function allowedGroups(rules: Rules, geo: string): readonly string[] | undefined {
  const rule = entryOf(rules.residency, geo);
  if (!rule?.groups && !rule?.locations) return undefined;
  const there = Object.entries(rules.groups ?? {}).filter(([, { location }]) =>
    rule.locations?.includes(location ?? ""),
  );
  return [...new Set([...(rule.groups ?? []), ...there.map(([name]) => name)])];
}

/** What to say of a tenant that has no group. */
export function noGroup(rules: Rules, geo: string | undefined): Misplaced {
  const allowed = geo === undefined ? undefined : (allowedGroups(rules, geo) ?? []);
  const why =
    allowed === undefined
      ? "no group is named: by the tenant, its plan, or `defaults`."
      : allowed.length === 0
        ? `no group is allowed for geo "${geo}".`
        : `geo "${geo}" allows several groups (${someOf(allowed)}): name one.`;
  return { property: "group", why };
}

function violation(group: string, geo: string, allowed: readonly string[], plan: string | undefined): Misplaced {
  const from = plan === undefined ? "" : `, of plan "${plan}",`;
  const others = allowed.length === 0 ? "none is" : `allowed: ${someOf(allowed)}`;
  return { property: "group", why: `group "${group}"${from} is not allowed for geo "${geo}"; ${others}.` };
}

/** A tenant wins over its plan, that over the defaults; labels and tokens by what is in them. */
function together(
  { plan: _plan, geo: _geo, ...defaults }: Rules["defaults"],
  profile: Settings,
  { plan: _itsPlan, geo: _itsGeo, ...own }: PlacementRequest,
): Placement["settings"] {
  const layers: Settings[] = [defaults, profile, own];
  const merged = Object.assign({}, ...layers) as Settings;
  for (const key of ["labels", "tokens"] as const) {
    const parts = layers.map((layer) => layer[key]).filter((part) => part !== undefined);
    if (parts.length > 0) Object.assign(merged, { [key]: Object.assign({}, ...parts) });
  }
  // One setting in two ways to write it: the layer that says it last says all of it.
  const last = layers.findLast((layer) => layer.expiresIn !== undefined || layer.expiresAt !== undefined);
  if (last) Object.assign(merged, { expiresIn: last.expiresIn, expiresAt: last.expiresAt });
  const { group: _group, ...settings } = merged;
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

const entryOf = <T>(all: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(all, name) ? all[name] : undefined;

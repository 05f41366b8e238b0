import type { Context } from "../../context";
import { minVersion } from "../../rollout/fleet/report";
import { parseTemplateRef } from "../../rollout/template-ref";
import type { OpenTenant as Open } from "../schema-rollout/outputs";
import { isClosed } from "./changes";
import type { TenantFleetInputs } from "./inputs";
import { packFleet } from "./pack";
import { type FleetRecord, type FleetState, fleetStates, isMade } from "./record";

/** A tenant that is not as declared. */
export type OpenTenant = Pick<Open, "version" | "why"> & {
  /** The tenant's id. */
  readonly id: string;
  readonly state: FleetState;
};

/** Ids of a template's migrations, oldest first, by template: a refresh runs without the files. */
export type Histories = Readonly<Record<string, readonly string[]>>;

/** What state keeps of a fleet: all inputs, and how every tenant stands. */
export interface TenantFleetOutputs extends TenantFleetInputs {
  readonly scope: string;
  /** Every tenant; see pack.ts. */
  readonly packed: string;
  /** Addresses of databases, with `{name}` or `{hostname}`. */
  readonly urls: string;
  /** Last migration of the template, where the fleet has one template. */
  readonly targetVersion?: string;
  /** What every tenant has at least; absent where one has nothing, or where it is not known. */
  readonly minSchemaVersion?: string;
  readonly counts: Readonly<Record<FleetState, number>>;
  /** Ids of tenants in quarantine. */
  readonly quarantined: readonly string[];
  /** The first 50 that are not as declared. */
  readonly unfinished: readonly OpenTenant[];
  /** How many another `up` has to look at, although nothing else was declared. */
  readonly open: number;
  /** What the last run set out to do. */
  readonly plan: string;
  readonly histories: Histories;
}

const shown = 50;
const longestWhy = 300;

export interface FleetStanding {
  readonly records: Iterable<FleetRecord>;
  readonly scope: string;
  readonly plan: string;
  readonly histories: Histories;
  /** Why a tenant is not as declared, by id. */
  readonly whys: ReadonlyMap<string, string>;
}

/** The full set of outputs; the engine forgets whatever is left out. */
export function outputsOf(inputs: TenantFleetInputs, standing: FleetStanding, context: Context): TenantFleetOutputs {
  const records = [...standing.records];
  const { histories, whys } = standing;
  const counts = Object.fromEntries(fleetStates.map((state) => [state, 0])) as Record<FleetState, number>;
  for (const { state } of records) counts[state] += 1;
  const open = records.filter((record) => isOpen(record, histories));
  return {
    ...inputs,
    scope: standing.scope,
    packed: packFleet(records),
    urls: urlsOf(context),
    ...versionsOf(records, histories),
    counts,
    quarantined: records.filter(({ state }) => state === "quarantined").map(({ id }) => id),
    unfinished: open
      .slice(0, shown)
      .map(({ id, state, schemaVersion: version }) => ({ id, state, version, why: cut(whys.get(id)) })),
    open: open.length,
    plan: standing.plan,
    histories,
  };
}

const cut = (why: string | undefined): string | undefined =>
  why !== undefined && why.length > longestWhy ? `${why.slice(0, longestWhy)}...` : why;

/** Whoever is ahead of the template is not behind it, and whoever is declared closed waits for being opened. */
export function isOpen({ state, profile, schemaVersion }: FleetRecord, histories: Histories): boolean {
  if (state === "ready" || state === "expired") return false;
  if (state !== "skipped") return true;
  if (isClosed(profile)) return false;
  const history = histories[parseTemplateRef(profile.schema ?? "")?.name ?? ""] ?? [];
  return schemaVersion === undefined || history.includes(schemaVersion);
}

function versionsOf(
  records: readonly FleetRecord[],
  histories: Histories,
): Pick<TenantFleetOutputs, "targetVersion" | "minSchemaVersion"> {
  const [template, ...others] = Object.keys(histories);
  if (template === undefined || others.length > 0) return {};
  const history = histories[template]!.map((id) => ({ id, hash: "" }));
  const outcomes = records
    .filter((record) => isMade(record) && record.profile.schema !== undefined && record.state !== "expired")
    .map(({ name, profile, schemaVersion }) => ({
      ...{ name, group: profile.group, state: "current" as const },
      ...(schemaVersion === undefined ? {} : { version: schemaVersion }),
    }));
  const least = outcomes.length === 0 ? undefined : minVersion({ outcomes, history });
  return { targetVersion: history.at(-1)!.id, ...(least === undefined ? {} : { minSchemaVersion: least }) };
}

/** The platform's addresses as a template. */
export function urlsOf({ platform }: Context): string {
  const [name, hostname] = ["tenantry-name", "tenantry-hostname"];
  return platform
    .databaseUrl({ name, hostname })
    .replaceAll(hostname, () => "{hostname}")
    .replaceAll(name, () => "{name}");
}

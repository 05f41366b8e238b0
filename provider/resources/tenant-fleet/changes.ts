import { isDeepStrictEqual } from "node:util";
import { TenantryError } from "../../platform/errors";
import { type TemplateRef, parseTemplateRef } from "../../rollout/template-ref";
import { configurationChange, declaredConfiguration, desiredConfiguration } from "../tenant-database/configuration";
import { decide } from "../tenant-database/diff";
import type { TenantDatabaseInputs } from "../tenant-database/inputs";
import {
  type Addresses,
  type FleetAddress,
  type FleetRecord,
  type MadeRecord,
  type Profile,
  databaseInputs,
  databaseOutputs,
  isMade,
} from "./record";
import type { RosterTenant } from "./roster";

/** What is between a fleet as it was recorded and a roster. */
export interface FleetChanges {
  readonly create: readonly RosterTenant[];
  readonly change: readonly Change[];
  /** Name or group change, and the program says to destroy and make anew. */
  readonly replace: readonly Change[];
  /** Tenants that are behind, by the template's ref, those included that are changed too. */
  readonly bring: ReadonlyMap<string, readonly Change[]>;
  readonly remove: readonly FleetRecord[];
}

export interface Change {
  readonly record: MadeRecord;
  readonly tenant: RosterTenant;
}

export const changesNothing = ({ create, change, replace, bring, remove }: FleetChanges): boolean =>
  create.length + change.length + replace.length + bring.size + remove.length === 0;

/** What is compared as it is declared; settings are compared by what they mean. */
const recorded = [
  "labels",
  "deletionPolicy",
  "gracePeriod",
  "onReplace",
  "expiresIn",
] as const satisfies readonly (keyof Profile)[];

/**
 * Compares without I/O. Fails with "needs-decision", naming the first ones, where a name or a group changes and nobody has
 * said what that does to the data. `moved`: the fleet has another address now, which every claim has to follow.
 */
export function planChanges(
  records: ReadonlyMap<string, FleetRecord>,
  tenants: readonly RosterTenant[],
  fleet: FleetAddress & { readonly scope: string },
  context: Addresses,
  moved = false,
): FleetChanges {
  const create: RosterTenant[] = [];
  const change: Change[] = [];
  const replace: Change[] = [];
  const bring = new Map<string, Change[]>();
  const refusals = new Refusals();
  const compare = createComparison();
  const declared = new Set<string>();
  for (const tenant of tenants) {
    declared.add(tenant.id);
    const record = records.get(tenant.id);
    if (!isMade(record)) {
      if (record?.state !== "expired" || !sameEnd(record, tenant)) create.push(tenant);
      continue;
    }
    if (record.state === "expired" && sameEnd(record, tenant)) continue;
    const both = { record, tenant };
    const move = whatMoves(both);
    if (move) {
      try {
        const isReplaced = decide(
          databaseOutputs(fleet, record, context),
          { ...databaseInputs(fleet, tenant) } satisfies TenantDatabaseInputs,
          move,
        );
        (isReplaced ? replace : change).push(both);
        if (isReplaced) continue;
      } catch (error) {
        if (!(error instanceof TenantryError)) throw error;
        refusals.add(tenant.id, error);
        continue;
      }
    } else if (isUnsettled(record) || moved || !sameEnd(record, tenant) || compare.differ(record, tenant)) {
      change.push(both);
    }
    const { schema } = tenant;
    if (schema !== undefined && compare.isBehind(record, schema) && !waits(record, tenant)) {
      const known = bring.get(schema) ?? [];
      bring.set(schema, known);
      known.push(both);
    }
  }
  refusals.throwIfAny();
  return { create, change, replace, bring, remove: [...records.values()].filter(({ id }) => !declared.has(id)) };
}

/** Who cannot be changed as declared; what to do about all of them is said once. */
class Refusals {
  private readonly byFix = new Map<string, string[]>();

  add(id: string, { message, fix = "" }: TenantryError): void {
    const texts = this.byFix.get(fix) ?? [];
    this.byFix.set(fix, texts);
    texts.push(`tenants.${id}.${fix ? message.slice(0, -fix.length - 1) : message}`);
  }

  throwIfAny(): void {
    const all = [...this.byFix].map(([fix, texts]) => `${listed(texts, 5)}${texts.length > 1 ? "\n" : " "}${fix}`);
    if (all.length > 0) throw new TenantryError("needs-decision", all.join("\n"));
  }
}

/** It was left behind because it is closed, and stays so. */
const waits = ({ state, profile }: FleetRecord, tenant: RosterTenant): boolean =>
  state === "skipped" && isClosed(profile) && isClosed(tenant);

/** Such a tenant has its schema brought up first where it is about to be closed: afterwards it could not be. */
export const isClosed = ({ suspended, blockReads, blockWrites }: Profile): boolean =>
  suspended === true || blockReads === true || blockWrites === true;

/** A failure, or somebody else's change: what is declared is set once more. */
const isUnsettled = ({ state }: FleetRecord): boolean => state === "failed" || state === "changed";

const sameEnd = ({ profile, expiresAt }: FleetRecord, tenant: RosterTenant): boolean =>
  tenant.expiresIn === undefined
    ? profile.expiresIn === undefined && expiresAt === tenant.expiresAt
    : tenant.expiresIn === profile.expiresIn;

function whatMoves({ record, tenant }: Change): "name" | "group" | undefined {
  if (record.name !== tenant.name) return "name";
  return record.profile.group !== tenant.group ? "group" : undefined;
}

/** Remembers what it has compared: most tenants are declared like others. */
export function createComparison() {
  const outcomes = new Map<Profile, Map<string, boolean>>();
  const targets = new Map<string, TemplateRef | undefined>();
  const targetOf = (schema: string): TemplateRef | undefined => {
    if (!targets.has(schema)) targets.set(schema, parseTemplateRef(schema));
    return targets.get(schema);
  };
  return {
    /** Beside the schema. */
    differ({ profile }: FleetRecord, tenant: RosterTenant): boolean {
      const { id: _, name: __, expiresAt: ___, ...declared } = tenant;
      // Keys of a roster are in one order.
      const key = JSON.stringify(declared);
      const known = outcomes.get(profile) ?? new Map<string, boolean>();
      outcomes.set(profile, known);
      const before = known.get(key);
      if (before !== undefined) return before;
      const differs =
        differing(profile, tenant).length > 0 ||
        targetOf(tenant.schema ?? "")?.name !== targetOf(profile.schema ?? "")?.name;
      known.set(key, differs);
      return differs;
    },
    isBehind({ profile, schemaVersion, state }: FleetRecord, schema: string): boolean {
      if (state === "quarantined" || state === "skipped" || state === "unknown") return true;
      if (profile.schema === schema && schemaVersion !== undefined) return targetOf(schema)?.version !== schemaVersion;
      const before = targetOf(profile.schema ?? "");
      const target = targetOf(schema);
      return schemaVersion !== target?.version || before?.digest !== target?.digest;
    },
  };
}

/** Names of the properties that are declared otherwise than they are recorded, for the reader of a plan. */
export function changedProperties({ record, tenant }: Change): string[] {
  const { profile } = record;
  const [before, target] = [profile, tenant].map(({ schema = "" }) => parseTemplateRef(schema)?.name);
  const end = tenant.expiresIn === undefined && profile.expiresIn === undefined ? ["expiresAt"] : ["expiresIn"];
  const properties = [
    ...(record.name === tenant.name ? [] : ["name"]),
    ...(profile.group === tenant.group ? [] : ["group"]),
    ...(before === target ? [] : ["schema"]),
    ...differing(profile, tenant),
    ...(sameEnd(record, tenant) ? [] : end),
  ];
  // Both are what `suspended` means.
  const isPart = (key: string): boolean => properties.includes("suspended") && /^block(Reads|Writes)$/.test(key);
  return [...new Set(properties)].filter((key) => !isPart(key));
}

function differing(before: Profile, tenant: RosterTenant): string[] {
  const olds = before as TenantDatabaseInputs;
  const news = tenant as Omit<TenantDatabaseInputs, "self"> as TenantDatabaseInputs;
  return [
    ...(news.suspended !== undefined && news.suspended !== olds.suspended ? ["suspended"] : []),
    ...Object.keys(configurationChange(declaredConfiguration(olds), desiredConfiguration(news, olds)) ?? {}),
    ...recorded.filter((key) => !isDeepStrictEqual(plain(before[key]), plain(tenant[key]))),
  ];
}

/** No labels are as good as empty ones. */
const plain = (value: unknown): unknown => (isDeepStrictEqual(value, {}) ? undefined : value);

/** Lines of which the first are written out. */
export function listed(lines: readonly string[], most = 20): string {
  const rest = lines.length > most ? [`and ${(lines.length - most).toLocaleString("en-US")} more`] : [];
  return [...lines.slice(0, most), ...rest].join("\n  ");
}

import { TenantryError } from "../../platform/errors";
import { Unfinished } from "../handler";
import type { Say } from "../schema-rollout/narration";
import { type Brought, type Member, bringTo } from "./bring";
import { type Change, type FleetChanges, createComparison, isClosed } from "./changes";
import { type FleetRecord, type FleetState, type MadeRecord, isMade } from "./record";
import type { RosterTenant } from "./roster";
import { type Settling, changeTenant, createTenant, removeTenant } from "./settle";
import { createTelling } from "./telling";
import { type Watch, createWatch } from "./watch";

/** How far a run came: every tenant's record, and why those that are not as declared are not. */
export interface FleetRun {
  readonly records: ReadonlyMap<string, FleetRecord>;
  readonly whys: ReadonlyMap<string, string>;
  /** Why nothing else was begun. */
  readonly stopped: TenantryError | undefined;
  /** What rollouts have to say of their ends, and of which tenants, by id. */
  readonly problems: readonly TenantryError[];
  readonly ofRollouts: ReadonlySet<string>;
}

/**
 * Does what is between a fleet and its roster, in an order that loses nothing: what is new, then settings, then schemas,
 * then the settings of those that are to be closed, and removals last. Never fails for what happens to a tenant.
 */
export async function runChanges(
  on: Settling,
  changes: FleetChanges,
  tenants: readonly RosterTenant[],
  before: ReadonlyMap<string, FleetRecord>,
  say: Say,
): Promise<FleetRun> {
  const records = new Map(before);
  const whys = new Map<string, string>();
  const problems: TenantryError[] = [];
  const ofRollouts = new Set<string>();
  const telling = createTelling(changes, say);
  const watch = createWatch(on.context, telling.one);

  const failed = (record: FleetRecord, error: unknown): void => {
    const reason = error instanceof Unfinished ? error.reason : error;
    if (!(reason instanceof Error)) throw error;
    const reached = error instanceof Unfinished ? (error.outputs as MadeRecord) : record;
    records.set(record.id, { ...reached, state: record.state });
    whys.set(record.id, reason.message);
  };
  /** How a tenant is told that the run did not come to. */
  const mark = (record: FleetRecord, state: FleetState = "failed"): FleetRecord => {
    const marked = { ...record, state };
    records.set(record.id, marked);
    return marked;
  };
  const unmade = ({ id, name, ...rest }: RosterTenant): FleetRecord => ({
    ...{ id, name, profile: on.profiles.of(rest), state: "failed" },
  });
  const create = async (tenant: RosterTenant): Promise<void> => {
    const known = records.get(tenant.id);
    if (known && (known.name !== tenant.name || known.profile.group !== tenant.group)) {
      // A create under the old name may have come true, its reply lost: once it has another one, nobody would know.
      await removeTenant(on, known);
      mark(unmade(tenant));
    }
    records.set(tenant.id, await createTenant(on, tenant));
  };

  for (const tenant of changes.create) mark(records.get(tenant.id) ?? unmade(tenant));
  const [closing, opening] = parted(changes.change, ({ tenant }) => isClosed(tenant));
  for (const { record } of [...changes.change, ...changes.replace]) mark(record);
  telling.begin("create");
  await watch.each(changes.create, create, (tenant, error) => failed(mark(records.get(tenant.id)!), error));
  telling.begin("change");
  await watch.each(
    opening,
    async (change) => void records.set(change.record.id, await changeTenant(on, change)),
    ({ record }, error) => failed(mark(record), error),
  );
  telling.begin("replace");
  await watch.each(
    changes.replace,
    async ({ record, tenant }) => {
      await removeTenant(on, record);
      mark(unmade(tenant));
      await create(tenant);
    },
    ({ tenant }, error) => failed(records.get(tenant.id)!, error),
  );

  for (const { whys: behind, problem } of await bringAll(on, tenants, records, whys, watch, say)) {
    for (const [id, why] of behind) {
      whys.set(id, why);
      ofRollouts.add(id);
    }
    if (problem) problems.push(problem);
  }

  telling.begin("change");
  const standing = new Map(closing.map(({ record: { id } }) => [id, records.get(id)!]));
  for (const record of standing.values()) mark(record);
  await watch.each(
    closing,
    async ({ record: { id }, tenant }) => {
      const { state, ...record } = standing.get(id) as MadeRecord;
      const isBehind = state !== "ready" && (state !== "failed" || whys.has(id));
      const changed = await changeTenant(on, { record: { ...record, state }, tenant });
      records.set(id, isBehind ? { ...changed, state } : changed);
    },
    ({ record }, error) => failed(records.get(record.id)!, error),
  );

  telling.begin("remove");
  for (const record of changes.remove) mark(record, "removing");
  await watch.each(
    changes.remove,
    async (record) => {
      const note = await removeTenant(on, record);
      if (note !== undefined) await on.note(note);
      records.delete(record.id);
    },
    ({ id }, error) => failed(records.get(id)!, error),
  );
  await telling.end();
  return { records, whys, problems, ofRollouts, stopped: watch.stopped };
}

function parted(changes: readonly Change[], isFirst: (change: Change) => boolean): [Change[], Change[]] {
  return [changes.filter(isFirst), changes.filter((change) => !isFirst(change))];
}

/** Schemas, by the fleet's policy, one template after the other. */
async function bringAll(
  { context, news, profiles }: Settling,
  tenants: readonly RosterTenant[],
  records: Map<string, FleetRecord>,
  whys: ReadonlyMap<string, string>,
  watch: Watch,
  say: Say,
): Promise<Brought[]> {
  const all: Brought[] = [];
  for (const [schema, members] of membersOf(tenants, records)) {
    const behind = members.filter(({ isBehind }) => isBehind);
    if (behind.length === 0) continue;
    if (watch.stopped) {
      for (const { record } of behind) records.set(record.id, { ...record, state: "failed" });
      continue;
    }
    const brought = await bringTo(schema, members, news, context, profiles, say);
    for (const record of brought.records) {
      const { id } = record;
      // What failed in its settings stays failed.
      records.set(id, whys.has(id) ? { ...record, state: "failed" } : record);
    }
    // What failed before says more.
    all.push({ ...brought, whys: new Map([...brought.whys].filter(([id]) => !whys.has(id))) });
  }
  return all;
}

/** Tenants that have a database, by the ref of their template. */
function membersOf(tenants: readonly RosterTenant[], records: ReadonlyMap<string, FleetRecord>): Map<string, Member[]> {
  const { isBehind } = createComparison();
  const members = new Map<string, Member[]>();
  for (const tenant of tenants) {
    const record = records.get(tenant.id);
    if (tenant.schema === undefined || !isMade(record) || record.state === "expired") continue;
    const known = members.get(tenant.schema) ?? [];
    members.set(tenant.schema, known);
    known.push({ tenant, record, isBehind: isBehind(record, tenant.schema) });
  }
  return members;
}

import { resolve } from "node:path";
import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { projectFolder } from "../../project-folder";
import { templateMigrations } from "../../rollout/template-source";
import { Unfinished } from "../handler";
import type { Say } from "../schema-rollout/narration";
import { requireGroup } from "../tenant-database/acquire";
import { type Member, bringTo, templateOf } from "./bring";
import { changeText, count, someOf } from "./change-text";
import { type FleetChanges, createComparison, planChanges } from "./changes";
import type { TenantFleetInputs } from "./inputs";
import { type Histories, type TenantFleetOutputs, outputsOf } from "./outputs";
import { unpackFleet } from "./pack";
import { type FleetRecord, type MadeRecord, createProfiles, isMade } from "./record";
import { requireFewRemovals } from "./removal-limit";
import { type Roster, type RosterTenant, readRoster } from "./roster";
import { type Settling, changeTenant, createTenant, removeTenant } from "./settle";
import { createTelling } from "./telling";
import { createWatch } from "./watch";

export interface Reconciliation {
  readonly id: string;
  /** State; undefined for a fleet that is new. */
  readonly olds: TenantFleetOutputs | undefined;
  readonly news: TenantFleetInputs;
  readonly context: Context;
  readonly scope: string;
  readonly say: Say;
}

export const rosterOf = ({ roster, digest }: Pick<TenantFleetInputs, "roster" | "digest">): Roster =>
  readRoster(resolve(projectFolder(), roster), digest);

/**
 * Brings a fleet to its roster: first what is new or set otherwise, then schemas, and removals last. One tenant's failure
 * is its own: the others are done, and the outputs hold all that was reached, so that the next run does what is left. A
 * run that was killed is found again in the registry.
 */
export async function reconcile({ id, olds, news, context, scope, say }: Reconciliation): Promise<TenantFleetOutputs> {
  const profiles = createProfiles();
  const { tenants } = rosterOf(news);
  const records = new Map(unpacked(olds, profiles).map((record) => [record.id, record]));
  const changes = planChanges(
    records,
    tenants,
    { ...news, scope },
    context,
    olds !== undefined && olds.self !== news.self,
  );
  await requireFewRemovals(changes, news, context, records.size);
  await requireGroups(changes, context);

  const plan = changeText(changes);
  const whys = new Map<string, string>();
  const problems: TenantryError[] = [];
  const telling = createTelling(changes, say);
  const watch = createWatch(context, telling.one);
  const left: string[] = [];
  const note = async (text: string): Promise<void> => void left.push(text);
  const on: Settling = { context, news, olds: olds ?? news, scope, profiles, note };
  const fail = (record: FleetRecord, error: unknown): void => {
    const reason = error instanceof Unfinished ? error.reason : error;
    if (error instanceof Unfinished) record = error.outputs as MadeRecord;
    if (!(reason instanceof Error)) throw error;
    records.set(record.id, record);
    whys.set(record.id, reason.message);
  };
  const unreached = ({ id: tenant, name, ...rest }: RosterTenant): FleetRecord =>
    records.get(tenant) ?? { id: tenant, name, profile: profiles.of(rest), state: "failed" };

  telling.begin("create");
  for (const tenant of changes.create) records.set(tenant.id, { ...unreached(tenant), state: "failed" });
  for (const { record } of [...changes.change, ...changes.replace])
    records.set(record.id, { ...record, state: "failed" });
  await watch.each(
    changes.create,
    async (tenant) => void records.set(tenant.id, await createTenant(on, tenant)),
    (tenant, error) => fail({ ...unreached(tenant), state: "failed" }, error),
  );
  telling.begin("change");
  await watch.each(
    changes.change,
    async (change) => void records.set(change.record.id, await changeTenant(on, change)),
    ({ record }, error) => fail({ ...record, state: "failed" }, error),
  );
  telling.begin("replace");
  await watch.each(
    changes.replace,
    async ({ record, tenant }) => {
      await removeTenant(on, record);
      records.delete(tenant.id);
      records.set(tenant.id, await createTenant(on, tenant));
    },
    ({ record, tenant }, error) =>
      fail(records.has(tenant.id) ? { ...record, state: "failed" } : unreached(tenant), error),
  );

  const histories = historiesOf(tenants);
  for (const [schema, members] of membersOf(tenants, records)) {
    if (!members.some(({ isBehind }) => isBehind)) continue;
    if (watch.stopped) {
      for (const { record, isBehind } of members) if (isBehind) records.set(record.id, { ...record, state: "failed" });
      continue;
    }
    const brought = await bringTo(schema, members, news, context, profiles, say);
    for (const record of brought.records) {
      // What failed in its settings stays failed.
      const failed = records.get(record.id)?.state === "failed" && whys.has(record.id);
      records.set(record.id, failed ? { ...record, state: "failed" } : record);
    }
    for (const [tenant, why] of brought.whys) whys.set(tenant, why);
    if (brought.problem) problems.push(brought.problem);
  }

  telling.begin("remove");
  for (const record of changes.remove) records.set(record.id, { ...record, state: "removing" });
  await watch.each(
    changes.remove,
    async (record) => {
      const note = await removeTenant(on, record);
      if (note !== undefined) left.push(note);
      records.delete(record.id);
    },
    (record, error) => fail({ ...record, state: "removing" }, error),
  );
  if (left.length > 0) await say("info", someOf(left));
  await telling.end();

  const outputs = outputsOf(news, { records: sorted(records), scope, plan, histories, whys }, context);
  const failed = problemOf(outputs, watch.stopped, problems);
  if (failed) throw new Unfinished(failed, id, outputs);
  return outputs;
}

const unpacked = (olds: TenantFleetOutputs | undefined, profiles: ReturnType<typeof createProfiles>): FleetRecord[] =>
  olds === undefined ? [] : unpackFleet(olds.packed, profiles);

const sorted = (records: ReadonlyMap<string, FleetRecord>): FleetRecord[] =>
  [...records.values()].sort((a, b) => (a.id < b.id ? -1 : 1));

/** Before anything is made: one answer for a thousand tenants. */
async function requireGroups({ create, replace }: FleetChanges, context: Context): Promise<void> {
  const groups = new Set([...create, ...replace.map(({ tenant }) => tenant)].map(({ group }) => group));
  for (const group of groups) await requireGroup(context, group);
}

function historiesOf(tenants: readonly RosterTenant[]): Histories {
  const histories: Record<string, string[]> = {};
  for (const schema of new Set(tenants.map((tenant) => tenant.schema))) {
    const template = templateOf({ schema });
    if (template) histories[template.name] = templateMigrations(template).map(({ id }) => id);
  }
  return histories;
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

/** How many that failed are named. */
const named = 5;

function problemOf(
  { counts, unfinished, count: declared }: TenantFleetOutputs,
  stopped: TenantryError | undefined,
  problems: readonly TenantryError[],
): TenantryError | undefined {
  const failed = counts.failed + counts.unknown + counts.removing;
  if (failed === 0 && !stopped) return problems[0];
  // A rollout tells of its own tenants, and nothing else went wrong.
  if (!stopped && problems.length === 1 && unfinished.every(({ state }) => state !== "removing")) return problems[0];
  const first = unfinished.filter(({ why }) => why !== undefined).slice(0, named);
  const lines = first.map(({ id, why }) => `\n  ${why!.startsWith(`${id}:`) ? why : `${id}: ${why}`}`);
  const rest = failed > first.length ? [`\n  and ${count(failed - first.length)} more`] : [];
  const head = `${count(counts.ready)} of ${count(declared)} tenants are as declared, ${count(failed)} are not`;
  return new TenantryError(
    stopped?.code ?? "needs-decision",
    `${head}${stopped ? `, and no other was begun: ${stopped.message}` : ":"}${[...lines, ...rest].join("")}`,
    { fix: "\nWhat is done stays done: correct what failed, and `pulumi up` does the rest.", cause: stopped },
  );
}

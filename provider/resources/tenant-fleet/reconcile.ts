import { resolve } from "node:path";
import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { freshEnough } from "../../platform/listing";
import { projectFolder } from "../../project-folder";
import { templateMigrations } from "../../rollout/template-source";
import { Unfinished } from "../handler";
import type { Say } from "../schema-rollout/narration";
import { parseSelf } from "../self";
import { requireGroup } from "../tenant-database/acquire";
import { templateFor } from "../tenant-database/schema";
import { templateOf } from "./bring";
import { changeText, count, someOf } from "./change-text";
import { type FleetChanges, planChanges } from "./changes";
import type { TenantFleetInputs } from "./inputs";
import { type Histories, type TenantFleetOutputs, outputsOf } from "./outputs";
import { unpackFleet } from "./pack";
import { type FleetRecord, createProfiles, databaseInputs } from "./record";
import { requireFewRemovals } from "./removal-limit";
import { type Roster, type RosterTenant, readRoster } from "./roster";
import { type FleetRun, runChanges } from "./run";

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
 * Brings a fleet to its roster. One tenant's failure is its own: the others are done, and the outputs hold all that was
 * reached, so that the next run does what is left. What a run that was killed had begun is found in the registry.
 */
export async function reconcile({ id, olds, news, context, scope, say }: Reconciliation): Promise<TenantFleetOutputs> {
  const profiles = createProfiles();
  const { tenants } = rosterOf(news);
  const known = olds === undefined ? [] : unpackFleet(olds.packed, profiles);
  const before = new Map(known.map((record) => [record.id, record]));
  const hasMoved = olds !== undefined && olds.self !== news.self;
  const changes = planChanges(before, tenants, { ...news, scope }, context, hasMoved);
  await requireFewRemovals(changes, news, context, before.size);
  await prepare(changes, news, context);
  const notes: string[] = [];
  const note = async (text: string): Promise<void> => void notes.push(text);
  const on = { context, news, olds: olds ?? news, scope, profiles, note };
  const run = await runChanges(on, changes, tenants, before, say);
  if (notes.length > 0) await say("info", someOf(notes));
  const standing = {
    ...{ scope, plan: changeText(changes), histories: historiesOf(tenants), whys: run.whys },
    records: [...run.records.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
  const outputs = outputsOf(news, standing, context);
  const problem = problemOf(outputs, standing.records, run);
  if (problem) throw new Unfinished(problem, id, outputs);
  return outputs;
}

/**
 * What every new tenant waits for, asked for at once; and, before anything is made, one answer for a thousand tenants
 * whose group is not there.
 */
async function prepare({ create, replace }: FleetChanges, news: TenantFleetInputs, context: Context): Promise<void> {
  const tenants = [...create, ...replace.map(({ tenant }) => tenant)];
  const groups = [...new Set(tenants.map(({ group }) => group))];
  if (groups.length === 0) return;
  // Not beside others: of two refusals at once, the one that explains might not be the one that is shown.
  await context.listing.databases(freshEnough);
  // In a group that is not there nothing is made. Where one of several is not, nothing must be made in the others.
  if (groups.length === 1) makeWhatIsOurs(tenants, news, context);
  await Promise.all(groups.map((group) => requireGroup(context, group)));
  if (groups.length > 1) makeWhatIsOurs(tenants, news, context);
}

/** Registries, and what new tenants are copied from. A failure is met again by each tenant that needs it. */
function makeWhatIsOurs(tenants: readonly RosterTenant[], news: TenantFleetInputs, context: Context): void {
  const { stack } = parseSelf(news.self);
  const kinds = new Map(
    tenants.map((tenant) => [`${tenant.group}\n${tenant.schema}\n${tenant.seed !== undefined}`, tenant]),
  );
  for (const tenant of kinds.values()) {
    context.registry(tenant.group, stack).catch(() => undefined);
    if (!tenant.seed) templateFor(context, databaseInputs(news, tenant), false).catch(() => undefined);
  }
}

function historiesOf(tenants: readonly RosterTenant[]): Histories {
  const histories: Record<string, string[]> = {};
  for (const schema of new Set(tenants.map((tenant) => tenant.schema))) {
    const template = templateOf({ schema });
    if (template) histories[template.name] = templateMigrations(template).map(({ id }) => id);
  }
  return histories;
}

/** How many that failed are named. */
const named = 5;

/** Undefined where the run did what it was asked for; else who did not get there, and why. */
function problemOf(
  { counts, count: declared }: TenantFleetOutputs,
  records: readonly FleetRecord[],
  { stopped, problems, ofRollouts, whys }: FleetRun,
): TenantryError | undefined {
  const failed = records.filter(({ state }) => state === "failed" || state === "unknown" || state === "removing");
  if (failed.length === 0 && !stopped) return problems[0];
  const [rollout, another] = problems;
  // A rollout names its own, and nothing else went wrong.
  if (rollout && !another && !stopped && failed.every(({ id }) => ofRollouts.has(id))) return rollout;
  const lines = failed.flatMap(({ id }) => {
    const why = whys.get(id);
    return why === undefined ? [] : [`\n  ${why.startsWith(`${id}:`) ? why : `${id}: ${why}`}`];
  });
  const rest = failed.length - Math.min(lines.length, named);
  const more = rest > 0 ? [`\n  and ${count(rest)} more`] : [];
  const are = failed.length === 1 ? "1 is not" : `${count(failed.length)} are not`;
  const head = `${count(counts.ready)} of ${count(declared)} tenants are as declared, ${are}`;
  const why = stopped ? `, and no other was begun: ${stopped.message}` : ":";
  return new TenantryError(
    stopped?.code ?? "needs-decision",
    `${head}${why}${[...lines.slice(0, named), ...more].join("")}`,
    { fix: "\nWhat is done stays done: correct what failed, and `pulumi up` does the rest.", cause: stopped },
  );
}

import { setTimeout as sleep } from "node:timers/promises";
import type { DatabaseConfiguration, PlatformDatabase } from "../../platform/platform";
import { isBlocked } from "../../platform/sql-failure";
import type { Context } from "../../context";
import type { TenantDatabaseInputs } from "./inputs";

const settings = ["blockReads", "blockWrites", "deleteProtection", "allowedIps", "sizeLimit"] as const;
type Setting = (typeof settings)[number];

/** What each setting goes back to when it is taken out of the program. A size limit has no "none". */
const initial = { blockReads: false, blockWrites: false, deleteProtection: false, allowedIps: [] } as const;

export const initialSetting = (key: string): unknown => initial[key as keyof typeof initial];

/**
 * The settings that the program manages. What it does not mention is left alone, so that adopting a database changes
 * nothing about it.
 */
export function declaredConfiguration(inputs: TenantDatabaseInputs): DatabaseConfiguration {
  const suspended =
    inputs.suspended === undefined ? {} : { blockReads: inputs.suspended, blockWrites: inputs.suspended };
  return pick({ ...suspended, ...pick(inputs) });
}

/** The same, with what has been taken out of the program since `before` back at its initial value. */
export function desiredConfiguration(
  inputs: TenantDatabaseInputs,
  before: TenantDatabaseInputs,
): DatabaseConfiguration {
  const released = Object.fromEntries(
    Object.keys(declaredConfiguration(before))
      .filter((key) => key in initial)
      .map((key) => [key, initial[key as keyof typeof initial]]),
  );
  return { ...released, ...declaredConfiguration(inputs) };
}

/** Opens what the program keeps blocked, for the length of a migration; somebody else's block is not ours to lift. */
export function opened(desired: DatabaseConfiguration): DatabaseConfiguration {
  const blocks = (["blockReads", "blockWrites"] as const).filter((key) => desired[key] === true);
  return Object.fromEntries(blocks.map((key) => [key, false]));
}

/** Only what differs; undefined when nothing does. */
export function configurationChange(
  observed: DatabaseConfiguration,
  desired: DatabaseConfiguration,
): DatabaseConfiguration | undefined {
  const differing = settings.filter(
    (key) => desired[key] !== undefined && !same(key, observed[key] ?? initialSetting(key), desired[key]),
  );
  if (differing.length === 0) return undefined;
  return Object.fromEntries(differing.map((key) => [key, desired[key]]));
}

/** The platform's present values of the settings asked about: from the listing where it tells, else one more call. */
export async function observeConfiguration(
  context: Context,
  database: PlatformDatabase,
  of: DatabaseConfiguration,
): Promise<DatabaseConfiguration> {
  const listed: DatabaseConfiguration = pick(database);
  const missing = settings.some((key) => of[key] !== undefined && listed[key] === undefined);
  return missing ? { ...listed, ...(await context.platform.getConfiguration(database.name)) } : listed;
}

/** Sends what differs; answers what is then the case. */
export async function configure(
  context: Context,
  name: string,
  observed: DatabaseConfiguration,
  desired: DatabaseConfiguration,
): Promise<DatabaseConfiguration> {
  const change = configurationChange(observed, desired);
  if (change) {
    await context.platform.configureDatabase(name, change);
    context.listing.configured(name, change);
  }
  if (change?.blockReads === false || change?.blockWrites === false) noteLift(context, name);
  return { ...observed, ...change };
}

/** Told of a block that this process has just lifted. */
export function noteLift(context: Context, name: string): void {
  lifts.set(context, (lifts.get(context) ?? new Map<string, number>()).set(name, Date.now()));
}

/** When this process lifted a block, by database. */
const lifts = new WeakMap<Context, Map<string, number>>();
/** How long a block may outlive its lifting, in ms: a platform may apply a change after confirming it. */
const afterglow = 10_000;

/** Repeats work that a block refuses which we have just lifted ourselves. The work must be safe to repeat. */
export async function sinceLifted<Result>(
  context: Context,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let delay = 100; ; delay *= 2) {
    try {
      return await work();
    } catch (error) {
      const until = (lifts.get(context)?.get(name) ?? 0) + afterglow;
      if (!isBlocked(error) || Date.now() + delay >= until) throw error;
    }
    await sleep(delay);
  }
}

function pick(from: object): DatabaseConfiguration {
  const values = from as Record<Setting, unknown>;
  return Object.fromEntries(settings.filter((key) => values[key] !== undefined).map((key) => [key, values[key]]));
}

function same(key: Setting, a: unknown, b: unknown): boolean {
  if (key === "sizeLimit") return sizes(a).some((size) => sizes(b).includes(size));
  if (Array.isArray(a) && Array.isArray(b)) return JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
  return a === b;
}

/** The bytes that a size such as "256mb" can mean: Turso does not document whether its kb is 1,000 or 1,024. */
function sizes(text: unknown): number[] {
  const [, digits, unit = ""] = /^(\d+) *([kmgt]?)i?b?$/i.exec(String(text)) ?? [];
  if (digits === undefined) return [];
  const power = ["", "k", "m", "g", "t"].indexOf(unit.toLowerCase());
  return [1_000, 1_024].map((base) => Number(digits) * base ** power);
}

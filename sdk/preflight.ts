import * as pulumi from "./pulumi";
import type { Context } from "../provider/context";
import type { Platform } from "../provider/platform/platform";
import type { NewThing } from "../provider/resources/tenant-fleet/foresee";
import type { FleetAddress } from "../provider/resources/tenant-fleet/record";
import type { RosterTenant } from "../provider/resources/tenant-fleet/roster";
import { isKnown, settled } from "./known";

/** Something that must be there before the first write. `where` names the resource and the property. */
export interface Need {
  readonly what: "location" | "group";
  readonly value: string;
  readonly where: string;
}

/** The tenants of a fleet that is new or changes; `where` names it. */
export interface FleetNeed extends Pick<FleetAddress, "self" | "formerly"> {
  readonly where: string;
  readonly tenants: readonly RosterTenant[];
  /** State has it already. */
  readonly isThere: boolean;
}

/** What a resource that is not there yet takes of the plan; `where` names it. */
export interface MadeThing {
  readonly where: string;
  readonly database?: {
    readonly name: pulumi.Input<string>;
    readonly group: pulumi.Input<string>;
    readonly schema?: pulumi.Input<string>;
    readonly seed?: unknown;
  };
  readonly group?: pulumi.Input<string>;
}

interface Waiting {
  readonly connection: string | undefined;
  readonly asIs: pulumi.Output<unknown>;
  readonly need?: Need;
  /** Counted where `id` is not known: then there is none yet. */
  readonly made?: { readonly id: pulumi.Output<unknown>; readonly thing: MadeThing };
  /** Undefined: not known yet. */
  readonly fleet?: () => Promise<FleetNeed | undefined>;
}

/**
 * In a preview the engine calls neither create nor update, so what needs the platform is looked up here, in the
 * program's process: a few read-only calls, shared by all resources, and all that is wrong is said at once. Outside a
 * preview there is no preflight: applying nothing costs nothing. Neither does a preview in which nothing changes.
 */
let waiting: Waiting[] = [];
let round: Promise<void> | undefined;

/**
 * Every resource joins; what it needs is looked up together with the others' that are declared in the same turn. `asIs`: an
 * output of it that a preview knows only where the resource stays as it is; then nothing is looked up.
 */
export function joinPreflight(
  connection: string | undefined,
  asIs: pulumi.Output<unknown>,
  need?: Need,
  made?: { readonly id: pulumi.Output<unknown>; readonly thing: MadeThing },
): void {
  join({ connection, asIs, ...(need ? { need } : {}), ...(made ? { made } : {}) });
}

/** The same for the tenants of a fleet. */
export function joinFleet(
  connection: string | undefined,
  asIs: pulumi.Output<unknown>,
  fleet: () => Promise<FleetNeed | undefined>,
): void {
  join({ connection, asIs, fleet });
}

function join(one: Waiting): void {
  if (!pulumi.isDryRun()) return;
  waiting.push(one);
  round ??= look();
}

async function look(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  const asked = waiting;
  waiting = [];
  round = undefined;
  // The engine would not wait for what only calls a platform.
  const done = pulumi.rpcKeepAlive();
  try {
    const stays = await Promise.all(asked.map(({ asIs }) => isKnown(asIs)));
    const due = new Map<string | undefined, Waiting[]>();
    asked.forEach((one, i) => {
      if (!stays[i]) due.set(one.connection, [...(due.get(one.connection) ?? []), one]);
    });
    const found = await Promise.all([...due].map(([connection, all]) => findProblems(connection, all)));
    const problems = found.flat();
    const last = problems.pop();
    for (const problem of problems) await pulumi.log.error(problem);
    // The log alone does not fail a preview, and `up` would go on. Nobody catches this: it is told as the program's own
    // error, and the rest of the preview is still shown. Once the program has ended, its stack would be told instead.
    if (last !== undefined) throw Object.assign(new pulumi.RunError(last), { stack: "" });
  } finally {
    done();
  }
}

/** The stack's configuration without its prefix, as the drivers read it. */
export function stackConfig(): Record<string, string | undefined> {
  const prefix = "tenantry:";
  const all: Record<string, string> = pulumi.allConfig();
  return Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

const platforms = new Map<string | undefined, Promise<Platform>>();

/** The platform of a connection, in the program's process. Loaded late: a program that asks nothing loads no driver. */
export function platformOf(connection: string | undefined): Promise<Platform> {
  const known = platforms.get(connection);
  if (known) return known;
  const opened = (async () => {
    const [{ readSettings }, { selectPlatform }] = await Promise.all([
      import("../provider/platform/settings.js"),
      import("../provider/platform/select.js"),
    ]);
    return selectPlatform(readSettings(stackConfig(), process.env, connection));
  })();
  platforms.set(connection, opened);
  return opened;
}

const contexts = new Map<string | undefined, Promise<Context>>();

/**
 * What looks at databases in a preview. Its tokens can only read, and what a list lacks it takes for absent: a first
 * preview of 1,000 tenants would otherwise ask for each.
 */
export function readOnlyContext(connection: string | undefined): Promise<Context> {
  const known = contexts.get(connection);
  if (known) return known;
  const made = (async () => {
    const [{ createContext }, { readSettings }, platform] = await Promise.all([
      import("../provider/context.js"),
      import("../provider/platform/settings.js"),
      platformOf(connection),
    ]);
    const settings = readSettings(stackConfig(), process.env, connection);
    const context = createContext(platform, settings, "read-only");
    const { listing } = context;
    const database = async (name: string) => (await listing.databases()).byName.get(name);
    return { ...context, listing: { ...listing, database } };
  })();
  contexts.set(connection, made);
  return made;
}

async function findProblems(connection: string | undefined, due: readonly Waiting[]): Promise<string[]> {
  let platform: Platform;
  try {
    platform = await platformOf(connection);
  } catch {
    // A configuration that cannot be used is explained by the resources' own check.
    return [];
  }
  try {
    const missing = await findMissing(
      platform,
      due.flatMap(({ need }) => need ?? []),
    );
    // Of tenants whose group is not there, everything else would be said in vain.
    return missing.length > 0 ? missing : await findRefused(connection, due);
  } catch (error) {
    const { TenantryError } = await import("../provider/platform/errors.js");
    if (error instanceof TenantryError) return [error.message];
    throw error;
  }
}

async function findMissing(platform: Platform, needs: readonly Need[]): Promise<string[]> {
  const groups = (await platform.listGroups()).map((group) => group.name);
  const wanted = needs.filter((need) => need.what === "location");
  const locations = wanted.length > 0 ? (await platform.listLocations()).map((location) => location.code) : [];
  return needs.flatMap(({ what, value, where }) => {
    const known = what === "group" ? groups : locations;
    if (known.includes(value)) return [];
    const others = known.length > 0 ? `Known: ${known.join(", ")}.` : `There is none yet: declare it as a Group.`;
    return [`${where}: there is no ${what} "${value}". ${others}`];
  });
}

async function findRefused(connection: string | undefined, due: readonly Waiting[]): Promise<string[]> {
  const fleets = (await Promise.all(due.map(({ fleet }) => fleet?.()))).filter((fleet) => fleet !== undefined);
  const beside = (await Promise.all(due.map(({ made }) => made && newThing(made)))).flatMap((thing) => thing ?? []);
  if (fleets.length === 0 && beside.length === 0) return [];
  const { foresee } = await import("../provider/resources/tenant-fleet/foresee.js");
  return foresee(fleets, await readOnlyContext(connection), beside);
}

/** Undefined for what exists, and for what depends on something that is known later only. */
async function newThing({ id, thing }: NonNullable<Waiting["made"]>): Promise<NewThing | undefined> {
  if (await isKnown(id)) return undefined;
  const { where, database } = thing;
  const group = await known(database?.group ?? thing.group);
  if (group === undefined) return undefined;
  if (!database) return { where, group };
  const [name, schema] = await Promise.all([known(database.name), known(database.schema)]);
  return name === undefined ? undefined : { where, database: { name, group, schema, seed: database.seed } };
}

const values = new WeakMap<object, Promise<unknown>>();

/** Each Output is awaited once, however many resources share it. */
async function known<Value>(input: pulumi.Input<Value> | undefined): Promise<Value | undefined> {
  if (typeof input !== "object" || input === null) return input;
  const waiting = values.get(input) ?? settled(pulumi.output(input));
  values.set(input, waiting);
  return waiting as Promise<Value | undefined>;
}

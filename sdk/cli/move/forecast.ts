import { TenantryError } from "../../../provider/platform/errors";
import type { PlatformDatabase } from "../../../provider/platform/platform";
import { parseSelf } from "../../../provider/resources/self";
import { isKept } from "../../../provider/resources/tenant-database/keep";
import { type Survey, survey } from "../../../provider/transfer/survey";
import { globs } from "../name-pattern";
import type { Ground } from "../schema/ground";
import { type Holder, holdersOf } from "./holders";

export interface ForecastFlags {
  readonly toConnection?: string;
  readonly toGroup?: string;
}

/** What `pulumi up` would do with one tenant that declares another group or connection. */
export interface Forecast {
  readonly name: string;
  readonly fromGroup: string;
  readonly toGroup: string;
  /** "in place": the platform has a name once, so that the database goes through a copy of another name. */
  readonly how: "beside" | "in place";
  /** Undefined where it cannot be looked at. */
  readonly size: Survey | undefined;
  /** How long its writes are blocked, about, in seconds. */
  readonly blocked: number | undefined;
  /** What stands in the way. */
  readonly hindrances: readonly string[];
}

/** A look for a block to take effect, and the calls of a move that has nothing to carry. In seconds. */
const least = 3;
/** Its rows are read, written, and read again at the new place. */
const passes = 3;

/** Looks at the tenants of the stack's state that `from` has, and at the place where they would go. Writes nothing. */
export async function forecastMoves(
  from: Ground,
  to: Ground,
  names: readonly string[],
  flags: ForecastFlags,
): Promise<Forecast[]> {
  const chosen = chosenOf(from, names);
  const forecasts: Forecast[] = [];
  // One after the other: each reads all of a tenant's tables.
  for (const holder of chosen) forecasts.push(await forecastOf(from, to, holder, flags.toGroup ?? holder.group));
  return forecasts;
}

function chosenOf({ state, connection }: Ground, names: readonly string[]): Holder[] {
  if (!state) {
    throw new TenantryError(
      "not-configured",
      "Whose tenants are to be looked at is not known: there is no stack here.",
      { fix: "Run this in a project's folder, or with --stack organization/project/stack." },
    );
  }
  const here = new Set(
    state.resources.filter(({ outputs }) => outputs["connection"] === connection).map(({ urn }) => urn),
  );
  const fits = globs(names);
  const chosen = holdersOf(state).filter(({ name, urn }) => here.has(urn) && fits(name));
  if (chosen.length > 0) return chosen;
  const where = connection === undefined ? "on the stack's own connection" : `on the connection "${connection}"`;
  throw new TenantryError("database-not-found", `The stack has no such tenant ${where}.`, {
    fix: "`npx tenantry fleet status` and `pulumi stack` show what it has; --connection says where they are.",
  });
}

async function forecastOf(from: Ground, to: Ground, holder: Holder, toGroup: string): Promise<Forecast> {
  const { name, group: fromGroup } = holder;
  const how = from.scope === to.scope ? "in place" : "beside";
  const found = { name, fromGroup, toGroup, how } as const;
  const foreign = ofEngines(from, to);
  if (foreign !== undefined) return { ...found, size: undefined, blocked: undefined, hindrances: [foreign] };
  const source = await from.context.platform.getDatabase(name);
  if (!source) return { ...found, size: undefined, blocked: undefined, hindrances: ["it is not on its platform"] };
  const hindrances = [...ofSource(from, source), ...(await ofTarget(from, to, holder, toGroup))];
  // Nobody can read it, or it goes nowhere from there.
  if (source.blockReads || !from.context.platform.capabilities.block)
    return { ...found, size: undefined, blocked: undefined, hindrances };
  const size = await survey(from.context.sql({ ...source, group: fromGroup }));
  return { ...found, size, blocked: Math.max(least, Math.ceil(size.reading * passes)), hindrances };
}

/** Nothing else counts then. */
function ofEngines(from: Ground, to: Ground): string | undefined {
  const { platform } = from.context;
  const other = [platform, to.context.platform].find(({ capabilities }) => !capabilities.dialects.includes("sqlite"));
  if (!other) return undefined;
  const { isolation, tenantRegion } = platform.capabilities;
  const itself = isolation && tenantRegion ? `; what moves at ${platform.name} are \`isolation\` and \`region\`` : "";
  return (
    `the tenants of ${other.name} are no SQLite databases, and only such are carried, from one SQLite platform to another: ` +
    `declare a new tenant there, and carry the rows over with the tools of its engine${itself}`
  );
}

function ofSource(from: Ground, source: PlatformDatabase): string[] {
  const { platform } = from.context;
  return [
    ...(platform.capabilities.block ? [] : [`${platform.name} cannot block its writes meanwhile`]),
    ...(source.deleteProtection ? ["it is protected: set deleteProtection to false first"] : []),
    ...(source.blockReads ? ["its reads are blocked: open it first"] : []),
  ];
}

async function ofTarget(from: Ground, to: Ground, { name, group, owner }: Holder, toGroup: string): Promise<string[]> {
  const { context } = to;
  if (from.scope === to.scope && group === toGroup) return ["it is there already"];
  if (!(await context.listing.group(toGroup))) return [`there is no group "${toGroup}" at the new place`];
  if (from.scope === to.scope) return [];
  if (!(await context.platform.getDatabase(name))) return [];
  const registry = await context.existingRegistry(toGroup, parseSelf(`${from.stack!.name}/`).stack);
  const claim = await registry?.find("database", name);
  // What it left there on an earlier move makes room; a copy that was begun is gone on with.
  if (claim?.owner === owner && (isKept(claim) || claim.state === "open")) return [];
  return [`there is a database "${name}" at the new place already`];
}

import type { Context } from "../../context";
import { TenantryError, hasCode } from "../../platform/errors";
import { freshEnough } from "../../platform/listing";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim } from "../../registry/claim";
import { handOverFirst, takeOrphan } from "../../registry/commands";
import { reapedMeanwhile } from "../../registry/reaping";
import { isRuntimeAddress } from "../../registry/runtime-address";
import type { Registry } from "../../registry/registry";
import { inTrash } from "../../registry/trash";
import { parseSelf } from "../self";
import { claimRequest, claimTenant } from "./ahead";
import type { TenantDatabaseInputs } from "./inputs";
import { takeFromTrash } from "./trash";
import { partsOf } from "./parts";

export interface Acquired {
  readonly claim: Claim;
  readonly database: PlatformDatabase;
  readonly registry: Registry;
  /** created: by this call or by an earlier attempt of ours. known: ours already. adopted: it was somebody's before. */
  readonly how: "created" | "known" | "adopted";
  /** It was somebody's before Tenantry had it, now or at an earlier time. */
  readonly adopted: boolean;
  /** Of what was in the trash: that it has other rows than it had, to be thrown; or that they could not be counted. */
  readonly missing?: TenantryError | string;
}

/**
 * Comes to own the database of that name, creating it if need be: lists, claims, creates, records. Safe to repeat after
 * a crash or a lost reply at any point. Whatever exists and is not provably ours is refused unless `adopt` allows it.
 */
export async function acquire(
  context: Context,
  inputs: TenantDatabaseInputs,
  expiresAt: string | undefined,
  template: (anew: boolean) => Promise<string | undefined>,
  /** Told of a database that was made, while its claim is being recorded: what does no harm can begin then. */
  onMade: (database: PlatformDatabase & { group: string }) => void = () => {},
  /** The claim's, where it must not be a random one. */
  identity: Partial<Pick<Claim, "owner" | "incarnation">> = {},
): Promise<Acquired> {
  const { stack } = parseSelf(inputs.self);
  // First of all: of two refusals at once, the one that explains might not be the one that is shown.
  const before = await context.listing.databases(freshEnough);
  // Where there is no such group, no registry is made either.
  const opening = context.registry(inputs.group, stack);
  opening.catch(() => undefined);
  await requireGroup(context, inputs.group);
  const registry = await opening;
  const formerAddresses = inputs.formerly ?? [];
  const moved = [inputs.self, ...formerAddresses].flatMap((address) => movedAway(context, address, inputs.self));
  const { request, claim } = await claimTenant(context, registry, before, inputs, {
    ...claimRequest(inputs, before, expiresAt),
    ...identity,
    spared: moved.map((move) => move.incarnation),
  });
  const { owner, incarnation } = request;
  const { name } = claim;
  if (claim.state === "reaping") throw reapedMeanwhile(claim.name);
  if (claim.state === "trashed") {
    if (inputs.adopt !== "restore") throw inTrash(claim, await registry.trash(claim.name));
    const { database, missing } = await takeFromTrash(context, registry, claim);
    return { ...(await hold(database, "known")), missing };
  }
  if (claim.incarnation !== incarnation) {
    const address = moved.find((move) => move.incarnation === claim.incarnation)?.to ?? claim.address;
    context.wanted.set(claim.name, inputs.self);
    throw takenBy({ ...claim, address }, inputs.self);
  }
  const isNew = claim.owner === owner && claim.state === "open";
  // An intent of a run that died before it could take it back is no more licence than one of ours.
  if (claim.state === "open" && claim.databaseId === undefined && claim.elsewhere !== undefined) {
    // It would begin anew, empty, beside the data that it was to have. What state has is replaced on purpose.
    const handed = await registry.handedTo("database", inputs.self);
    const awaiting = handed.find((one) => !context.incarnations.has(one.incarnation));
    if (awaiting) {
      await registry.release(claim);
      throw awaited(awaiting.name, name);
    }
  }
  const taken = claim.owner === owner && !isNew;
  const present = before.byName.get(name) ?? (isNew ? undefined : await context.platform.getDatabase(name));
  const provablyOurs =
    present && !isNew && isHere(present) && (claim.databaseId ? claim.databaseId === present.id : !claim.existed);

  if (present && !provablyOurs) {
    const stranger = adoptable(inputs, present);
    if (!stranger) return hold(present, "adopted");
    // Also an intent of an earlier run that died before it could take it back.
    if (claim.state === "open") await registry.release(claim);
    throw stranger;
  }
  // From here on the database is made anew, and a crash must find an intent, not the record of the old one.
  if (!present && claim.databaseId) await registry.reopen(claim);
  if (present) return hold(present, taken ? "adopted" : claim.databaseId ? "known" : "created");
  try {
    return await hold(await create(), "created");
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    if (error.code === "already-exists") return afterConflict(error);
    // A refusal made nothing, so the intent must not linger; after a lost reply it must, since it may be all we know.
    if (error.whose === "yours" && isNew && !error.afterLostReply) await registry.release(claim);
    throw error;
  }

  /** Names are unique in an organization, registries are a group's: one of that name elsewhere is not the one intended. */
  function isHere(database: PlatformDatabase): boolean {
    return isIn(inputs.group, database);
  }

  async function create(anew = false): Promise<PlatformDatabase> {
    const copied = inputs.seed ? undefined : await template(anew);
    const seed = copied === undefined ? inputs.seed : { database: copied };
    try {
      const parts = context.platform.capabilities.severalDatabases ? partsOf(inputs) : undefined;
      const spec = { name, group: inputs.group, seed, sizeLimit: inputs.sizeLimit };
      return await context.platform.createDatabase(parts ? { ...spec, parts } : spec);
    } catch (error) {
      // Another stack that has left this version behind may have removed the template database a moment ago.
      if (copied !== undefined && !anew && hasCode(error, "database-not-found")) return create(true);
      throw error;
    }
  }

  async function afterConflict(error: TenantryError): Promise<Acquired> {
    const { unlisted } = context.platform;
    if (await unlisted?.has(name)) {
      const taken = adopts(inputs) ? await unlisted!.take(inputs) : undefined;
      if (taken) return hold(taken, "adopted");
      if (isNew) await registry.release(claim);
      throw notOurs(name);
    }
    const found = await findTaken(context, name);
    if (found && isHere(found) && (error.afterLostReply || (!isNew && !claim.existed))) return hold(found, "created");
    const stranger = found ? adoptable(inputs, found) : error;
    if (found && !stranger) return hold(found, "adopted");
    // After a lost reply the intent may be all we know of a database of ours that does not show yet.
    if (isNew && !error.afterLostReply) await registry.release(claim);
    throw stranger ?? error;
  }

  async function hold(database: PlatformDatabase, how: Acquired["how"]): Promise<Acquired> {
    const adopted = how === "adopted" || (how === "known" && claim.adopted);
    const inGroup = { ...database, group: database.group ?? inputs.group };
    if (how === "created") onMade(inGroup);
    await registry.hold(claim, database.id, adopted);
    context.listing.made(inGroup);
    context.identities.set(database.name, database.id);
    context.incarnations.add(claim.incarnation);
    return { claim, database: inGroup, registry, how, adopted };
  }
}

/** As far as the platform tells. */
export const isIn = (group: string, database: PlatformDatabase): boolean =>
  database.group === undefined || database.group === group;

const awaited = (other: string, name: string): TenantryError =>
  new TenantryError(
    "needs-decision",
    `name: it was handed the database "${other}" over, and is declared as "${name}".`,
    {
      fix: `Declare it with name: "${other}" (in a fleet also by its namePattern), or take it back with \`npx tenantry move --undo ${other}\`.`,
    },
  );

/** The resource that this run moves from that address to another one than `self`. */
function movedAway({ moves }: Context, address: string, self: string) {
  const move = moves.get(address);
  return move && move.to !== self ? [move] : [];
}

/** What has the name. On Turso a database can be "not found" for some seconds after it was made. */
async function findTaken(context: Context, name: string): Promise<PlatformDatabase | undefined> {
  for (let attempt = 0; ; attempt++) {
    const found = await context.platform.getDatabase(name);
    if (found || attempt === 5) return found;
    await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
  }
}

const adopts = ({ adopt }: TenantDatabaseInputs): boolean => adopt === "unowned" || adopt === "force";

/** Undefined when the inputs allow taking it; else the refusal. */
function adoptable(inputs: TenantDatabaseInputs, present: PlatformDatabase): TenantryError | undefined {
  if (present.group !== undefined && present.group !== inputs.group) {
    return new TenantryError(
      "already-exists",
      `name: a database "${present.name}" exists already, in group "${present.group}" instead of "${inputs.group}".`,
      { fix: "Choose another name, or declare it in the group it is in." },
    );
  }
  return adopts(inputs) ? undefined : notOurs(present.name);
}

const notOurs = (name: string): TenantryError =>
  new TenantryError("already-exists", `name: a database "${name}" exists already and is not this stack's.`, {
    fix: 'Choose another name, or take it over as it is with adopt: "unowned".',
  });

/**
 * What `acquire` would say of a name, looked at without a write: `present` has it on the platform, `claim` in the group's
 * registry. Undefined: it is free, ours, or may be taken.
 */
export function refusalOf(
  inputs: TenantDatabaseInputs,
  present: PlatformDatabase | undefined,
  claim: Claim | undefined,
): TenantryError | undefined {
  const isOurs = claim !== undefined && [inputs.self, ...(inputs.formerly ?? [])].includes(claim.address);
  if (claim && !isOurs) {
    const isRuntime = isRuntimeAddress(claim.address) && claim.state !== "deleting";
    if (inputs.adopt !== "force" && !(inputs.adopt === "unowned" && isRuntime)) return takenBy(claim, inputs.self);
  }
  if (!present) return undefined;
  const isHere = present.group === undefined || present.group === inputs.group;
  const isKnown = isOurs && (claim.databaseId ? claim.databaseId === present.id : !claim.existed);
  return isHere && isKnown ? undefined : adoptable(inputs, present);
}

function takenBy(claim: Claim, self: string): TenantryError {
  if (isRuntimeAddress(claim.address)) {
    const erasing = claim.state === "deleting";
    return new TenantryError(
      "already-exists",
      `name: an application ${erasing ? "is erasing the database" : "made the database"} "${claim.name}" at run time.`,
      {
        fix: erasing
          ? "Run `pulumi up` again when it is gone."
          : 'Choose another name, or take it over as it is with adopt: "unowned".',
      },
    );
  }
  return new TenantryError("not-owner", `name: the database "${claim.name}" belongs to ${claim.address}.`, {
    fix: `Choose another name, or take it from there with adopt: "force". ${handOverFirst(claim, self)} ${takeOrphan(claim, self)}`,
  });
}

export async function requireGroup(context: Context, group: string): Promise<void> {
  if (await context.listing.group(group)) return;
  const names = [...(await context.listing.groups()).byName.keys()];
  throw new TenantryError("group-not-found", `group: there is no group "${group}".`, {
    fix: names.length > 0 ? `There is ${names.map((name) => `"${name}"`).join(", ")}.` : "Declare it as a Group first.",
  });
}

import type { Context } from "../../context";
import { TenantryError, hasCode } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim } from "../../registry/claim";
import type { Registry } from "../../registry/registry";
import { clear } from "../../transfer/clear";
import { readDefinition } from "../../transfer/definition";
import { parseSelf } from "../self";
import { requireGroup } from "./acquire";
import { carry } from "./carry";
import { awaitNoWrites } from "./closing";
import { declaredConfiguration } from "./configuration";
import { claimNewName, requireCopyable, withoutWrites } from "./copy";
import type { TenantDatabaseInputs } from "./inputs";
import { isKept, keepClosed } from "./keep";
import { type TenantDatabaseOutputs, outputsOf } from "./outputs";

/** A tenant on its way, from one group or connection to another. */
export interface Relocation {
  /** The resource's, and so the owner's. */
  readonly id: string;
  readonly olds: TenantDatabaseOutputs;
  readonly news: TenantDatabaseInputs;
  /** Where it is and where it goes: two connections, or one. */
  readonly from: Context;
  readonly to: Context;
  /** Takes a line for the reader; an `ephemeral` one is soon replaced. */
  readonly note: (text: string, ephemeral?: boolean) => Promise<void>;
}

/**
 * Moves a tenant to where a platform cannot copy it by itself: writes to the source are blocked, its rows are carried
 * through SQL, both are compared, the claim at the new place is held, and the source is closed and kept for a while. Safe
 * to repeat after a crash at any point: until the new claim is held the source is what counts, and after that the copy.
 * The copy has the platform's initial settings; tokens of the old database open nothing there.
 */
export async function relocate(move: Relocation): Promise<TenantDatabaseOutputs> {
  const { id, olds, news, from, to, note } = move;
  const { before, after } = await registriesOf(move);
  const [old, earlier] = [await before.find("database", olds.name), await after.find("database", news.name)];
  // From the platforms themselves: writes may have been opened since any listing.
  const source = await from.platform.getDatabase(olds.name);
  const existing = await to.platform.getDatabase(news.name);
  const arrived = existing && isHeld(earlier, id, existing) && !isKept(earlier) ? existing : undefined;
  const hasLeft = source?.id !== olds.databaseId || isKept(old) || (arrived !== undefined && old?.owner !== id);
  if (hasLeft) {
    if (!arrived) throw notThere(olds);
    await keepClosed(move, before, old);
    return arrivedAs(move, arrived, earlier!);
  }
  const { blockWrites } = await requireCopyable(source, olds, from, "move it");
  const claim = await claimNewName(id, olds, news, after, existing !== undefined);
  const wasBlocked =
    blockWrites === true && (earlier === undefined || declaredConfiguration(olds).blockWrites === true);
  const copy = await withoutWrites(from, source.name, wasBlocked, async () => {
    await awaitNoWrites(from.sql(olds), source.name);
    // Since that copy was begun, something may have been written to the source; or it is one that was left long ago.
    const isStale = existing !== undefined && (!blockWrites || isKept(earlier));
    if (existing) await requireBegun(move, existing, earlier);
    const begun = isStale ? await emptied(move, existing) : existing;
    const made = begun ?? (await make(to, { name: news.name, group: news.group }, after, claim));
    await carryOrDiscard(move, made);
    await after.hold(claim, made.id, olds.adopted === true);
    return made;
  });
  const kept = await keepClosed(move, before, old);
  await note(
    `${olds.name}: it is at its new place${kept ? `; the old database is closed, and kept until ${kept}` : ""}`,
  );
  return arrivedAs(move, copy, claim);
}

/** Of the groups at both ends. */
export async function registriesOf({ olds, news, from, to }: Relocation) {
  const { stack } = parseSelf(news.self);
  await requireGroup(to, news.group);
  return { before: await from.registry(olds.group, stack), after: await to.registry(news.group, stack) };
}

export const isHeld = (claim: Claim | undefined, id: string, database: PlatformDatabase): claim is Claim =>
  claim?.owner === id && claim.state === "held" && claim.databaseId === database.id;

/** What does not hold the same would be gone on with, again and again. */
export async function carryOrDiscard(move: Relocation, made: PlatformDatabase): Promise<void> {
  const { olds, news, from, to } = move;
  try {
    await carry(move, from.sql(olds), to.sql({ ...made, group: news.group }));
  } catch (error) {
    if (hasCode(error, "bad-answer", "not-empty")) await emptied(move, made);
    throw error;
  }
}

/** Makes a copy's database, and records which one it is. */
export async function make(
  { platform }: Context,
  { name, group, seed }: Pick<TenantDatabaseInputs, "name" | "group" | "seed">,
  registry: Registry,
  claim: Claim,
): Promise<PlatformDatabase> {
  const made = await platform.createDatabase({ name, group, seed }).catch(async (error: unknown) => {
    const found =
      hasCode(error, "already-exists") && error.afterLostReply ? await platform.getDatabase(name) : undefined;
    if (found) return found;
    throw error;
  });
  await registry.made(claim, made.id);
  return made;
}

/**
 * Refuses to go on with, or to delete, what is not known to be of an earlier attempt: somebody may have made a database of
 * the name after our intent. `copied`: what the platform itself would have copied it from.
 */
export async function requireBegun(
  { id, olds, news, to }: Relocation,
  existing: PlatformDatabase,
  earlier: Claim | undefined,
  copied?: PlatformDatabase,
): Promise<void> {
  if (earlier?.owner === id && earlier.databaseId === existing.id) return;
  if (copied !== undefined && existing.parentId === copied.id) return;
  // Killed before it was recorded.
  const { objects } = await readDefinition(to.sql({ ...existing, group: news.group }));
  if (objects.length === 0) return;
  throw new TenantryError(
    "already-exists",
    `name: there is a database "${existing.name}" already, and it is not known to be a copy of "${olds.name}".`,
    { fix: "Choose another name, or delete it by hand if it is a left-over." },
  );
}

/** Makes room for a copy from the beginning: what is there is deleted, or empty and answered where nothing can be. */
export async function emptied(
  { news, to }: Relocation,
  begun: PlatformDatabase,
): Promise<PlatformDatabase | undefined> {
  if (to.platform.capabilities.deletes) {
    await discard(to, begun);
    return undefined;
  }
  await clear(to.sql({ ...begun, group: news.group }));
  return begun;
}

export async function discard({ platform, listing }: Context, { name }: PlatformDatabase): Promise<void> {
  await platform.deleteDatabase(name);
  listing.gone(name);
}

/** The resource is the copy from now on. */
export async function arrivedAs(
  { olds, news, to }: Relocation,
  copy: PlatformDatabase,
  { incarnation }: Claim,
): Promise<TenantDatabaseOutputs> {
  to.listing.made({ ...copy, group: news.group });
  to.identities.set(copy.name, copy.id);
  to.incarnations.add(incarnation);
  return {
    ...outputsOf(to, news, copy, {}, { ...olds, scope: await to.scope(), incarnation }),
    schema: olds.schema,
    schemaVersion: olds.schemaVersion,
  };
}

export const notThere = ({ name }: TenantDatabaseOutputs): TenantryError =>
  new TenantryError("database-not-found", `${name}: it cannot be moved, because it is not there.`, {
    fix: "Run `pulumi refresh` first.",
  });

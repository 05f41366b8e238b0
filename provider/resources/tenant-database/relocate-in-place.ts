import { createHash } from "node:crypto";
import { TenantryError } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import { letGoOrTakeBack } from "../../registry/commands";
import { carry } from "./carry";
import { awaitNoWrites } from "./closing";
import { declaredConfiguration } from "./configuration";
import { claimNewName, requireCopyable, withoutWrites } from "./copy";
import { keepCopy, keptAddress, retires } from "./keep";
import type { TenantDatabaseOutputs } from "./outputs";
import {
  type Relocation,
  arrivedAs,
  carryOrDiscard,
  discard,
  isHeld,
  make,
  notThere,
  registriesOf,
  requireBegun,
} from "./relocate";

/**
 * Moves a tenant into another group under the name that it has, where a platform has a name only once: through a copy of
 * another name in the new group, which is verified before the old database goes, and kept closed for a while. Reads go on
 * until then; there is no database of the name from the delete until the copy's copy is there, a call later. Safe to repeat
 * after a crash at any point: one of the two, the old one or the verified copy, is always there and whole.
 */
export async function relocateInPlace(move: Relocation): Promise<TenantDatabaseOutputs> {
  const { id, olds, news, to, note } = move;
  const { before, after } = await registriesOf(move);
  const name = copyName(olds, to.platform.capabilities.names.maxLength);
  const present = await to.platform.getDatabase(olds.name);
  const isThere = present?.id === olds.databaseId;
  const copy = isThere ? await makeCopy(move, name, present) : await to.platform.getDatabase(name);
  const copyClaim = await after.find("database", name);
  const held = isThere ? undefined : await after.find("database", news.name);
  if (!isThere && present && isHeld(held, id, present)) {
    if (copy && isHeld(copyClaim, id, copy)) await keepCopy(move, after, copyClaim);
    return arrivedAs(move, present, held);
  }
  if (!copy || !isHeld(copyClaim, id, copy)) throw notThere(olds);
  const old = await before.find("database", olds.name);
  if (isThere) {
    if (old?.owner !== id || old.incarnation !== olds.incarnation) throw notOurs(olds, news.self);
    await before.deleting(old);
    await discard(to, present);
  }
  const claim = await claimNewName(id, olds, news, after, false);
  const seed = to.platform.capabilities.seedFromDatabase ? { database: name } : undefined;
  const begun = isThere ? undefined : present;
  if (begun) await requireBegun(move, begun, held, copy);
  const made = begun ?? (await make(to, { name: news.name, group: news.group, seed }, after, claim));
  // Of a copy that the platform has made, only the comparison is left to do.
  await carry(move, to.sql({ ...copy, group: news.group }), to.sql({ ...made, group: news.group }));
  await after.hold(claim, made.id, false);
  if (old?.owner === id) await before.release(old);
  const kept = await keepCopy(move, after, copyClaim);
  await note(
    `${news.name}: it is in group "${news.group}"; a copy of it, "${name}", is closed, and kept until ${kept}`,
  );
  return arrivedAs(move, made, claim);
}

/** The verified copy in the new group; the source takes no writes any more. */
async function makeCopy(move: Relocation, name: string, source: PlatformDatabase): Promise<PlatformDatabase> {
  const { id, olds, news, from, to } = move;
  if (!retires(olds)) {
    const why = olds.adopted ? "it was adopted" : 'its deletionPolicy is "retain"';
    throw new TenantryError(
      "needs-decision",
      `group: ${olds.name} would have to be deleted for its name, and must not be, because ${why}.`,
      { fix: "Give it another name too, or a deletionPolicy and `pulumi up` before it moves." },
    );
  }
  const { after } = await registriesOf(move);
  const { blockWrites } = await requireCopyable(source, olds, from, "move it");
  const earlier = await after.find("database", name);
  const existing = await to.platform.getDatabase(name);
  const as = { ...news, name, self: keptAddress(news.self), nameIsDefault: false };
  const claim = await claimNewName(id, { ...olds, expiresAt: undefined }, as, after, existing !== undefined);
  const wasBlocked =
    blockWrites === true && (earlier === undefined || declaredConfiguration(olds).blockWrites === true);
  return withoutWrites(from, source.name, wasBlocked, async () => {
    await awaitNoWrites(from.sql(olds), source.name);
    // Since it was begun, something may have been written to the source.
    const isStale = existing !== undefined && !blockWrites;
    if (existing) await requireBegun(move, existing, earlier);
    if (isStale) await discard(to, existing);
    const made = existing && !isStale ? existing : await make(to, { name, group: news.group }, after, claim);
    await carryOrDiscard(move, made);
    await after.hold(claim, made.id, false);
    return made;
  });
}

/** The same at each attempt, and another one for each move. */
function copyName({ name, incarnation }: TenantDatabaseOutputs, longest: number): string {
  const mark = `-move-${createHash("sha256").update(incarnation).digest("hex").slice(0, 8)}`;
  return `${name.slice(0, longest - mark.length)}${mark}`;
}

const notOurs = ({ name }: TenantDatabaseOutputs, self: string): TenantryError =>
  new TenantryError("not-owner", `${name}: the registry has another owner for this database, so it was not moved.`, {
    fix: letGoOrTakeBack({ kind: "database", name }, self),
  });

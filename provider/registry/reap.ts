import { TenantryError } from "../platform/errors";
import type { Platform, PlatformDatabase } from "../platform/platform";
import type { Sql } from "../platform/sql";
import type { RecordedClaim } from "./inspect";
import { isReserved } from "./own-names";
import { isPreviewAddress } from "./preview-address";
import type { Trash } from "./trash";
import { forgetReaped, markReaping, unmarkReaping } from "./reaping";

/** How long the look before a delete may take, so that the mark outlives the delete. In ms. */
const longestLook = 120_000;

/** Something that has an end. */
export interface Ending {
  readonly claim: RecordedClaim;
  /** Why it ends: its time is over, it was deleted softly, or a reaper had begun with it and was broken off. */
  readonly because: "expired" | "trashed" | "unfinished";
  /** Of what is in the trash, as the registry has it. */
  readonly until?: string;
  /** When it is due. In ms. */
  readonly at: number;
}

/**
 * What has an end among a registry's claims. Only what is held for somebody under the id of a database counts: intents,
 * deletes that were begun and databases without a claim are nobody's to reap.
 */
export function endingsOf(claims: readonly RecordedClaim[], trash: ReadonlyMap<string, Trash>): Ending[] {
  return claims.flatMap((claim): Ending[] => {
    const isPreview = isPreviewAddress(claim.address);
    if (claim.kind !== "database" || claim.databaseId === undefined) return [];
    if (isReserved(claim.name) && !isPreview) return [];
    const at = claim.expiresAt === undefined ? NaN : Date.parse(claim.expiresAt);
    if (claim.state === "reaping") return [{ claim, because: "unfinished", at: Number.isNaN(at) ? 0 : at }];
    const thrown = claim.state === "trashed" ? trash.get(claim.name) : undefined;
    if (thrown?.databaseId === claim.databaseId && thrown) {
      return [{ claim, because: "trashed", at: Date.parse(thrown.until), until: thrown.until }];
    }
    // A branch that was never finished is as due as any other: it has no tenant's only rows.
    const isWhole = claim.state === "held" || (isPreview && claim.state === "open");
    if (!isWhole || Number.isNaN(at)) return [];
    return [{ claim, because: "expired", at }];
  });
}

/** reaped: deleted. gone: there was nothing to delete any more. kept: it stays, `why` says it. */
export type Fate = { readonly is: "reaped" | "gone" } | { readonly is: "kept"; readonly why: string };

/** Why what is due is not deleted all the same; undefined: nothing speaks against it. `present`: what has the name now. */
export function reasonToKeep(
  { claim, because }: Ending,
  group: string,
  present: PlatformDatabase | undefined,
  { name, capabilities }: Pick<Platform, "name" | "capabilities">,
): string | undefined {
  if (claim.adopted && because !== "trashed") return "it was there before Tenantry had it, so it is left to you";
  if (!present) return undefined;
  if (present.id !== claim.databaseId || (present.group !== undefined && present.group !== group))
    return "another database has its name since";
  if (present.deleteProtection) return "delete protection is on";
  if (!capabilities.deletes && !isPreviewAddress(claim.address)) {
    return `${name} deletes no database for a program: delete it in the platform's console`;
  }
  // One in a platform's own trash is not present.
  if (because === "trashed" && (present.blockReads === false || present.blockWrites === false))
    return "somebody has opened it again";
  return undefined;
}

/**
 * Deletes one database whose end has come, if claim, incarnation and database id still agree; safe to repeat after a crash
 * at any point, beside runs of stacks and beside other reapers. What could not be told stays marked: the next one goes on.
 */
export async function reap(platform: Platform, sql: Sql, ending: Ending, group: string, reaper: string): Promise<Fate> {
  const { claim } = ending;
  const begun = Date.now();
  const marked = await markReaping(sql, claim, reaper, ending.until);
  if (marked === "taken") return { is: "kept", why: "another reaper is at it" };
  if (marked === "changed") return { is: "kept", why: "somebody has changed its claim meanwhile" };
  // From the platform itself, since names are deleted, not ids.
  const present = await withBlocks(platform, await platform.getDatabase(claim.name));
  // What is in the platform's own trash goes for good now.
  const trashed = present ? undefined : await platform.trashedDatabase?.(claim.name);
  const why =
    trashed && trashed.id !== claim.databaseId
      ? "another database of its name is in the trash"
      : reasonToKeep(ending, group, present, platform);
  if (why !== undefined) {
    await unmarkReaping(sql, claim, reaper);
    return { is: "kept", why };
  }
  // A machine that slept in between may have lost the mark to another reaper.
  if (Date.now() - begun > longestLook) return { is: "kept", why: "looking at it took too long" };
  const found = present ?? trashed;
  if (found) {
    try {
      await platform.deleteDatabase(claim.name);
    } catch (error) {
      // A refusal deleted nothing.
      if (error instanceof TenantryError && error.whose === "yours" && !error.afterLostReply)
        await unmarkReaping(sql, claim, reaper);
      throw error;
    }
  }
  await forgetReaped(sql, claim, reaper);
  return { is: found ? "reaped" : "gone" };
}

/** The platform's reply may not have said. */
async function withBlocks(
  platform: Platform,
  present: PlatformDatabase | undefined,
): Promise<PlatformDatabase | undefined> {
  const isSaid = present?.blockReads !== undefined && present.blockWrites !== undefined;
  if (!present || isSaid || !(platform.capabilities.block || platform.capabilities.suspend)) return present;
  const { blockReads, blockWrites } = (await platform.getConfiguration(present.name)) ?? {};
  return { ...present, blockReads: blockReads ?? false, blockWrites: blockWrites ?? false };
}

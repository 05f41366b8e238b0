import type { Context } from "../context";
import { TenantryError } from "../platform/errors";
import type { PlatformDatabase } from "../platform/platform";
import type { Sql } from "../platform/sql";
import type { RecordedClaim } from "../registry/inspect";
import { reasonToKeep } from "../registry/reap";
import { registryClock } from "../registry/reaping";
import { type PreviewRecord, readRecords } from "./records";
import { type PreviewClaim, previewClaims } from "./registry";
import { isBranch, removeBranch } from "./remove";

/** ready: made and filled. unfinished: a run is at it, or died over it. reaping: it is being deleted. gone: it is not there. */
export type BranchState = "ready" | "unfinished" | "reaping" | "gone" | "another";

/** A branch as registry and platform have it now. */
export interface KnownBranch extends PreviewClaim {
  readonly record: PreviewRecord | undefined;
  readonly present: PlatformDatabase | undefined;
  readonly state: BranchState;
  /** Its time is over. */
  readonly isDue: boolean;
}

/** Every branch of a group's registry. Only looks. */
export async function listBranches(context: Context, sql: Sql): Promise<KnownBranch[]> {
  const claims = await previewClaims(sql);
  if (claims.length === 0) return [];
  const records = await readRecords(sql);
  // Whichever clock is behind: nothing ends early.
  const now = Math.min(Date.now(), await registryClock(sql));
  return Promise.all(
    claims.map(async (of) => {
      const { claim } = of;
      const present = await context.listing.database(claim.name);
      const isDue = claim.state === "reaping" || (claim.expiresAt !== undefined && Date.parse(claim.expiresAt) <= now);
      return { ...of, record: records.get(claim.name), present, state: stateOf(claim, present), isDue };
    }),
  );
}

function stateOf({ state, databaseId }: RecordedClaim, present: PlatformDatabase | undefined): BranchState {
  if (state === "reaping") return "reaping";
  if (!present) return state === "open" ? "unfinished" : "gone";
  if (databaseId !== undefined && databaseId !== present.id) return "another";
  return state === "held" ? "ready" : "unfinished";
}

/** Why a branch whose time is over is not deleted all the same; undefined: nothing speaks against it. */
export async function whyKept(
  context: Context,
  group: string,
  { claim, record, present }: KnownBranch,
): Promise<string | undefined> {
  if (claim.databaseId !== undefined) {
    return reasonToKeep({ claim, because: "expired", at: 0 }, group, present, context.platform);
  }
  if (!present || (await isBranch({ context, group }, claim, record, present))) return undefined;
  return "it was made by somebody else, as far as can be told";
}

export interface Reaped {
  readonly status: "reaped" | "gone" | "kept" | "failed";
  readonly why: string | null;
}

/** Deletes a branch whose time is over, safe beside an `up`: one that has renewed it is met by a claim that has changed. */
export async function reapBranch(context: Context, group: string, sql: Sql, branch: KnownBranch): Promise<Reaped> {
  try {
    const fate = await removeBranch({ context, group, sql }, branch.claim, branch.record);
    return { status: fate.is, why: fate.is === "kept" ? fate.why : null };
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    return { status: "failed", why: error.message };
  }
}

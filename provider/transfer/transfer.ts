import type { Sql } from "../platform/sql";
import { type TransferProgress, carry } from "./carry";
import { type Verified, verify } from "./verify";

export type { TransferProgress } from "./carry";

export interface TransferReport extends Verified {
  /** What the target does not take, such as "user_version (42)". */
  readonly left: readonly string[];
}

/**
 * Carries a whole database into another one through SQL alone, so from any platform to any other, and answers when both
 * were read and hold the same. Nobody may write to either meanwhile. The target is empty, or holds what an earlier call
 * left when it was killed: then it goes on behind the last row of each table. Memory is bounded by a few pages.
 *
 * Triggers and indexes come after the rows. Full-text indexes of other tables' rows are built anew; vector indexes are
 * there before the rows, so that no single statement builds a whole one. What ANALYZE has counted is left behind.
 *
 * Fails with "not-empty" where the target holds something else, with "bad-answer" where it does not hold the same in the
 * end, and with "unsupported" for a database that cannot be carried row by row.
 */
export async function transfer(
  source: Sql,
  target: Sql,
  onProgress?: (progress: TransferProgress) => void,
): Promise<TransferReport> {
  const { definition, digests, left } = await carry(source, target, { onProgress });
  return { ...(await verify(source, target, definition, digests)), left };
}

import type { Context } from "../context";
import type { PlatformDatabase } from "../platform/platform";
import type { Sql } from "../platform/sql";
import { asRead } from "../registry/hand-over";
import { type RecordedClaim, inspectClaims } from "../registry/inspect";
import { type Fate, reap } from "../registry/reap";
import { randomId } from "../random-id";
import { readDefinition } from "../transfer/definition";
import { type PreviewRecord, forgetRecord } from "./records";

/** Whose: the group, and SQL on its registry. */
export interface PreviewGround {
  readonly context: Context;
  readonly group: string;
  readonly sql: Sql;
  /**
   * Who deletes. One name for all that hold the lease of a pull request, one after the other: what one of them had begun
   * when it died, the next one ends at once. Default: one that nobody else has.
   */
  readonly reaper?: string;
}

/**
 * Whether what has a branch's name is that branch: by its id, or, where a run died before it had written that down, as a
 * copy of the branch's source, or as a database in which there is nothing that could be lost.
 */
export async function isBranch(
  { context, group }: Pick<PreviewGround, "context" | "group">,
  claim: RecordedClaim,
  record: PreviewRecord | undefined,
  present: PlatformDatabase,
): Promise<boolean> {
  if (claim.databaseId !== undefined) return claim.databaseId === present.id;
  if (claim.state !== "open" || claim.existed || record?.incarnation !== claim.incarnation) return false;
  if (present.group !== undefined && present.group !== group) return false;
  if (present.id === record.sourceId) return false;
  if (present.parentId !== undefined) return present.parentId === record.sourceId;
  const opened = context.sql({ name: present.name, hostname: present.hostname, group });
  await opened.ready();
  return (await readDefinition(opened)).objects.length === 0;
}

/** Deletes a branch if registry, id and name agree about it, and forgets it. Safe to repeat, and beside reapers. */
export async function removeBranch(
  ground: PreviewGround,
  claim: RecordedClaim,
  record: PreviewRecord | undefined,
): Promise<Fate> {
  const { context, group, sql } = ground;
  const known = claim.databaseId === undefined ? await identified(ground, claim, record) : claim;
  if ("is" in known) {
    if (known.is !== "kept") await forgetRecord(sql, claim.name, claim.incarnation);
    return known;
  }
  const { reaper = randomId() } = ground;
  const fate = await reap(context.platform, sql, { claim: known, because: "expired", at: 0 }, group, reaper);
  if (fate.is !== "kept") {
    context.listing.gone(claim.name);
    await forgetRecord(sql, claim.name, claim.incarnation);
  }
  return fate;
}

/** Writes down what was made of an intent; where nothing was, the intent goes. */
async function identified(
  ground: PreviewGround,
  claim: RecordedClaim,
  record: PreviewRecord | undefined,
): Promise<RecordedClaim | Fate> {
  const { context, sql } = ground;
  const changed = { is: "kept", why: "somebody has changed its claim meanwhile" } as const;
  const stands = asRead(claim);
  const now = async () =>
    (await inspectClaims(sql)).find(({ kind, name }) => kind === "database" && name === claim.name);
  const present = await context.platform.getDatabase(claim.name);
  if (!present) {
    const remove = { sql: `DELETE FROM claims WHERE ${stands.sql}`, args: stands.args };
    await sql.batch([remove], "write", { idempotent: true });
    return (await now()) ? changed : { is: "gone" };
  }
  if (!(await isBranch(ground, claim, record, present))) {
    return { is: "kept", why: "it was made by somebody else, as far as can be told" };
  }
  await sql.batch(
    [{ sql: `UPDATE claims SET database_id = ? WHERE ${stands.sql}`, args: [present.id, ...stands.args] }],
    "write",
    { idempotent: true },
  );
  const known = await now();
  return known?.incarnation === claim.incarnation && known.databaseId === present.id ? known : changed;
}

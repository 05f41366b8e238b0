import { z } from "zod";
import type { Capabilities } from "../../platform/capabilities";
import type { Failure } from "../handler";
import { hasUnknown } from "../unknown";

/** What a program says about going back: to a backup or a moment, once for each key; or that one of these is undone. */
export interface RestoreFrom {
  readonly backup?: string;
  /** ISO 8601 */
  readonly timestamp?: string;
  readonly key?: string;
  /** The key of a restore. */
  readonly undo?: string;
}

/** One restore that was done, as state keeps it: what a key has done is never done again. */
export interface RestoreRecord {
  readonly key: string;
  /** The backup, or the moment, ISO 8601. */
  readonly to: string;
  /** When it was done, ISO 8601. */
  readonly at: string;
  /** The database that has the rows of then: the tenant's own, or a copy beside it. */
  readonly database: string;
  /** Until when it can be undone, ISO 8601; a copy is there until then. Undefined: it cannot be undone. */
  readonly undoUntil?: string;
  readonly undone?: boolean;
  /** Begun by a run that was killed, so that nobody knows whether it took effect. */
  readonly isUnclear?: boolean;
  /** Of a copy, by what it is known to be still ours. */
  readonly copy?: { readonly owner: string; readonly incarnation: string; readonly databaseId: string };
}

export const restoreFromShape = z.strictObject({
  backup: z.string().min(1).optional(),
  timestamp: z.iso.datetime({ offset: true }).optional(),
  key: z.string().min(1).max(100).optional(),
  undo: z.string().min(1).max(100).optional(),
});

export function judgeRestoreFrom(
  given: RestoreFrom | undefined,
  isNew: boolean,
  { restoreInPlace, seedAtTime }: Capabilities,
  platform: string,
): Failure[] {
  if (given === undefined || hasUnknown(given)) return [];
  const { backup, timestamp, key, undo } = given;
  if (undo !== undefined) {
    return (backup ?? timestamp ?? key) ? ["restoreFrom.undo: it stands alone; leave the others out."] : [];
  }
  if (isNew) {
    return ["restoreFrom: the tenant is new, so there is nothing to go back to; leave it out, or use seed for a copy."];
  }
  if ((backup === undefined) === (timestamp === undefined)) {
    return ["restoreFrom: give either a backup or a timestamp."];
  }
  if (key === undefined) return ["restoreFrom.key: it is missing; each key is restored once."];
  if (backup !== undefined && !restoreInPlace.includes("backup")) {
    return [`restoreFrom.backup: ${platform} has no backups that can be named.`];
  }
  if (timestamp !== undefined && !restoreInPlace.includes("timestamp") && !seedAtTime) {
    return [`restoreFrom.timestamp: ${platform} keeps no history to go back in.`];
  }
  return [];
}

/** What a forced replacement finds in the program was for the one before it: it is not done again on what is there now. */
export function passedBy(given: RestoreFrom | undefined): readonly RestoreRecord[] | undefined {
  const to = given?.backup ?? given?.timestamp;
  if (given?.key === undefined || to === undefined) return undefined;
  return [{ key: given.key, to, at: new Date().toISOString(), database: "" }];
}

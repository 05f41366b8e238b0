import { createHash } from "node:crypto";
import type { Context } from "../../context";
import { SqlError, TenantryError } from "../../platform/errors";
import type { RestorePoint } from "../../platform/life";
import { beginRestoration, dropRestoration, endRestoration } from "../../registry/restorations";
import { hasUnknown } from "../unknown";
import { acquire } from "./acquire";
import type { TenantDatabaseInputs } from "./inputs";
import type { TenantDatabaseOutputs } from "./outputs";
import { removeTenantDatabase } from "./remove";
import type { RestoreRecord } from "./restore-point";
import { comparedRows } from "./row-counts";
import { graceOf } from "./trash";

/** What is still to be done; undefined: nothing. Fails where an undo is asked for that cannot be. */
export function pendingRestore(
  olds: Pick<TenantDatabaseOutputs, "name" | "restores">,
  { restoreFrom }: Pick<TenantDatabaseInputs, "restoreFrom">,
): { readonly undo: RestoreRecord } | { readonly key: string; readonly to: RestorePoint } | undefined {
  if (restoreFrom === undefined || hasUnknown(restoreFrom)) return undefined;
  const { backup, timestamp, key, undo } = restoreFrom;
  const known = olds.restores ?? [];
  if (undo === undefined) {
    if (key === undefined || known.some((one) => one.key === key)) return undefined;
    return { key, to: backup === undefined ? { timestamp: timestamp! } : { backup } };
  }
  const record = known.find((one) => one.key === undo);
  if (!record) {
    const keys = known.map((one) => `"${one.key}"`).join(", ");
    throw new TenantryError("invalid-input", `restoreFrom.undo: ${olds.name} has had no restore "${undo}".`, {
      fix: keys ? `There is ${keys}.` : "There was none yet.",
    });
  }
  if (record.undone) return undefined;
  if (record.undoUntil === undefined || Date.parse(record.undoUntil) <= Date.now()) {
    const until = record.undoUntil === undefined ? "cannot be undone" : `could be undone until ${record.undoUntil}`;
    throw new TenantryError("expired", `restoreFrom.undo: the restore "${undo}" of ${olds.name} ${until}.`, {
      fix: "Take restoreFrom out of the program, or go back to another moment with a new key.",
    });
  }
  return { undo: record };
}

/** What a preview says of it. */
export function restoreNote(pending: NonNullable<ReturnType<typeof pendingRestore>>, name: string): string {
  if ("undo" in pending) return `${name}: its restore "${pending.undo.key}" is to be undone`;
  return `${name}: to be restored to ${textOf(pending.to)}`;
}

/** Does what is pending; answers the records that state is to keep, and whether the tenant's own rows have changed. */
export async function restoreOrUndo(
  context: Context,
  outputs: TenantDatabaseOutputs,
  pending: NonNullable<ReturnType<typeof pendingRestore>>,
  note: (text: string) => Promise<void>,
): Promise<{ readonly restores: readonly RestoreRecord[]; readonly inPlace: boolean }> {
  const known = outputs.restores ?? [];
  if ("undo" in pending) {
    const { undo } = pending;
    await takeBack(context, outputs, undo);
    const what = undo.copy ? `the copy "${undo.database}" is gone` : "its rows are those of before";
    await note(`${outputs.name}: the restore "${undo.key}" is undone: ${what}`);
    const restores = known.map((one) => (one === undo ? { ...one, undone: true } : one));
    return { restores, inPlace: undo.copy === undefined };
  }
  const { key, to } = pending;
  const kind = "backup" in to ? "backup" : "timestamp";
  const inPlace = context.platform.capabilities.restoreInPlace.includes(kind);
  const done = inPlace
    ? await restoreInPlace(context, outputs, key, to)
    : await copyOf(context, outputs, key, to, note);
  if (done.isUnclear) {
    await note(
      `${outputs.name}: whether the restore "${key}" took effect is not known, since the run that began it was killed; ` +
        "look at its rows, and give another key to do it again",
    );
  }
  return { restores: [...known, done], inPlace };
}

async function takeBack(context: Context, outputs: TenantDatabaseOutputs, undo: RestoreRecord): Promise<void> {
  const { copy, database, key } = undo;
  if (!copy) return context.platform.undoRestore!(outputs.name);
  const { group, scope } = outputs;
  const address = { self: copyAddress(outputs.self, key), name: database, group, scope };
  const made = { ...copy, hostname: "", url: "", status: "ready", deletionPolicy: "delete" } as const;
  await removeTenantDatabase(copy.owner, { ...address, ...made }, context);
}

async function restoreInPlace(
  context: Context,
  { name, group, databaseId }: TenantDatabaseOutputs,
  key: string,
  to: RestorePoint,
): Promise<RestoreRecord> {
  const record = { key, to: textOf(to), at: new Date().toISOString(), database: name };
  const sql = await context.registrySql(group);
  if (!sql) {
    throw new TenantryError("not-owner", `${name}: its group "${group}" has no registry, so nothing was restored.`, {
      fix: "Run `pulumi up` once without restoreFrom.",
    });
  }
  const begun = await beginRestoration(sql, databaseId, key);
  if (begun.is === "unclear") return { ...record, isUnclear: true };
  if (begun.is === "done") return { ...record, undoUntil: begun.undoUntil };
  try {
    const { undoUntil } = await context.platform.restoreDatabase!(name, to);
    await endRestoration(sql, databaseId, key, undoUntil);
    return { ...record, undoUntil };
  } catch (error) {
    // A refusal restored nothing.
    if (error instanceof TenantryError && error.whose === "yours" && !error.afterLostReply) {
      await dropRestoration(sql, databaseId, key);
    }
    throw error;
  }
}

/** A copy as of that moment beside the tenant, under a name that follows from the key: made once, however often it is tried. */
async function copyOf(
  context: Context,
  outputs: TenantDatabaseOutputs,
  key: string,
  to: RestorePoint,
  note: (text: string) => Promise<void>,
): Promise<RestoreRecord> {
  const { name, group, self } = outputs;
  const undoUntil = new Date(Date.now() + graceOf(outputs)).toISOString();
  const seed = { database: name, timestamp: "timestamp" in to ? to.timestamp : undefined };
  const copyName = copyNameOf(name, key, context.platform.capabilities.names.maxLength);
  const inputs = { self: copyAddress(self, key), name: copyName, group, seed };
  const { claim, database } = await acquire(context, inputs, undoUntil, async () => undefined);
  const copy = context.sql({ ...database, group });
  await copy.ready();
  const rows = await comparedRows(copy, context.sql(outputs)).catch((error: unknown) => {
    // One that is closed tells nothing; the copy is there all the same.
    if (error instanceof TenantryError || error instanceof SqlError) return "its rows could not be counted";
    throw error;
  });
  await note(
    `${name}: as of ${textOf(to)} it is in the database "${database.name}" until ${undoUntil} (${rows}); to keep that, ` +
      'declare it as a TenantDatabase with adopt: "force"',
  );
  return {
    ...{ key, to: textOf(to), at: new Date().toISOString(), database: database.name, undoUntil },
    copy: { owner: claim.owner, incarnation: claim.incarnation, databaseId: database.id },
  };
}

const textOf = (to: RestorePoint): string => ("backup" in to ? to.backup : to.timestamp);

const copyAddress = (self: string, key: string): string => `${self}#restored-${encodeURIComponent(key)}`;

function copyNameOf(name: string, key: string, maxLength: number): string {
  const end = `-restored-${createHash("sha256").update(key).digest("hex").slice(0, 8)}`;
  return name.slice(0, maxLength - end.length) + end;
}

import { z } from "zod";
import type { Fleet } from "../fleet";
import { type Plan, requirePaid } from "../plan";
import { ApiProblem } from "../problem";
import type { Control } from "../store/control";
import type { DatabaseFiles } from "../store/database-files";
import type { DatabaseRow } from "../store/databases";
import type { GroupRow } from "../store/groups";
import { clockTick, watchFile } from "../store/moment";
import { databaseNotFound } from "./addressed";
import { parseInstant } from "./instant";

export const seedBody = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  value: z.string().optional(),
  timestamp: z.unknown().optional(),
});

/** What a new database begins with. */
export interface Seed {
  readonly source: DatabaseRow;
  /** The moment whose content is wanted; undefined: the present. */
  readonly at: Date | undefined;
}

export interface SeedOptions {
  readonly control: Control;
  readonly plan: Plan;
  readonly group: GroupRow;
}

/** Undefined begins empty. Fails with 400 or 404 for what cannot be copied. */
export function seedOf(asked: z.output<typeof seedBody>, { control, plan, group }: SeedOptions): Seed | undefined {
  const { type, name, value, timestamp } = asked;
  // Turso docs: an empty database, into which a file is then uploaded at the database's own host.
  if (type === "database_upload") return undefined;
  if (type !== "database") throw new ApiProblem(400, `seed type ${type} is not supported by the embedded platform`);
  // `name` is the documented field; turso-cli sends `value`.
  const wanted = name ?? value ?? "";
  const source = control.databases.get(group.organization, wanted);
  // Unverified: Turso documents no answer to an unknown source.
  if (!source) throw databaseNotFound(wanted);
  // Turso refuses a copy over the border of a group (tursodatabase/turso-cli#626); its words are not documented.
  if (source.groupId !== group.id)
    throw new ApiProblem(400, `seed database ${source.name} is not in group ${group.name}`);
  const at = timestamp === undefined || timestamp === null ? undefined : parseInstant(timestamp, "seed timestamp");
  if (at && at.getTime() > Date.now()) throw new ApiProblem(400, `seed timestamp ${at.toISOString()} is in the future`);
  // Turso docs: the free plan restores one day back.
  if (at && Date.now() - at.getTime() > 86_400_000) requirePaid(plan, "restoring from more than 24 hours ago");
  return { source, at };
}

export interface Copying {
  readonly fleet: Fleet;
  readonly files: DatabaseFiles;
  readonly group: GroupRow;
  readonly name: string;
}

/** Makes the database; one as of a past moment only where the source has not been written to since. */
export async function createSeeded(
  seed: Seed | undefined,
  { fleet, files, group, name }: Copying,
): Promise<DatabaseRow> {
  if (!seed?.at) return fleet.create({ group, name, seed: seed?.source });
  const { source, at } = seed;
  const watch = watchFile(files.path(source));
  try {
    if (watch.lastWrite.getTime() + clockTick > at.getTime()) throw changedSince(seed, watch.lastWrite);
    const made = await fleet.create({ group, name, seed: source });
    if (!watch.changed()) return made;
    await fleet.deleteDatabase(made);
    throw changedSince(seed, new Date());
  } finally {
    watch.close();
  }
}

function changedSince({ source, at }: Seed, lastWrite: Date): ApiProblem {
  return new ApiProblem(
    400,
    `seed timestamp ${at?.toISOString()}: database ${source.name} was made or written to later, at ` +
      `${lastWrite.toISOString()}, and the embedded platform keeps no history. Leave the timestamp out for the present ` +
      "content, or take one after that",
  );
}

import { TenantryError } from "../platform/errors";
import type { Migration, MigrationRef } from "./source";

/**
 * Which of the template's migrations a database still lacks, in order. Pure: the same for one tenant's update, for a
 * preview and for a whole fleet.
 *
 * Fails with "migration-invalid" when the database's history is not the beginning of the template's: a migration that
 * was applied has since been edited, removed, renamed or put in another order. `where` begins the message.
 */
export function pendingMigrations<M extends MigrationRef>(
  applied: readonly MigrationRef[],
  migrations: readonly M[],
  where: string,
): M[] {
  applied.forEach((done, i) => {
    const declared = migrations[i];
    if (declared?.id === done.id && declared.hash === done.hash) return;
    throw new TenantryError("migration-invalid", `${where}: ${difference(done, declared, migrations)}`, {
      fix: "Put the applied file back as it was and write the change as a new migration.",
    });
  });
  return migrations.slice(applied.length);
}

function difference(
  done: MigrationRef,
  declared: MigrationRef | undefined,
  migrations: readonly MigrationRef[],
): string {
  const same = migrations.find((one) => one.id === done.id);
  const instead = declared ? `; in its place there is ${fileOf(declared)} (${short(declared)})` : "";
  if (!same) return `migration ${done.id} (${short(done)}) is no longer among the template's${instead}.`;
  const name = fileOf(same);
  if (same.hash !== done.hash) return `migration ${name} was edited since (then ${short(done)}, now ${short(same)}).`;
  return `migration ${name} (${short(same)}) came before ${fileOf(declared!)} (${short(declared!)}), and now comes after it.`;
}

/** The file where it is known: what state keeps of a migration is its id. */
const fileOf = (migration: MigrationRef): string => (migration as Partial<Migration>).file ?? migration.id;

const short = (migration: MigrationRef): string => migration.hash.slice(0, 12);

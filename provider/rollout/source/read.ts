import { readDbmate } from "./dbmate";
import { detectFormat } from "./detect";
import { readDrizzle } from "./drizzle";
import { type Folder, openFolder } from "./folder";
import { invalid } from "./invalid";
import type { Migration } from "./migration";
import { readPrisma } from "./prisma";
import { readPlain } from "./sql";

const readers = { sql: readPlain, drizzle: readDrizzle, prisma: readPrisma, dbmate: readDbmate } satisfies Record<
  string,
  (folder: Folder) => Migration[]
>;

export type MigrationFormat = keyof typeof readers;
export const migrationFormats = Object.keys(readers) as MigrationFormat[];

export interface MigrationHistory {
  readonly format: MigrationFormat;
  /** In the order in which they are applied; at least one. */
  readonly migrations: Migration[];
}

/**
 * Reads a folder of ordered migrations: plain numbered `.sql` files, drizzle-kit's or Prisma's output, or dbmate's files.
 * `shown` is the folder as the user wrote it, for errors. Fails with "migration-invalid": missing, empty, in no order, a
 * number twice, not UTF-8, of another format than the one given, or of none that can be told.
 */
export function readMigrations(
  path: string,
  shown = path,
  format: "auto" | MigrationFormat = "auto",
): MigrationHistory {
  const folder = openFolder(path, shown);
  const found = format === "auto" ? detectFormat(folder) : format;
  if ((found === "sql" || found === "dbmate") && folder.files.length === 0) {
    throw invalid(`"${shown}" holds no .sql file.`, 'Add a first one, such as "0001_init.sql".');
  }
  return { format: found, migrations: readers[found](folder) };
}

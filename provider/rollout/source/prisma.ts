import { readFileSync } from "node:fs";
import { join } from "node:path";
import { splitStatements } from "../statements";
import { type Folder, has, readSql } from "./folder";
import { invalid } from "./invalid";
import { type Migration, asksForTransaction, checksumsOf, inOrderOfNumbers, makeMigration } from "./migration";

/** Says for which database Prisma made a folder's migrations. */
export const lockFile = "migration_lock.toml";

/** Prisma Migrate's folders, `<timestamp>_<name>/migration.sql`. The ids are the folders' names. */
export function readPrisma(folder: Folder): Migration[] {
  requireSqlite(folder);
  if (folder.folders.length === 0) {
    throw invalid(`"${folder.shown}" holds no folder of a migration.`, "Run `prisma migrate dev`.");
  }
  const empty = folder.folders.find((name) => !has(folder, `${name}/migration.sql`));
  if (empty) {
    throw invalid(
      `"${folder.shown}/${empty}" holds no migration.sql.`,
      "Restore it from your repository, or remove the folder if no database has it.",
    );
  }
  return inOrderOfNumbers(folder, folder.folders).map((id) => {
    const name = `${id}/migration.sql`;
    const read = readSql(folder, name);
    return makeMigration(folder, read.text, {
      id,
      name,
      statements: splitStatements(read.text),
      transaction: asksForTransaction(read.text, `${folder.shown}/${name}`),
      recorded: { tool: "prisma", name: id, checksums: checksumsOf(read) },
    });
  });
}

function requireSqlite(folder: Folder): void {
  const file = `${folder.shown}/${lockFile}`;
  if (!has(folder, lockFile)) {
    throw invalid(
      `"${folder.shown}" is not a folder of Prisma's: it has no ${lockFile}.`,
      'Name the folder that holds it, such as "./prisma/migrations".',
    );
  }
  const text = readFileSync(join(folder.path, lockFile), "utf8");
  const provider = /^\s*provider\s*=\s*(["'])(.*?)\1/m.exec(text)?.[2];
  if (provider === "sqlite") return;
  throw invalid(
    `"${file}" says that these are for ${provider ?? "no provider"}; the databases are SQLite.`,
    'Make them with provider = "sqlite" in schema.prisma.',
  );
}

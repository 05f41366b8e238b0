import { readUpPart } from "./dbmate";
import { drizzleFolders, journalFile } from "./drizzle";
import { type Folder, has, readSql } from "./folder";
import { invalid } from "./invalid";
import { lockFile } from "./prisma";
import type { MigrationFormat } from "./read";

/** Which tool a folder's migrations are of. Fails where that cannot be told, with what it saw. */
export function detectFormat(folder: Folder): MigrationFormat {
  const { files, folders, shown } = folder;
  const withSql = folders.filter((name) => has(folder, `${name}/migration.sql`));
  const saw: Partial<Record<MigrationFormat, string>> = {};
  if (has(folder, lockFile)) saw.prisma = lockFile;
  if (has(folder, journalFile)) saw.drizzle = journalFile;
  else if (drizzleFolders(folder).length > 0) saw.drizzle = `${drizzleFolders(folder)[0]}/snapshot.json`;
  // The journal's files are plain ones too.
  if (files.length > 0 && saw.drizzle !== journalFile) Object.assign(saw, judgeFiles(folder));
  const [only, ...more] = Object.keys(saw) as MigrationFormat[];
  if (only && more.length === 0) return only;
  if (only) {
    const list = [only, ...more].map((format) => `${format}'s ${saw[format]}`).join(" and ");
    throw invalid(
      `"${shown}" could be read in more than one way: it holds ${list}.`,
      "Say which with format, or keep them in folders of their own.",
    );
  }
  if (withSql.length > 0) {
    throw invalid(
      `"${shown}" holds folders with migration.sql ("${withSql[0]}"), but neither Prisma's ${lockFile} nor drizzle-kit's snapshots.`,
      'Restore what is missing, or say format: "prisma" or "drizzle".',
    );
  }
  throw invalid(`"${shown}" holds no .sql file.`, hint(folder));
}

/** Plain files, or dbmate's. */
function judgeFiles(folder: Folder): Partial<Record<MigrationFormat, string>> {
  const dbmate = folder.files.filter((name) => readUpPart(readSql(folder, name).text) !== undefined);
  const plain = folder.files.find((name) => !dbmate.includes(name));
  return {
    ...(dbmate[0] ? { dbmate: `"-- migrate:up" in ${dbmate[0]}` } : {}),
    ...(plain ? { sql: `plain ${plain}` } : {}),
  };
}

/** One level up or down is what people get wrong. */
function hint(folder: Folder): string {
  for (const name of folder.folders) {
    const below = [lockFile, journalFile].find((file) => has(folder, `${name}/${file}`));
    if (below) return `Did you mean "${folder.shown.replace(/\/$/, "")}/${name}"?`;
  }
  return 'Add a first one, such as "0001_init.sql".';
}

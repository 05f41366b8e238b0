import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Statement, splitStatements } from "../statements";
import { type Folder, has, readSql } from "./folder";
import { invalid } from "./invalid";
import { type Migration, asksForTransaction, checksumsOf, inOrderOfNumbers, makeMigration } from "./migration";

/** Where drizzle-kit up to 0.x keeps the order of its files. */
export const journalFile = "meta/_journal.json";
const snapshot = "snapshot.json";

/** drizzle-kit 1.x: a folder a migration, with the schema's snapshot in it, and no journal. */
export const drizzleFolders = (folder: Folder): string[] =>
  folder.folders.filter((name) => has(folder, `${name}/migration.sql`) && has(folder, `${name}/${snapshot}`));

/** drizzle-kit's output, of either kind. The ids are its tags. */
export function readDrizzle(folder: Folder): Migration[] {
  if (has(folder, journalFile)) return readByJournal(folder);
  const names = drizzleFolders(folder);
  if (names.length === 0) {
    throw invalid(
      `"${folder.shown}" is not drizzle-kit's output: it has neither ${journalFile} nor folders with migration.sql and ${snapshot}.`,
      'Name the folder that drizzle.config has as "out".',
    );
  }
  return inOrderOfNumbers(folder, names).map((name) => {
    const dialect = parse(folder, `${name}/${snapshot}`)["dialect"];
    requireSqlite(`${folder.shown}/${name}/${snapshot}`, dialect);
    return readMigration(folder, name, `${name}/migration.sql`);
  });
}

function readByJournal(folder: Folder): Migration[] {
  const file = `${folder.shown}/${journalFile}`;
  const { dialect, entries } = parse(folder, journalFile);
  requireSqlite(file, dialect);
  const list: unknown[] = Array.isArray(entries) ? entries : [];
  const tags = list.map((entry, i) => {
    const { idx, tag, when } = (entry ?? {}) as { idx?: unknown; tag?: unknown; when?: unknown };
    if (typeof idx !== "number" || typeof tag !== "string") {
      throw invalid(`"${file}": entry ${i} has no idx or no tag.`, "Restore the file from your repository.");
    }
    return { idx, tag, when: typeof when === "number" ? when : undefined };
  });
  if (tags.length === 0) throw invalid(`"${file}" lists no migration.`, "Run `drizzle-kit generate`.");
  tags.forEach(({ idx, tag }, i) => {
    const before = tags[i - 1];
    if (before && before.idx >= idx) {
      throw invalid(
        `"${file}" lists "${before.tag}" (idx ${before.idx}) before "${tag}" (idx ${idx}).`,
        "Two branches may have added one each: drop the newer one and generate it again.",
      );
    }
    if (tags.findIndex((one) => one.tag === tag) < i) {
      throw invalid(`"${file}" lists "${tag}" twice.`, "Take one of them out.");
    }
    if (!folder.files.includes(`${tag}.sql`)) {
      throw invalid(`"${file}" lists "${tag}", but "${folder.shown}/${tag}.sql" does not exist.`, restore);
    }
  });
  const unlisted = folder.files.find((name) => !tags.some(({ tag }) => `${tag}.sql` === name));
  if (unlisted) {
    throw invalid(
      `"${folder.shown}/${unlisted}" is not listed in "${file}", so that drizzle-kit would not run it.`,
      restore,
    );
  }
  inOrderOfNumbers(
    folder,
    tags.map(({ tag }) => `${tag}.sql`).filter((name) => /^\d/.test(name)),
  );
  return tags.map(({ tag, when }) => readMigration(folder, tag, `${tag}.sql`, when));
}

const restore = "Restore what is missing from your repository, or take the other away with `drizzle-kit drop`.";

function readMigration(folder: Folder, id: string, name: string, when?: number): Migration {
  const read = readSql(folder, name);
  return makeMigration(folder, read.text, {
    id,
    name,
    statements: splitAtBreakpoints(read.text),
    transaction: asksForTransaction(read.text, `${folder.shown}/${name}`),
    recorded: { tool: "drizzle", checksums: checksumsOf(read), when },
  });
}

/** A breakpoint ends a statement also where no semicolon does. */
function splitAtBreakpoints(text: string): Statement[] {
  let line = 1;
  return text.split("--> statement-breakpoint").flatMap((part) => {
    const statements = splitStatements(part, line);
    line += part.split("\n").length - 1;
    return statements;
  });
}

function requireSqlite(file: string, dialect: unknown): void {
  if (dialect === "sqlite" || dialect === "turso") return;
  throw invalid(
    `"${file}" says that these are for ${String(dialect)}; the databases are SQLite.`,
    'Generate them with dialect: "turso" or "sqlite".',
  );
}

function parse(folder: Folder, name: string): Record<string, unknown> {
  const file = `${folder.shown}/${name}`;
  try {
    const value: unknown = JSON.parse(readFileSync(join(folder.path, name), "utf8"));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalid(
    `"${file}" is not JSON as drizzle-kit writes it.`,
    "Look for marks of a merge conflict, or restore it from your repository.",
  );
}

import { basename, resolve } from "node:path";
import { type Migration, type MigrationFormat, digestOf, readMigrations } from "../../../provider/rollout/source";

/** A folder's migrations, as they are on disk. */
export interface History {
  /** As a user wrote it, or as the state names it. */
  readonly folder: string;
  readonly digest: string;
  readonly migrations: readonly Migration[];
}

/** Fails with "migration-invalid" where the folder cannot be read as a history. */
export function readHistory(folder: string, from: string, format?: MigrationFormat): History {
  const { migrations } = readMigrations(resolve(from, folder), folder, format);
  return { folder, digest: digestOf(migrations), migrations };
}

/** The statement at which a failure says that it happened ("0003_due.sql, line 2"), on one line. */
export function statementNamed({ migrations }: History, failure: string): string | undefined {
  const [, file, line] = /(\S+\.sql), line (\d+)/.exec(failure) ?? [];
  const migration = file && migrations.find((one) => one.file === file || one.file.endsWith(`/${basename(file)}`));
  const found = migration && migration.statements.find((one) => one.line === Number(line));
  return found && withoutComments(found.sql);
}

/** A statement keeps the comments before it, which say less in one line. */
export const withoutComments = (sql: string): string =>
  sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/, "").replace(/\s+/g, " ");

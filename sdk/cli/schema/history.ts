import { basename, resolve } from "node:path";
import { type Migration, digestOf, readMigrations } from "../../../provider/rollout/source";
import { type Statement, splitStatements } from "../../../provider/rollout/statements";

/** A folder's migrations, as they are on disk. */
export interface History {
  /** As a user wrote it, or as the state names it. */
  readonly folder: string;
  readonly digest: string;
  readonly migrations: readonly Migration[];
}

/** Fails with "migration-invalid" where the folder cannot be read as a history. */
export function readHistory(folder: string, from: string): History {
  const migrations = readMigrations(resolve(from, folder), folder);
  return { folder, digest: digestOf(migrations), migrations };
}

export const statementsOf = ({ sql }: Migration): Statement[] => splitStatements(sql);

/** The statement at which a failure says that it happened ("0003_due.sql, line 2"), on one line. */
export function statementNamed({ migrations }: History, failure: string): string | undefined {
  const [, file, line] = /([\w.-]+\.sql), line (\d+)/.exec(failure) ?? [];
  const migration = migrations.find((one) => basename(one.file) === file);
  const found = migration && statementsOf(migration).find((one) => one.line === Number(line));
  return found && withoutComments(found.sql);
}

/** A statement keeps the comments before it, which say less in one line. */
export const withoutComments = (sql: string): string =>
  sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/, "").replace(/\s+/g, " ");

import { resolve } from "node:path";
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

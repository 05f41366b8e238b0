import { TenantryError } from "../platform/errors";
import type { Migration } from "./source";
import { wordsOf } from "./statements";

const own = "each file already runs in one transaction of its own";
const alone = "each statement of this file is sent by itself";
const one = "a migration changes one database only";
const outside = "it cannot run inside a transaction";

const transactions = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];
const pragmas = ["JOURNAL_MODE", "SYNCHRONOUS", "WAL_CHECKPOINT", "LOCKING_MODE"];

/** What cannot be run as it stands is refused before anything is sent, with "migration-invalid". */
export function refuseWhatCannotRun(migration: Migration): void {
  const { file, statements, transaction } = migration;
  if (statements.length === 0) {
    throw new TenantryError("migration-invalid", `migrations: "${file}" holds no SQL statement.`, {
      fix: "Write its statements, or delete the file.",
    });
  }
  for (const { sql, line } of statements) {
    const why = whyRefused(sql, transaction);
    if (!why) continue;
    throw new TenantryError(
      "migration-invalid",
      `migrations: "${file}", line ${line}: ${nameOf(sql)} is refused: ${why}.`,
      { fix: why === outside ? `${markFor(migration)}, in a file of its own.` : "Take the statement out." },
    );
  }
}

/** Only these need a file that is run outside of a transaction. */
export const needsNoTransaction = (sql: string): boolean => whyRefused(sql, true) === outside;

function whyRefused(sql: string, transaction: boolean): string | undefined {
  const [verb = "", second = "", third = "", fourth = ""] = wordsOf(sql, 4);
  if (transactions.includes(verb)) return transaction ? own : alone;
  if (verb === "ATTACH" || verb === "DETACH") return one;
  if (!transaction) return undefined;
  if (verb === "VACUUM") return outside;
  const pragma = third === "." ? fourth : second;
  return verb === "PRAGMA" && pragmas.includes(pragma) ? outside : undefined;
}

function nameOf(sql: string): string {
  const [verb = "", second = ""] = wordsOf(sql, 2);
  return verb === "PRAGMA" ? `${verb} ${second.toLowerCase()}` : verb;
}

const markFor = ({ recorded }: Migration): string =>
  recorded?.tool === "dbmate"
    ? 'Write "-- migrate:up transaction:false" above it'
    : 'Write "-- tenantry: no-transaction" as the first line';

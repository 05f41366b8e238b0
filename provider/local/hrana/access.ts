import { StatementError } from "./fault";
import type { SqlStatement } from "./sql-text";

/** What the bearer of a token may do with a database, and what its configuration blocks. */
export interface Access {
  /** False for a read-only token: the engine then opens the file read-only. */
  readonly write: boolean;
  /** As on a libSQL server, blocked reads block every statement but the end of a transaction. */
  readonly blockReads: boolean;
  readonly blockWrites: boolean;
}

export function opensReadOnly(access: Access): boolean {
  return !access.write || access.blockWrites;
}

/** The engine has no switch against reading, so this is asked before a statement reaches it. */
export function refuseBlocked(access: Access, statement: SqlStatement): void {
  if (!access.blockReads || statement.kind === "end") return;
  throw new StatementError("BLOCKED", "Operation was blocked: reads are blocked on this database");
}

/** A write refused by the engine because writes are blocked is told as that, not as a matter of the token. */
export function explainRefusal(access: Access, error: StatementError): StatementError {
  if (error.code !== "SQLITE_READONLY" || !access.blockWrites) return error;
  return new StatementError("BLOCKED", "Operation was blocked: writes are blocked on this database");
}

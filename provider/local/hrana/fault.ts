import { SqliteError } from "libsql";

/** A failure of one statement. It is answered in-band, so that the rest of the pipeline still runs. */
export class StatementError extends Error {
  constructor(
    readonly code: string,
    text: string,
  ) {
    super(text);
    this.name = "StatementError";
  }
}

/** A request that breaks the protocol. The whole pipeline is answered with HTTP 400 and this text. */
export class ProtocolError extends Error {
  constructor(text: string) {
    super(text);
    this.name = "ProtocolError";
  }
}

/** The file of the database is gone, as when it was deleted between the look-up and the first statement. */
export class DatabaseMissing extends Error {
  constructor() {
    super("the database does not exist");
    this.name = "DatabaseMissing";
  }
}

// libSQL servers answer with SQLite's primary result codes by name, and with SQLITE_UNKNOWN for the generic error 1.
const primaryCodes: Readonly<Record<number, string>> = {
  2: "SQLITE_INTERNAL",
  3: "SQLITE_PERM",
  4: "SQLITE_ABORT",
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  7: "SQLITE_NOMEM",
  8: "SQLITE_READONLY",
  9: "SQLITE_INTERRUPT",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  12: "SQLITE_NOTFOUND",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  15: "SQLITE_PROTOCOL",
  17: "SQLITE_SCHEMA",
  18: "SQLITE_TOOBIG",
  19: "SQLITE_CONSTRAINT",
  20: "SQLITE_MISMATCH",
  21: "SQLITE_MISUSE",
  22: "SQLITE_NOLFS",
  23: "SQLITE_AUTH",
  25: "SQLITE_RANGE",
  26: "SQLITE_NOTADB",
};

const syntax = /syntax error|^incomplete input|^unrecognized token/;
const input =
  /^(?:no such (?:column|function)|ambiguous column name|wrong number of arguments|misuse of|(?:table|view) .* already exists)/;

/**
 * Turns what the engine threw into the error that a libSQL server sends for it.
 * Source: texts and codes as reported by users of `@libsql/client` against Turso (`SQL_INPUT_ERROR: SQL input error:
 * no such column: ...`, `SQLITE_UNKNOWN: SQLite error: no such table: ...`). The engine's binding does not tell the
 * offset that those texts end with, so it is left out.
 */
export function statementError(error: unknown): StatementError {
  if (error instanceof StatementError) return error;
  if (!(error instanceof SqliteError)) {
    return new StatementError("INTERNAL_ERROR", error instanceof Error ? error.message : String(error));
  }
  const primary = (error.rawCode ?? 1) & 0xff;
  if (primary === 1 && syntax.test(error.message)) {
    return new StatementError("SQL_PARSE_ERROR", `SQL string could not be parsed: ${error.message}`);
  }
  if (primary === 1 && input.test(error.message)) {
    return new StatementError("SQL_INPUT_ERROR", `SQL input error: ${error.message}`);
  }
  return new StatementError(primaryCodes[primary] ?? "SQLITE_UNKNOWN", `SQLite error: ${error.message}`);
}

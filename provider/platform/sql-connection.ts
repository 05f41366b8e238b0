// What SQL is to everybody above a driver; its libSQL over HTTP is in sql.ts.
export type SqlValue = string | number | bigint | null | Uint8Array;

export interface SqlStatement {
  readonly sql: string;
  readonly args: readonly SqlValue[];
}

/** By column name; where a name occurs twice, the first. Whole numbers beyond 2^53 are bigint. Blobs are Uint8Array. */
export type Row = Record<string, unknown>;

export interface SqlResult {
  readonly rows: readonly Row[];
  readonly rowsAffected: number;
  /** What a client of `@libsql/client` shows besides, where the database does not speak with one. */
  readonly raw?: RawResult;
}

/** Rows by position: two columns may have one name. */
export interface RawResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly lastInsertRowid: bigint | undefined;
}

/**
 * SQL on one database, whatever it speaks. What the platform does wrong is a TenantryError ("credentials-rejected", "forbidden",
 * "not-ready", "unreachable", "timed-out", "untrusted-host", "unavailable", "bad-answer"), and so is a block; what SQLite refuses is an
 * SqlError.
 */
export interface Sql {
  /** How many statements one write can have; undefined: any number. More are refused with "unsupported", nothing being sent. */
  readonly maxStatements?: number;
  /**
   * Arguments and rows travel as plain JSON, without bytes and without whole numbers beyond 2^53, and a statement takes
   * so many arguments at most. Undefined: it takes what SQLite takes.
   */
  readonly plainJson?: { readonly maxArguments: number };
  /** Of pragmas it lets through only those about tables, and quick_check: not integrity_check, user_version, encoding. */
  readonly fewPragmas?: true;
  /** A statement can read rows from a JSON text (`json_each`), so that many of them travel as one argument. */
  readonly jsonTables?: true;
  /** `idempotent`: may be sent again after a lost reply. Default: only when it begins with SELECT. */
  execute(statement: SqlStatement, options?: { readonly idempotent?: boolean }): Promise<SqlResult>;
  /**
   * One transaction, in one request. An SqlError tells with `statementIndex` which statement failed; then nothing was
   * kept. `idempotent`: default only in mode "read". `foreignKeys`: "off" switches them off before a "write", and on
   * behind it, which no statement inside of a transaction can; default "kept", as the connection has them. `whenBusy`:
   * what becomes of a transaction that the database refuses because somebody else keeps it locked; default "wait", which
   * tries it again some times.
   */
  batch(
    statements: readonly (SqlStatement | string)[],
    mode: "read" | "write",
    options?: BatchOptions,
  ): Promise<SqlResult[]>;
  /**
   * Waits until the database answers `SELECT 1`; 404, 5xx and failed connections count as "not yet". Fails with
   * "not-ready" after `deadline` ms, default 60,000. Remembered once true.
   */
  ready(deadline?: number): Promise<void>;
  /**
   * Like `ready`, but asks nothing now: the next call that may be sent again waits so where it finds the database not
   * there yet. For one that most likely is, a trip is saved.
   */
  expectReady(deadline?: number): Promise<void>;
  close(): void;
}

export interface BatchOptions {
  readonly idempotent?: boolean;
  readonly foreignKeys?: "kept" | "off";
  readonly whenBusy?: "wait" | "fail";
}

import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { DatabaseMissing, StatementError } from "./fault";
import { refuseUnoffered } from "./offered";
import { parseSql, type SqlStatement } from "./sql-text";

/** A file, opened, with the statements that were prepared on it. */
export interface OpenFile {
  readonly database: Database.Database;
  readonly prepared: Map<string, Database.Statement>;
  /** How many streams have had it. */
  uses: number;
}

// As many statements as one application's hot queries; each holds a few kilobytes.
const maxPrepared = 32;

/**
 * Opens an existing file, never making one. Read-only is the engine's own mode (`mode=ro`), which no SQL text undoes;
 * the `readonly` option of the binding has no effect.
 */
export function openFile(path: string, readOnly: boolean): OpenFile {
  try {
    const database = connect(`${pathToFileURL(path).href}?mode=${readOnly ? "ro" : "rw"}`);
    // Another process may be closing the file, which takes its lock for a moment. `exec` leaves no prepared statement
    // behind, so that closing closes at once.
    database.exec("PRAGMA busy_timeout = 2000");
    // With a write-ahead log readers do not stop writers. Turning it on, once in the life of a file and while it is
    // empty, need not wait for the disk.
    if (!readOnly) database.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL");
    // A new connection of a hosted database enforces no foreign keys, whatever the engine was compiled with.
    database.exec("PRAGMA foreign_keys = OFF; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 0");
    return { database, prepared: new Map(), uses: 0 };
  } catch (error) {
    if (!existsSync(path)) throw new DatabaseMissing();
    throw error;
  }
}

function connect(address: string): Database.Database {
  try {
    return new Database(address);
  } catch {
    // The binding's own text has the whole path in it.
    throw new StatementError("SQLITE_CANTOPEN", "SQLite error: unable to open database file");
  }
}

/** Preparing costs several times what a point read costs. The engine prepares anew by itself after a schema change. */
export function prepare({ database, prepared, uses }: OpenFile, { sql, kind }: SqlStatement): Database.Statement {
  const known = prepared.get(sql);
  if (known !== undefined) {
    prepared.delete(sql);
    prepared.set(sql, known);
    return known;
  }
  const statement = database.prepare(sql).safeIntegers();
  // What is kept holds files open for longer after they were closed (see `createReclaimer`): it is for busy databases.
  if (uses < 2 || (kind !== "read" && kind !== "insert" && kind !== "change")) return statement;
  prepared.set(sql, statement);
  for (const oldest of prepared.keys()) {
    if (prepared.size <= maxPrepared) break;
    prepared.delete(oldest);
  }
  return statement;
}

/**
 * "ok", or the first thing that is wrong with a file: what its schema says and no statement may, or what SQLite finds, in
 * its indexes too. Leaves nothing beside it.
 */
export function checkFile(path: string): string {
  let database: Database.Database | undefined;
  try {
    database = openFile(path, false).database;
    // Once it is there, nobody who asks a view or a full-text table names what stands behind it.
    for (const [sql] of database.prepare("SELECT CAST(sql AS TEXT) FROM sqlite_schema").raw().all([]) as [string][]) {
      for (const { tokens } of parseSql(sql ?? "")) refuseUnoffered(tokens);
    }
    return String((database.prepare("PRAGMA integrity_check(1)").raw().get([]) as unknown[])[0]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    database?.close();
  }
}

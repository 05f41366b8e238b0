import type Libsql from "libsql";
import { TenantryError } from "../../platform/errors";
import type { SchemaModel } from "./model";
import { createSchemaReader } from "./read-schema";

type Row = Record<string, unknown>;

/** A column of a query, with the table's column that it is, where it is one as it stands. */
export interface ResultColumn {
  readonly table: string | undefined;
  readonly column: string | undefined;
}

/** An empty database in memory, which only ever gets a schema: no statement with a query in it is run. */
export interface Scratch {
  run(sql: string): void;
  /** It decides on more than rows: with it, no table can be dropped that refers to one that is not there. Default on. */
  enforceForeignKeys(on: boolean): void;
  /** Fails as running it would on names and syntax, and runs nothing. */
  compile(sql: string): void;
  resultOf(query: string): ResultColumn[];
  /** CREATE TABLE ... AS, of which only the columns come about: a query may never end. */
  createFrom(create: string, query: string): void;
  /** Undoes what ends with a connection: temporary tables and views, and settings. */
  forget(): void;
  rows(sql: string, ...args: string[]): Row[];
  schema(): SchemaModel;
  close(): void;
}

/** At its first use: programs and previews that never ask do not pay for it. */
async function loadSqlite(): Promise<typeof Libsql> {
  try {
    return (await import("libsql")).default;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new TenantryError("unsupported", `SQLite (the package libsql) cannot be loaded on this machine: ${why}.`, {
      fix: "Install the packages here, with optional dependencies: `npm ci`.",
      cause: error,
    });
  }
}

/** Fails with "unsupported" where there is no SQLite for this machine. */
export async function openScratch(): Promise<Scratch> {
  const Database = await loadSqlite();
  const database: Libsql.Database = new Database(":memory:");
  const rows = (sql: string, ...args: string[]): Row[] => database.prepare(sql).all(...args) as Row[];
  return {
    run: (sql) => void database.exec(sql),
    compile: (sql) => void database.prepare(sql),
    resultOf: (query) =>
      database
        .prepare(query)
        .columns()
        .map(({ table, column }) => ({ table: table?.toLowerCase(), column: column?.toLowerCase() })),
    enforceForeignKeys: (on) => void database.exec(on ? "PRAGMA foreign_keys = 1" : "PRAGMA foreign_keys = 0"),
    createFrom: (create, query) => void database.exec(`${create} SELECT * FROM (${query}\n) LIMIT 0`),
    forget() {
      database.exec("PRAGMA legacy_alter_table = 0");
      const made = rows("SELECT type, name FROM sqlite_temp_schema WHERE type <> 'index' ORDER BY type DESC");
      for (const { type, name } of made) {
        database.exec(`DROP ${String(type)} IF EXISTS temp."${String(name).replaceAll('"', '""')}"`);
      }
    },
    rows,
    schema: createSchemaReader(rows),
    close: () => void database.close(),
  };
}

import { TenantryError } from "../platform/errors";
import { type Sql, SqlError, type SqlStatement } from "../platform/sql";
import { type Definition, type SchemaObject, type Table, isVectorIndex, readDefinition } from "./definition";
import { type TableDigest, createDigest } from "./digest";
import { insertion, writeRows } from "./load";
import { quoted } from "./quoted-name";
import { type Cell, type Page, lastKey, readRows } from "./rows";
import { sameObject } from "./verify";

/** For whoever waits: the table at work, and what has been written so far by this call. */
export interface TransferProgress {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
}

/** Which rows of a table are carried: all as they are, none, or all with their values changed, in the order of the columns. */
export type Carried = "all" | "none" | ((row: readonly Cell[]) => readonly Cell[]);

export interface CarryOptions {
  readonly onProgress?: (progress: TransferProgress) => void;
  /** Default: "all" of every table. */
  readonly carried?: (table: Table) => Carried;
}

export interface CarriedDatabase {
  readonly definition: Definition;
  /** Of tables whose rows all came by. */
  readonly digests: ReadonlyMap<string, TableDigest>;
  /** What the target does not take, such as "user_version (42)". */
  readonly left: readonly string[];
  readonly rows: number;
}

/** Makes in the target what the source consists of, with its rows. See `transfer` for what it holds to. */
export async function carry(source: Sql, target: Sql, options: CarryOptions = {}): Promise<CarriedDatabase> {
  const { onProgress = () => {}, carried = () => "all" } = options;
  const definition = await readDefinition(source);
  const present = await readDefinition(target);
  requireRoom(definition, present);
  const isEmpty = present.objects.length === 0;
  const due = dueIn(definition, present);
  await makeTables(target, due("table"));
  await makeEach(target, due("index").filter(isVectorIndex));
  for (const name of definition.fts5) await copySettings(source, target, name);
  const counted = { rows: 0, bytes: 0 };
  const digests = new Map<string, TableDigest>();
  for (const table of definition.tables) {
    const how = carried(table);
    if (how === "none") continue;
    const change = how === "all" ? undefined : how;
    const digest = await copyRows(source, target, table, { isEmpty, change }, ({ rows, bytes }) =>
      onProgress({ table: table.name, rows: (counted.rows += rows.length), bytes: (counted.bytes += bytes) }),
    );
    if (digest) digests.set(table.name, digest);
  }
  // It stays where the last such table has gone.
  const sequence = definition.sequence && (await readDefinition(target)).sequence;
  if (sequence && carried(sequence) !== "none") await replaceRows(source, target, sequence);
  const indexes = due("index").filter((one) => !isVectorIndex(one));
  await makeEach(target, [...due("view"), ...indexes]);
  for (const name of definition.rebuilt) await target.batch([rebuild(name)], "write", { idempotent: true });
  await makeEach(target, due("trigger"));
  const left = await writePragmas(target, definition, present);
  return { definition: { ...definition, sequence }, digests, left, rows: counted.rows };
}

function requireRoom(definition: Definition, present: Definition): void {
  const foreign = present.objects.find((one) => !definition.objects.some((other) => sameObject(one, other)));
  if (foreign) {
    const what = `${foreign.type} "${foreign.name}"`;
    throw new TenantryError("not-empty", `The database to copy into has a ${what} that the source does not have.`);
  }
  if (definition.encoding !== present.encoding) {
    throw new TenantryError(
      "unsupported",
      `The source keeps its texts as ${definition.encoding}, a new database there keeps them as ${present.encoding}.`,
    );
  }
}

/** What has a statement of its own, and is not there yet. */
function dueIn({ objects }: Definition, present: Definition): (type: SchemaObject["type"]) => SchemaObject[] {
  const there = new Set(present.objects.map(({ type, name }) => `${type} ${name}`));
  return (of) =>
    objects.filter(
      ({ type, name, sql, isShadow }) => type === of && sql !== undefined && !isShadow && !there.has(`${type} ${name}`),
    );
}

/** In one transaction: either all are there, with nothing in them, or none. */
async function makeTables(target: Sql, tables: readonly SchemaObject[]): Promise<void> {
  if (tables.length === 0) return;
  await target.batch(
    tables.map(({ sql }) => sql!),
    "write",
  );
}

/** One by one: an index of many rows takes its time. */
async function makeEach(target: Sql, objects: readonly SchemaObject[]): Promise<void> {
  for (const { sql } of objects) await target.batch([sql!], "write");
}

/** Reads ahead of what it writes. The digest where all rows came by. */
async function copyRows(
  source: Sql,
  target: Sql,
  table: Table,
  { isEmpty, change }: { readonly isEmpty: boolean; readonly change: Exclude<Carried, string> | undefined },
  onPage: (page: Page) => void,
): Promise<TableDigest | undefined> {
  const after: readonly Cell[] | undefined =
    isEmpty || table.kind === "hidden" ? undefined : await lastKey(target, table);
  const digest = (after ?? change) ? undefined : createDigest();
  const pages = readRows(source, table, after);
  try {
    for (let next = pages.next(); ;) {
      const { done, value: page } = await next;
      if (done) return digest?.result();
      next = pages.next();
      // Met when it is awaited.
      next.catch(() => undefined);
      await writeRows(target, table, change ? page.rows.map(change) : page.rows);
      digest?.add(page.rows);
      onPage(page);
    }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new TenantryError("unsupported", `Table "${table.name}" cannot be copied: ${error.message}.`, {
      cause: error,
    });
  }
}

/** Of a small table that fills itself meanwhile. */
async function replaceRows(source: Sql, target: Sql, table: Table): Promise<void> {
  const statements: SqlStatement[] = [{ sql: `DELETE FROM ${quoted(table.name)}`, args: [] }];
  for await (const { rows } of readRows(source, table)) statements.push(insertion(table, rows, target));
  await target.batch(statements, "write", { idempotent: true });
}

/** SQLite docs, "FTS5: Configuration Options": each is set by an INSERT into the table itself, and kept in `_config`. */
async function copySettings(source: Sql, target: Sql, name: string): Promise<void> {
  const text = `SELECT k, v FROM ${quoted(`${name}_config`)} WHERE k <> 'version'`;
  const { rows } = await source.execute({ sql: text, args: [] }, { idempotent: true });
  const statements = rows.map(({ k, v }): SqlStatement => ({
    sql: `INSERT INTO ${quoted(name)} (${quoted(name)}, rank) VALUES (?, ?)`,
    args: [String(k), v as string | number],
  }));
  await target.batch(statements, "write", { idempotent: true });
}

/** SQLite docs, FTS5 and FTS3/4: the "rebuild" command. */
const rebuild = (name: string): string => `INSERT INTO ${quoted(name)} (${quoted(name)}) VALUES ('rebuild')`;

/** Turso's databases and the embedded platform's let them be read only, libsql-server's the second one. */
async function writePragmas(target: Sql, from: Definition, present: Definition): Promise<string[]> {
  const left: string[] = [];
  for (const [name, key] of [
    ["user_version", "userVersion"],
    ["application_id", "applicationId"],
  ] as const) {
    if (from[key] === present[key]) continue;
    try {
      await target.batch([`PRAGMA ${name} = ${from[key]}`], "write", { idempotent: true });
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      left.push(`${name} (${from[key]})`);
    }
  }
  return left;
}

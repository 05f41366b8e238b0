import { type TableText, readCreateTable } from "./create-table";
import type { Column, ForeignKey, Index, SchemaModel, Table, Text, VirtualTable } from "./model";
import { closing, findWord, isWord, lowerCase, normalSql, normalTokens, splitAt, tokensOf } from "./tokens";

type Row = Record<string, unknown>;

// CROSS JOIN keeps the order: a pragma is asked about tables only, because one broken view would fail them all.
const queries = [
  "SELECT type, name, tbl_name, sql FROM sqlite_schema",
  `SELECT l.name AS "table", l.type AS kind, l.wr, l.strict, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
   FROM pragma_table_list l CROSS JOIN pragma_table_xinfo(l.name) x
   WHERE l.schema = 'main' AND l.type <> 'view' ORDER BY l.name, x.cid`,
  `SELECT s.name AS "table", l.name AS "index", l."unique", l.origin, x.cid, x.name AS "column", x."desc", x.coll
   FROM sqlite_schema s CROSS JOIN pragma_index_list(s.name) l CROSS JOIN pragma_index_xinfo(l.name) x
   WHERE s.type = 'table' AND x.key ORDER BY s.name, l.name, x.seqno`,
  `SELECT s.name AS "table", f.id, f."table" AS parent, f."from", f."to", f.on_delete, f.on_update
   FROM sqlite_schema s CROSS JOIN pragma_foreign_key_list(s.name) f WHERE s.type = 'table' ORDER BY s.name, f.id, f.seq`,
];

const otherLedgers = new Set(["__drizzle_migrations", "_prisma_migrations", "schema_migrations"]);

/** Tables that are no part of a tenant's schema, by name. */
export const isForeign = (name: string): boolean =>
  /^(?:sqlite_|libsql_|_tenantry_|_litestream)/i.test(name) || otherLedgers.has(lowerCase(name));

/** `read` answers the rows of each statement, all as of one moment: one round trip. */
export async function readSchema(
  read: (statements: string[]) => Promise<readonly (readonly Row[])[]>,
): Promise<SchemaModel> {
  return modelOf(await read([...queries]));
}

/** What a text means, worked out once. */
type Remember = <T>(key: string, work: () => T) => T;

/**
 * For reading one database again and again: only tables whose texts have changed since are asked about and read anew.
 * Objects that are the same as before are the same objects.
 */
export function createSchemaReader(read: (statement: string, ...args: string[]) => Row[]): () => SchemaModel {
  let known = new Map<string, readonly (readonly Row[])[]>();
  const meanings = new Map<string, unknown>();
  const remember: Remember = <T>(key: string, work: () => T): T => {
    if (!meanings.has(key)) meanings.set(key, work());
    return meanings.get(key) as T;
  };
  return () => {
    const objects = read(queries[0]!);
    const ofTables = groupBy(objects, (row) => lowerCase(text(row["tbl_name"])));
    const keyed = [...ofTables].map(([table, rows]) => [table, JSON.stringify(rows.map(({ sql }) => sql))] as const);
    const changed = keyed.filter(([table, texts]) => !known.has(`${table} ${texts}`)).map(([table]) => table);
    const found = details.map((query) => groupBy(read(query, JSON.stringify(changed)), tableOfRow));
    known = new Map(
      keyed.map(([table, texts]) => {
        const key = `${table} ${texts}`;
        return [key, known.get(key) ?? found.map((rows) => rows.get(table) ?? [])];
      }),
    );
    const rowsOf = (at: number): Row[] => [...known.values()].flatMap((rows) => rows[at] ?? []);
    return modelOf([objects, rowsOf(0), rowsOf(1), rowsOf(2)], remember);
  };
}

/** The queries but the first, about some tables. */
const details = queries.slice(1).map((query) => {
  const table = query.includes("pragma_table_list") ? "l.name" : "s.name";
  return query.replace("WHERE", `WHERE lower(${table}) IN (SELECT value FROM json_each(?)) AND`);
});

const tableOfRow = (row: Row): string => lowerCase(text(row["table"]));

function modelOf(
  [objects = [], columns = [], keys = [], references = []]: readonly (readonly Row[])[],
  remember: Remember = (_key, work) => work(),
): SchemaModel {
  const hidden = hiddenTables(objects, columns);
  const shown = objects
    .map((row) => ({
      type: text(row["type"]),
      name: text(row["name"]),
      table: text(row["tbl_name"]),
      sql: row["sql"] === null ? undefined : text(row["sql"]),
    }))
    .filter(({ name, table }) => !isForeign(name) && !hidden.has(lowerCase(name)) && !hidden.has(lowerCase(table)));
  const columnsOf = groupBy(columns, tableOfRow);
  const keysOf = groupBy(keys, (row) => lowerCase(text(row["index"])));
  const keysOfTable = groupBy(keys, tableOfRow);
  const referencesOf = groupBy(references, tableOfRow);
  const model = {
    tables: new Map<string, Table>(),
    indexes: new Map<string, Index>(),
    triggers: new Map<string, Text>(),
    views: new Map<string, Text>(),
    virtualTables: new Map<string, VirtualTable>(),
  };
  const textOfTable = new Map(shown.map(({ type, name, sql }) => [type === "table" ? lowerCase(name) : "", sql]));
  for (const { type, name, table, sql } of shown) {
    const key = lowerCase(name);
    if (sql === undefined) continue;
    const own = columnsOf.get(key) ?? [];
    const id = `${name}\n${sql}`;
    const asText = (): Text => remember(id, () => ({ name, sql: normalSql(sql) }));
    if (type === "trigger") model.triggers.set(key, asText());
    else if (type === "view") model.views.set(key, asText());
    else if (type === "index") {
      // What an index's column means, its table says.
      const whole = `${id}\n${textOfTable.get(lowerCase(table)) ?? ""}`;
      model.indexes.set(
        key,
        remember(whole, () => indexOf(name, table, sql, keysOf.get(key) ?? [])),
      );
    } else if (/^create\s+virtual/i.test(sql)) {
      model.virtualTables.set(
        key,
        remember(id, () => virtualTableOf(name, sql, own)),
      );
    } else {
      const [ownKeys, ownReferences] = [keysOfTable.get(key) ?? [], referencesOf.get(key) ?? []];
      model.tables.set(
        key,
        remember(id, () => tableOf(name, readCreateTable(sql), own, ownKeys, ownReferences)),
      );
    }
  }
  return { ...model, tables: withImpliedKeys(model.tables) };
}

/** In lower case: shadow tables, which SQLite knows, and those behind vector indexes, which it takes for ordinary. */
function hiddenTables(objects: readonly Row[], columns: readonly Row[]): Set<string> {
  const hidden = new Set<string>();
  for (const row of columns) if (row["kind"] === "shadow") hidden.add(lowerCase(text(row["table"])));
  for (const row of objects) {
    const name = lowerCase(text(row["name"]));
    if (row["type"] === "index" && /libsql_vector_idx/i.test(text(row["sql"]))) hidden.add(`${name}_shadow`);
    if (isForeign(name)) hidden.add(name);
  }
  return hidden;
}

function tableOf(
  name: string,
  written: TableText,
  columns: readonly Row[],
  keys: readonly Row[],
  references: readonly Row[],
): Table {
  const inKey = columns.filter((row) => Number(row["pk"]) > 0).sort((a, b) => Number(a["pk"]) - Number(b["pk"]));
  const uniques = groupBy(
    keys.filter((row) => row["origin"] === "u"),
    (row) => text(row["index"]),
  );
  return {
    name,
    columns: new Map(columns.map((row) => [lowerCase(text(row["name"])), columnOf(row, written)])),
    primaryKey: inKey.map((row) => lowerCase(text(row["name"]))),
    autoincrement: written.autoincrement,
    uniques: [...uniques.values()].map((parts) => parts.map((part) => keyPart(part)).join(", ")).sort(),
    checks: written.checks,
    foreignKeys: [...groupBy(references, (row) => text(row["id"])).values()]
      .map((parts) => foreignKeyOf(parts, written))
      .sort((a, b) => (a.columns.join() < b.columns.join() ? -1 : 1)),
    conflicts: written.conflicts,
    withoutRowid: Number(columns[0]?.["wr"]) === 1,
    strict: Number(columns[0]?.["strict"]) === 1,
  };
}

function columnOf(row: Row, written: TableText): Column {
  const name = text(row["name"]);
  const own = written.columns.get(lowerCase(name));
  const hidden = Number(row["hidden"]);
  const given = row["dflt_value"] === null ? "null" : normalSql(text(row["dflt_value"]));
  return {
    name,
    type: text(row["type"]).replace(/\s+/g, " ").toLowerCase(),
    notNull: Number(row["notnull"]) === 1,
    default: given === "null" ? undefined : given,
    collation: own?.collation,
    generated: hidden < 2 ? undefined : `${hidden === 2 ? "virtual" : "stored"} ${own?.generated ?? ""}`,
  };
}

function foreignKeyOf(parts: readonly Row[], written: TableText): ForeignKey {
  const [first] = parts;
  const columns = parts.map((row) => lowerCase(text(row["from"])));
  return {
    columns,
    table: lowerCase(text(first?.["parent"])),
    to: parts.flatMap((row) => (row["to"] === null ? [] : [lowerCase(text(row["to"]))])),
    onDelete: text(first?.["on_delete"]).toLowerCase(),
    onUpdate: text(first?.["on_update"]).toLowerCase(),
    deferred: written.deferred.has(columns.join(",")),
  };
}

/** `REFERENCES parent` means its primary key. */
function withImpliedKeys(tables: ReadonlyMap<string, Table>): Map<string, Table> {
  const complete = (key: ForeignKey): ForeignKey =>
    key.to.length > 0 ? key : { ...key, to: tables.get(key.table)?.primaryKey ?? [] };
  const isComplete = (table: Table): boolean => table.foreignKeys.every(({ to }) => to.length > 0);
  return new Map(
    [...tables].map(([key, table]) => [
      key,
      isComplete(table) ? table : { ...table, foreignKeys: table.foreignKeys.map(complete) },
    ]),
  );
}

function indexOf(name: string, table: string, sql: string, parts: readonly Row[]): Index {
  const tokens = tokensOf(sql);
  const on = findWord(tokens, ["on"]);
  const open = findWord(tokens, ["("], on);
  const close = closing(tokens, open);
  const written = splitAt(tokens.slice(open + 1, close), ",");
  const where = findWord(tokens, ["where"], close);
  return {
    name,
    table: lowerCase(table),
    columns: written.map((part, at) => {
      const row = parts[at];
      if (row && Number(row["cid"]) >= -1) return keyPart(row);
      return normalTokens(isWord(part.at(-1), "asc") ? part.slice(0, -1) : part);
    }),
    unique: isWord(tokens[1], "unique"),
    where: where < 0 ? undefined : normalTokens(tokens.slice(where + 1)),
  };
}

function keyPart(row: Row): string {
  const collation = text(row["coll"]).toLowerCase();
  const collate = collation === "binary" ? "" : ` collate ${collation}`;
  return `${lowerCase(text(row["column"]))}${collate}${Number(row["desc"]) === 1 ? " desc" : ""}`;
}

function virtualTableOf(name: string, sql: string, columns: readonly Row[]): VirtualTable {
  return {
    name,
    sql: normalSql(sql),
    columns: columns.filter((row) => Number(row["hidden"]) === 0).map((row) => lowerCase(text(row["name"]))),
    keepsRows: /\busing\s+(?:fts[345]|rtree(?:_i32)?|geopoly)\b/i.test(sql) && !/[(,]\s*content\s*=/i.test(sql),
  };
}

const text = (value: unknown): string => (typeof value === "string" ? value : String(value ?? ""));

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

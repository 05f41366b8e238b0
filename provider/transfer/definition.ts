import { TenantryError } from "../platform/errors";
import type { Row, Sql } from "../platform/sql";
import { quoted } from "./quoted-name";
import { type Module, moduleOf } from "./virtual-table";

/** Something that `sqlite_schema` names, with the statement that makes it; none for what SQLite makes by itself. */
export interface SchemaObject {
  readonly type: "table" | "index" | "view" | "trigger";
  readonly name: string;
  readonly table: string;
  readonly sql: string | undefined;
  /** A table in which a virtual one or a vector index keeps what it has: it comes and goes with it. */
  readonly isShadow: boolean;
}

/** One table whose rows are read and written by their key, in order. */
export interface Table {
  readonly name: string;
  /** What is read and written of a row, each as it stands in SQL, without generated columns; the row number among them. */
  readonly columns: readonly string[];
  /** What orders the rows and tells them apart: places in `columns`, each with the expression to order by. */
  readonly key: readonly { readonly column: number; readonly order: string }[];
  /**
   * "virtual": rows go through its module, which knows REPLACE, and no ON CONFLICT. "hidden": a shadow table of a module
   * that does not give its rows back; a new one is not empty.
   */
  readonly kind: "plain" | "virtual" | "hidden";
}

/** All that a database consists of, in the order in which it is made anew. */
export interface Definition {
  readonly objects: readonly SchemaObject[];
  /** Whose rows are carried: tables, virtual ones that keep their rows, and the shadow tables of those that hide them. */
  readonly tables: readonly Table[];
  /** Full-text indexes of other tables' rows, which their module fills by itself. */
  readonly rebuilt: readonly string[];
  /** fts5 tables that are written by their module, and whose settings are in a table of their own. */
  readonly fts5: readonly string[];
  /** Names of the tables in which vector indexes keep their graphs. */
  readonly vectors: readonly string[];
  /** Where SQLite keeps the last number of each AUTOINCREMENT table; undefined where there is none. */
  readonly sequence: Table | undefined;
  readonly userVersion: number;
  readonly applicationId: number;
  /** Such as "UTF-8". */
  readonly encoding: string;
}

/** Reads it in one request. Tables without a key that can be named are refused as "unsupported". */
export async function readDefinition(sql: Sql): Promise<Definition> {
  const [schema, columns, keys, references, pragmas] = (
    await sql.batch(
      [
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid",
        `SELECT l.name AS tbl, l.type, l.wr, x.name, x.pk, x.hidden FROM pragma_table_list AS l
         JOIN pragma_table_xinfo(l.name) AS x WHERE l.schema = 'main' AND l.type <> 'view' ORDER BY l.name, x.cid`,
        `SELECT m.name AS tbl, x.name, x.coll FROM sqlite_schema AS m JOIN pragma_index_list(m.name) AS i
         JOIN pragma_index_xinfo(i.name) AS x WHERE m.type = 'table' AND i.origin = 'pk' AND x.key = 1
         ORDER BY m.name, x.seqno`,
        `SELECT m.name AS tbl, f."table" AS other FROM sqlite_schema AS m JOIN pragma_foreign_key_list(m.name) AS f
         WHERE m.type = 'table'`,
        sql.fewPragmas
          ? "SELECT 0 AS user_version, 0 AS application_id, 'UTF-8' AS encoding"
          : `SELECT user_version, application_id, encoding FROM pragma_user_version, pragma_application_id, pragma_encoding`,
      ],
      "read",
    )
  ).map(({ rows }) => rows) as [readonly Row[], readonly Row[], readonly Row[], readonly Row[], readonly Row[]];
  const own = groupedBy(columns, "tbl");
  const vectors = schema.map(objectOf).flatMap((one) => (isVectorIndex(one) ? [`${one.name}_shadow`] : []));
  const isOfVectors = (name: string): boolean => name === vectorSettings || vectors.includes(name);
  const objects = schema.map(objectOf).flatMap((one): SchemaObject[] => {
    // What stays when the last table or index of its kind goes, and so says nothing.
    if (/^sqlite_(?:stat\d|sequence)$/i.test(one.table) || one.table === vectorSettings) return [];
    return [{ ...one, isShadow: isOfVectors(one.table) || own.get(one.table)?.[0]!["type"] === "shadow" }];
  });
  const modules = new Map<string, Module>();
  for (const { type, name, sql: text } of objects) {
    const module = type === "table" && text !== undefined ? moduleOf(text) : undefined;
    if (module) modules.set(name, module);
  }
  const primary = groupedBy(keys, "tbl");
  const tables = [...own].flatMap(([name, rows]): Table[] => {
    if (/^sqlite_/i.test(name) || isOfVectors(name)) return [];
    const kind = String(rows[0]!["type"]);
    if (kind === "virtual") {
      const module = modules.get(name);
      return module?.rows === "own" ? [virtualTable(name, rows, module)] : [];
    }
    if (kind === "shadow" && modules.get(ownerOf(name, modules))?.rows !== "hidden") return [];
    return [ordinaryTable(name, kind === "shadow" ? "hidden" : "plain", rows, primary.get(name) ?? [])];
  });
  const named = (which: (module: Module) => boolean) =>
    [...modules].flatMap(([name, module]) => (which(module) ? [name] : []));
  return {
    objects,
    tables: parentsFirst(tables, references),
    rebuilt: named(({ rows }) => rows === "of another"),
    fts5: named(({ name, rows }) => name === "fts5" && rows !== "hidden"),
    vectors,
    sequence: own.has("sqlite_sequence") ? sequence : undefined,
    userVersion: Number(pragmas[0]!["user_version"]),
    applicationId: Number(pragmas[0]!["application_id"]),
    encoding: String(pragmas[0]!["encoding"]),
  };
}

const sequence: Table = {
  name: "sqlite_sequence",
  columns: ["name", "seq"],
  key: [{ column: 0, order: "s.name" }],
  kind: "plain",
};

/** Tables after those that their foreign keys refer to, as far as these do not refer to each other. */
function parentsFirst(tables: readonly Table[], references: readonly Row[]): Table[] {
  const byName = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
  const others = groupedBy(references, "tbl");
  const ordered = new Set<Table>();
  const visiting = new Set<Table>();
  const visit = (table: Table | undefined): void => {
    if (!table || visiting.has(table)) return;
    visiting.add(table);
    for (const row of others.get(table.name) ?? []) visit(byName.get(String(row["other"]).toLowerCase()));
    ordered.add(table);
  };
  tables.forEach(visit);
  return [...ordered];
}

function groupedBy(rows: readonly Row[], column: string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = String(row[column]);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return groups;
}

const objectOf = (row: Row): Omit<SchemaObject, "isShadow"> => ({
  type: row["type"] as SchemaObject["type"],
  name: String(row["name"]),
  table: String(row["tbl_name"]),
  sql: row["sql"] === null ? undefined : String(row["sql"]),
});

/** libSQL's vector indexes are made like any index, and keep their graph in tables that SQLite takes for ordinary ones. */
export const isVectorIndex = ({ type, sql }: Pick<SchemaObject, "type" | "sql">): boolean =>
  type === "index" && /\blibsql_vector_idx\s*\(/i.test(sql ?? "");

const vectorSettings = "libsql_vector_meta_shadow";

/** "notes_data" belongs to the virtual table "notes". */
function ownerOf(shadow: string, modules: ReadonlyMap<string, Module>): string {
  const owners = [...modules.keys()].filter((name) => shadow.startsWith(`${name}_`));
  return owners.sort((a, b) => b.length - a.length)[0] ?? "";
}

const namesOf = (rows: readonly Row[]): string[] =>
  rows.filter((row) => Number(row["hidden"]) === 0).map((row) => String(row["name"]));

function ordinaryTable(name: string, kind: Table["kind"], rows: readonly Row[], primary: readonly Row[]): Table {
  const columns = namesOf(rows);
  if (Number(rows[0]!["wr"]) === 1) {
    const key = primary.map((row) => ({
      column: columns.indexOf(String(row["name"])),
      order: `s.${quoted(String(row["name"]))} COLLATE ${quoted(String(row["coll"]))}`,
    }));
    return { name, columns: columns.map(quoted), key, kind };
  }
  const keys = rows.filter((row) => Number(row["pk"]) > 0);
  // A primary key that has an index of its own is not the row number.
  if (keys.length === 1 && primary.length === 0) {
    const column = columns.indexOf(String(keys[0]!["name"]));
    return { name, columns: columns.map(quoted), key: [{ column, order: `s.${quoted(columns[column]!)}` }], kind };
  }
  const taken = rows.map((row) => String(row["name"]).toLowerCase());
  const rowid = ["rowid", "_rowid_", "oid"].find((alias) => !taken.includes(alias));
  if (rowid === undefined) {
    throw new TenantryError(
      "unsupported",
      `Table "${name}" has columns rowid, _rowid_ and oid: its rows cannot be told apart.`,
    );
  }
  return withRowid(name, kind, rowid, columns);
}

function virtualTable(name: string, rows: readonly Row[], { hasRowid }: Module): Table {
  const columns = namesOf(rows);
  if (hasRowid) return withRowid(name, "virtual", "rowid", columns);
  const key = [{ column: 0, order: `s.${quoted(columns[0]!)}` }];
  return { name, columns: columns.map(quoted), key, kind: "virtual" };
}

const withRowid = (name: string, kind: Table["kind"], rowid: string, columns: readonly string[]): Table => ({
  name,
  columns: [rowid, ...columns.map(quoted)],
  key: [{ column: 0, order: `s.${rowid}` }],
  kind,
});

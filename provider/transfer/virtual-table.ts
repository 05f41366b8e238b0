/** What is to be known of a virtual table's module to carry its rows. */
export interface Module {
  /** In lower case, such as "fts5". */
  readonly name: string;
  /**
   * "own": they are read and written through it. "of another": they are another table's, and it fills itself from there.
   * "hidden": it keeps an index of rows that it does not give back, which is carried as it is, by its shadow tables.
   */
  readonly rows: "own" | "of another" | "hidden";
  readonly hasRowid: boolean;
}

/** The module of a CREATE VIRTUAL TABLE as `sqlite_schema` has it; undefined for any other statement. */
export function moduleOf(sql: string): Module | undefined {
  const [, module, given = ""] = statement.exec(sql) ?? [];
  if (module === undefined) return undefined;
  const name = module.toLowerCase();
  if (/^fts[345]$/.test(name)) {
    // SQLite docs, "FTS5: External Content and Contentless Tables" and "FTS4 Options: content".
    const content = /(?:^|,)\s*content\s*=\s*(''|""|[^\s,])/i.exec(given)?.[1];
    const rows = content === undefined ? "own" : content === "''" || content === '""' ? "hidden" : "of another";
    return { name, rows, hasRowid: true };
  }
  if (/^rtree(?:_i32)?$/.test(name)) return { name, rows: "own", hasRowid: false };
  if (name === "geopoly") return { name, rows: "own", hasRowid: true };
  return { name, rows: "hidden", hasRowid: false };
}

const quotedOrPlain = String.raw`(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|${"`(?:[^`]|``)*`"}|\[[^\]]*\]|[\w$\u0080-\uffff]+)`;
const statement = new RegExp(
  String.raw`^\s*CREATE\s+VIRTUAL\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?${quotedOrPlain}\s*USING\s+["'\[]?(\w+)["'\]]?\s*(?:\(([\s\S]*)\))?`,
  "i",
);

import type { Column, ForeignKey, SchemaModel, Table } from "./model";

export interface SchemaDifference {
  /** "added": there, and not expected. "missing": expected, and not there. */
  readonly kind: "added" | "missing" | "changed";
  readonly object: "table" | "column" | "index" | "trigger" | "view" | "virtual table";
  /** As in the database; a column's with its table's, such as "orders.total". */
  readonly name: string;
  /** What is other than expected, in words; only where kind is "changed". */
  readonly change?: string;
}

/** What has to change in words: `aspect` of the thing, expected and actual. */
type Aspect = readonly [aspect: string, expected: string, actual: string];

/** How a schema differs from the one that is expected, tables first, by name. None where they mean the same. */
export function compareSchemas(expected: SchemaModel, actual: SchemaModel): SchemaDifference[] {
  const differences: SchemaDifference[] = [];
  walk("table", expected.tables, actual.tables, differences, (before, after) =>
    differences.push(...compareTables(before, after)),
  );
  const compareTexts =
    (object: SchemaDifference["object"]) =>
    (before: { sql: string; name: string }, after: { sql: string; name: string }) =>
      before.sql !== after.sql &&
      differences.push({ kind: "changed", object, name: after.name, change: "its definition is another" });
  walk("virtual table", expected.virtualTables, actual.virtualTables, differences, compareTexts("virtual table"));
  walk("index", expected.indexes, actual.indexes, differences, (before, after) => {
    const change = inWords([
      ["table", before.table, after.table],
      ["columns", before.columns.join(", "), after.columns.join(", ")],
      ["UNIQUE", yes(before.unique), yes(after.unique)],
      ["WHERE", before.where ?? "none", after.where ?? "none"],
    ]);
    if (change) differences.push({ kind: "changed", object: "index", name: after.name, change });
  });
  walk("view", expected.views, actual.views, differences, compareTexts("view"));
  walk("trigger", expected.triggers, actual.triggers, differences, compareTexts("trigger"));
  return differences;
}

function walk<T extends { readonly name: string }>(
  object: SchemaDifference["object"],
  expected: ReadonlyMap<string, T>,
  actual: ReadonlyMap<string, T>,
  differences: SchemaDifference[],
  compare: (expected: T, actual: T) => unknown,
): void {
  for (const key of [...new Set([...expected.keys(), ...actual.keys()])].sort()) {
    const [before, after] = [expected.get(key), actual.get(key)];
    if (!before) differences.push({ kind: "added", object, name: after!.name });
    else if (!after) differences.push({ kind: "missing", object, name: before.name });
    else compare(before, after);
  }
}

function compareTables(expected: Table, actual: Table): SchemaDifference[] {
  const differences: SchemaDifference[] = [];
  const named = (column: Column): Column => ({ ...column, name: `${actual.name}.${column.name}` });
  const columnsOf = (table: Table) => new Map([...table.columns].map(([key, column]) => [key, named(column)]));
  walk("column", columnsOf(expected), columnsOf(actual), differences, (before, after) => {
    const change = inWords([
      ["type", before.type || "none", after.type || "none"],
      ["NOT NULL", yes(before.notNull), yes(after.notNull)],
      ["DEFAULT", before.default ?? "none", after.default ?? "none"],
      ["COLLATE", before.collation ?? "binary", after.collation ?? "binary"],
      ["generated as", before.generated ?? "none", after.generated ?? "none"],
    ]);
    if (change) differences.push({ kind: "changed", object: "column", name: after.name, change });
  });
  const sameColumns = differences.every(({ kind }) => kind === "changed");
  const change = inWords([
    ...(sameColumns ? [["order of columns", order(expected), order(actual)] as Aspect] : []),
    ["primary key", expected.primaryKey.join(", ") || "none", actual.primaryKey.join(", ") || "none"],
    ["AUTOINCREMENT", yes(expected.autoincrement), yes(actual.autoincrement)],
    ["UNIQUE", list(expected.uniques), list(actual.uniques)],
    ["CHECK", list(expected.checks), list(actual.checks)],
    ["foreign keys", list(expected.foreignKeys.map(foreignKeyText)), list(actual.foreignKeys.map(foreignKeyText))],
    ["ON CONFLICT", list(expected.conflicts), list(actual.conflicts)],
    ["WITHOUT ROWID", yes(expected.withoutRowid), yes(actual.withoutRowid)],
    ["STRICT", yes(expected.strict), yes(actual.strict)],
  ]);
  if (change) differences.push({ kind: "changed", object: "table", name: actual.name, change });
  return differences;
}

function foreignKeyText({ columns, table, to, onDelete, onUpdate, deferred }: ForeignKey): string {
  const actions = [onDelete, onUpdate].map((action, at) =>
    action === "no action" ? "" : ` on ${at === 0 ? "delete" : "update"} ${action}`,
  );
  return `${columns.join(", ")} -> ${table} (${to.join(", ")})${actions.join("")}${deferred ? " deferred" : ""}`;
}

const order = (table: Table): string => [...table.columns.keys()].join(", ");
const yes = (value: boolean): string => (value ? "yes" : "no");
const list = (values: readonly string[]): string =>
  [...values]
    .sort()
    .map((value) => `(${value})`)
    .join(" ") || "none";

const inWords = (aspects: readonly Aspect[]): string =>
  aspects
    .filter(([, expected, actual]) => expected !== actual)
    .map(([aspect, expected, actual]) => `${aspect}: ${actual} instead of ${expected}`)
    .join("; ");

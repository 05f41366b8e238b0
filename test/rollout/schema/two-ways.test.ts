import assert from "node:assert/strict";
import fc from "fast-check";
import { compareSchemas } from "../../../provider/rollout/schema/compare";
import type { SchemaModel } from "../../../provider/rollout/schema/model";
import { openScratch } from "../../../provider/rollout/schema/scratch";

interface Column {
  name: string;
  /** After its name; `$` is the name. */
  readonly rest: string;
}

/** A table with what hangs on it; all of that uses its first column, which is never dropped. */
interface Table {
  name: string;
  readonly columns: Column[];
  readonly options: string;
  readonly indexes: { readonly name: string; readonly text: string }[];
  readonly views: string[];
  readonly triggers: string[];
}

const step = fc.record({
  does: fc.constantFrom(
    ...(["create", "add", "add", "rename column", "rename table", "drop column"] as const),
    ...(["index", "index", "view", "trigger", "drop index", "drop table"] as const),
  ),
  table: fc.nat(9),
  which: fc.nat(99),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

// What ALTER TABLE ADD COLUMN takes.
const rests = [
  ...["TEXT", "INTEGER NOT NULL DEFAULT 0", "TEXT COLLATE NOCASE", "REAL DEFAULT (1.5 + 2)", "BLOB CHECK ($ <> x'00')"],
  ...["TEXT AS ('It''s ' || lower($1)) VIRTUAL", "INT CHECK ($ > 0 AND $ < 10)", "TEXT DEFAULT 'A;--b'"],
  "INTEGER REFERENCES parents ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
];
const indexTexts = ["($1)", "($1 DESC)", "(lower($1), $1)", "($1 COLLATE NOCASE) WHERE $1 IS NOT NULL", "($1 || 'x')"];

const render = (text: string, table: Table, name = ""): string =>
  text.replaceAll("$1", table.columns[0]!.name).replaceAll("$t", table.name).replaceAll("$", name);
const columnText = (column: Column, table: Table): string =>
  `${column.name} ${render(column.rest, table, column.name)}`;
const tableText = (table: Table): string =>
  `CREATE TABLE ${table.name} (${table.columns.map((one) => columnText(one, table)).join(", ")})${table.options}`;
const indexText = (table: Table, { name, text }: { name: string; text: string }): string =>
  `CREATE ${name.endsWith("u") ? "UNIQUE " : ""}INDEX ${name} ON ${table.name} ${render(text, table)}`;
const viewText = (name: string, table: Table): string =>
  render(`CREATE VIEW ${name} AS SELECT $1 AS first FROM $t WHERE $1 <> 'no'`, table);
const triggerText = (name: string, table: Table): string =>
  render(`CREATE TRIGGER ${name} AFTER UPDATE OF $1 ON $t BEGIN DELETE FROM $t WHERE $1 = new.$1; END`, table);

/** Changes `tables`, and answers the statement that changes a database in the same way; empty where none is possible. */
function take(tables: Table[], { does, table: choice, which }: Step, at: number): string {
  const table = tables[choice % Math.max(tables.length, 1)];
  if (does === "create" || !table) {
    const options = ["", "", " WITHOUT ROWID", " STRICT"][which % 4]!;
    const key: Column = { name: `k${at}`, rest: which % 2 || options ? "TEXT PRIMARY KEY" : "TEXT UNIQUE" };
    const made: Table = { name: `t${at}`, columns: [key], options, indexes: [], views: [], triggers: [] };
    tables.push(made);
    return tableText(made);
  }
  const { columns, indexes, views, triggers } = table;
  switch (does) {
    case "add": {
      const column = { name: `c${at}`, rest: rests[which % rests.length]! };
      columns.push(column);
      return `ALTER TABLE ${table.name} ADD COLUMN ${columnText(column, table)}`;
    }
    case "rename column": {
      const column = columns[which % columns.length]!;
      const before = column.name;
      column.name = `r${at}`;
      return `ALTER TABLE ${table.name} RENAME COLUMN ${before} TO ${column.name}`;
    }
    case "rename table": {
      const before = table.name;
      table.name = `m${at}`;
      return `ALTER TABLE ${before} RENAME TO ${table.name}`;
    }
    case "drop column": {
      const [column] = columns.slice(1).splice(which % Math.max(columns.length - 1, 1), 1);
      if (!column || column.rest.includes("REFERENCES")) return "";
      columns.splice(columns.indexOf(column), 1);
      return `ALTER TABLE ${table.name} DROP COLUMN ${column.name}`;
    }
    case "index":
      indexes.push({ name: `i${at}${which % 2 ? "u" : ""}`, text: indexTexts[which % indexTexts.length]! });
      return indexText(table, indexes.at(-1)!);
    case "view":
      views.push(`v${at}`);
      return viewText(`v${at}`, table);
    case "trigger":
      triggers.push(`g${at}`);
      return triggerText(`g${at}`, table);
    case "drop index": {
      const index = indexes.pop();
      return index ? `DROP INDEX ${index.name}` : "";
    }
    case "drop table":
      tables.splice(tables.indexOf(table), 1);
      return [...views.map((view) => `DROP VIEW ${view}`), `DROP TABLE ${table.name}`].join(";");
  }
}

/** The statements that make the same at once. */
const finalTexts = (tables: readonly Table[]): string[] =>
  tables.flatMap((table) => [
    tableText(table),
    ...table.indexes.map((index) => indexText(table, index)),
    ...table.views.map((view) => viewText(view, table)),
    ...table.triggers.map((trigger) => triggerText(trigger, table)),
  ]);

/** The same statement, written by somebody else. */
function restyle(sql: string, style: number): string {
  return sql.replace(/'(?:[^']|'')*'|\b[a-z]\d+u?\b|[A-Z]+|\s/g, (piece) => {
    if (piece.startsWith("'") || piece === "x") return piece;
    if (/^\s$/.test(piece)) return [" ", "\n", " -- it's\n", " /* ; */ "][style % 4]!;
    if (/^[A-Z]+$/.test(piece)) return style % 3 ? piece.toLowerCase() : piece;
    return [piece, `"${piece}"`, `[${piece.toUpperCase()}]`, `\`${piece}\``][style % 4]!;
  });
}

async function schemaOf(statements: readonly string[]): Promise<SchemaModel> {
  const scratch = await openScratch();
  try {
    // A parent that is not there fails the dropping of a table.
    scratch.run("CREATE TABLE parents (id INTEGER PRIMARY KEY)");
    // Read after each, so that what is remembered of the one before is used.
    let schema = scratch.schema();
    for (const statement of statements) {
      scratch.run(statement);
      schema = scratch.schema();
    }
    return schema;
  } finally {
    scratch.close();
  }
}

describe("a schema", () => {
  it("is the same whether it came about step by step or at once, and however it is written", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), fc.nat(11), async (steps, style) => {
        const tables: Table[] = [];
        const stepwise = steps.map((one, at) => take(tables, one, at)).filter((sql) => sql !== "");
        const atOnce = finalTexts(tables).map((sql) => restyle(sql, style));
        const differences = compareSchemas(await schemaOf(stepwise), await schemaOf(atOnce));
        assert.deepEqual(differences, [], `${stepwise.join(";\n")}\n---\n${atOnce.join(";\n")}`);
      }),
      { numRuns: 150 },
    );
  });

  it("is another after each step that changes it, and the same seen from the other side", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const tables: Table[] = [];
        const statements = steps.map((one, at) => take(tables, one, at)).filter((sql) => sql !== "");
        const [before, after] = [await schemaOf(statements.slice(0, -1)), await schemaOf(statements)];
        const forth = compareSchemas(before, after);
        assert.notDeepEqual(forth, [], statements.join(";\n"));
        const turned = { added: "missing", missing: "added", changed: "changed" } as const;
        const listed = (differences: typeof forth, turn: boolean) =>
          differences.map(({ kind, object, name }) => `${turn ? turned[kind] : kind} ${object} ${name}`).sort();
        assert.deepEqual(listed(compareSchemas(after, before), true), listed(forth, false));
      }),
      { numRuns: 80 },
    );
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { Sql } from "../../provider/platform/sql";
import type { SqlValue } from "../../provider/platform/sql-values";
import { transfer } from "../../provider/transfer/transfer";
import { rowsOf, withPair } from "./pair";

interface AnyTable {
  readonly name: string;
  readonly sql: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const hexName = (name: string): string => quoted(name.replaceAll("\0", "_"));

const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.constantFrom("1", "1.0", "-0", "1e999", "NULL", "x'00'", " 7 ", "a\0b"),
  fc.uint8Array({ maxLength: 40 }),
);
const type = fc.constantFrom("", "INTEGER", "INT", "TEXT", "BLOB", "REAL", "NUMERIC", "ANY", "VARCHAR(10)", "DATETIME");
const name = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 8 })
  .filter((text) => !/^sqlite_/i.test(text));
const key = fc.constantFrom("none", "integer", "autoincrement", "descending", "text", "composite", "without rowid");

const table = fc
  .record({
    key,
    columns: fc.uniqueArray(name, { minLength: 2, maxLength: 6, selector: (text) => text.toLowerCase() }),
    types: fc.array(type, { minLength: 6, maxLength: 6 }),
    rows: fc.array(fc.array(value, { minLength: 6, maxLength: 6 }), { maxLength: 30 }),
    collation: fc.constantFrom("", " COLLATE NOCASE", " COLLATE RTRIM"),
  })
  .map(({ key, columns, types, rows, collation }): Omit<AnyTable, "name" | "sql"> & { body: string; end: string } => {
    const [first, second] = columns.map(hexName) as [string, string];
    const firstType = { integer: "INTEGER PRIMARY KEY", autoincrement: "INTEGER PRIMARY KEY AUTOINCREMENT" };
    const given = columns.map((column, i) => {
      const own = i === 0 ? firstType[key as keyof typeof firstType] : undefined;
      const descending = i === 0 && key === "descending" ? "INTEGER PRIMARY KEY DESC" : undefined;
      const text = i === 0 && key === "text" ? `TEXT PRIMARY KEY${collation}` : undefined;
      return `${hexName(column)} ${own ?? descending ?? text ?? `${types[i]}${collation}`}`;
    });
    const isTwo = key === "composite" || key === "without rowid";
    return {
      body: [...given, ...(isTwo ? [`PRIMARY KEY (${second} DESC, ${first})`] : [])].join(", "),
      end: key === "without rowid" ? " WITHOUT ROWID" : "",
      columns: columns.map(hexName),
      rows: rows.map((row) => row.slice(0, columns.length)),
    };
  });

const database = fc
  .uniqueArray(fc.tuple(name, table), { minLength: 1, maxLength: 4, selector: ([text]) => text.toLowerCase() })
  .map((tables) =>
    tables.map(([text, { body, end, ...rest }]): AnyTable => ({
      ...rest,
      name: hexName(text),
      sql: `CREATE TABLE ${hexName(text)} (${body})${end}`,
    })),
  );

/** What the table takes of it: a second row with its key, or a NULL in one, is left out. */
async function fill(sql: Sql, tables: readonly AnyTable[]): Promise<void> {
  for (const { name, sql: text, columns, rows } of tables) {
    const inserts = rows.map((row) => ({
      sql: `INSERT OR IGNORE INTO ${name} (${columns.join(", ")}) VALUES (${row.map((one) => (typeof one === "string" ? "CAST(? AS TEXT)" : "?")).join(", ")})`,
      args: row.map((one) => (typeof one === "string" ? new TextEncoder().encode(one) : one)),
    }));
    await sql.batch([text], "write");
    for (const insert of inserts) await sql.batch([insert], "write").catch(refusedType);
  }
}

/** An INTEGER PRIMARY KEY takes whole numbers only, and says so even to INSERT OR IGNORE. */
function refusedType(error: unknown): void {
  if (!/datatype mismatch/.test(String(error))) throw error;
}

async function contents(sql: Sql, tables: readonly AnyTable[]): Promise<unknown[]> {
  const all: unknown[] = await rowsOf(sql, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name");
  for (const { name, columns } of tables) {
    const each = columns.map((column) => `typeof(${column}) || hex(${column}) || quote(${column})`);
    all.push(await rowsOf(sql, `SELECT ${each.join(" || ',' || ")} AS row FROM ${name} ORDER BY row`));
  }
  return all;
}

describe("transfer of any database", () => {
  it("keeps every value, its storage class, and every definition", async function () {
    this.timeout(120_000);
    await withPair(async (first) => {
      await fc.assert(
        fc.asyncProperty(database, async (tables) => {
          const { source, target } = await first.anew();
          await fill(source, tables);
          const { rows } = await transfer(source, target);
          assert.deepEqual(await contents(target, tables), await contents(source, tables));
          const counts = await Promise.all(
            tables.map(({ name }) => rowsOf(source, `SELECT count(*) AS n FROM ${name}`)),
          );
          assert.equal(
            rows,
            counts.reduce((sum, [row]) => sum + (row as { n: number }).n, 0),
          );
        }),
        { numRuns: 40 },
      );
    });
  });
});

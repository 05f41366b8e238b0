import assert from "node:assert/strict";
import fc from "fast-check";
import Database from "libsql";
import { replayHistory } from "../../../provider/rollout/schema/history";
import { originOf } from "../../../provider/rollout/schema/held-values";
import { trackRows } from "../../../provider/rollout/schema/row-tracker";
import { openScratch } from "../../../provider/rollout/schema/scratch";
import { shapeOf } from "../../../provider/rollout/schema/statement-shape";
import { splitStatements } from "../../../provider/rollout/statements";
import { migrationsOf } from "./migrations";

/** One step of a migration: numbers choose among the tables and columns that there are by then. */
interface Step {
  readonly does: (typeof kinds)[number];
  readonly table: number;
  readonly column: number;
  readonly other: number;
}

const kinds = [
  ...([
    "rename table",
    "rename column",
    "drop column",
    "drop table",
    "add column",
    "make anew",
    "rename away",
  ] as const),
  ...(["copy column", "copy table", "create as", "empty", "empty some", "overwrite", "recompute", "union"] as const),
];

const step: fc.Arbitrary<Step> = fc.record({
  does: fc.constantFrom(...kinds),
  table: fc.nat(20),
  column: fc.nat(20),
  other: fc.nat(1000),
});

/** What tables a database has while a migration is written. */
type Tables = Map<string, string[]>;

const first: Tables = new Map([
  ["a", ["x", "y", "z"]],
  ["b", ["x", "w"]],
  ["c", ["only"]],
]);
const created = [...first].map(([table, columns]) => `CREATE TABLE ${table} (${columns.join(", ")})`).join(";\n");

/** The SQL of a step; a step for which there is nothing to be done is empty. */
function write(tables: Tables, { does, table, column, other }: Step, at: number): string {
  const names = [...tables.keys()];
  const name = names[table % names.length];
  if (name === undefined) return "";
  const columns = tables.get(name)!;
  const one = columns[column % columns.length]!;
  const rest = columns.filter((each) => each !== one);
  const fresh = `n${at}`;
  const put = (under: string, list: string[]): void => void tables.set(under, list);
  switch (does) {
    case "rename table":
      tables.delete(name);
      put(fresh, columns);
      return `ALTER TABLE "${name}" RENAME TO ${fresh}`;
    case "rename column":
      put(
        name,
        columns.map((each) => (each === one ? fresh : each)),
      );
      return `alter table ${name} rename ${other % 2 ? "column" : ""} ${one} to [${fresh}]`;
    case "drop column":
      if (rest.length === 0) return "";
      put(name, rest);
      return `ALTER TABLE ${name} DROP COLUMN ${one}`;
    case "drop table":
      tables.delete(name);
      return `DROP TABLE ${other % 2 ? "IF EXISTS main." : ""}${name}`;
    case "add column":
      put(name, [...columns, fresh]);
      return `ALTER TABLE ${name} ADD ${fresh}`;
    case "make anew": {
      const kept = other % 3 ? columns : rest;
      if (kept.length === 0) return "";
      put(name, kept);
      const list = [...kept].reverse().join(", ");
      return `CREATE TABLE t${at} (${kept.join(", ")}); INSERT INTO t${at} (${list}) SELECT ${list} FROM ${name};
        DROP TABLE ${name}; ALTER TABLE t${at} RENAME TO ${name}`;
    }
    case "rename away": {
      const chosen = columns.map((each) => (other % 4 === 0 && each === one ? "NULL" : `upper(${each})`)).join(", ");
      return `ALTER TABLE ${name} RENAME TO t${at}; CREATE TABLE ${name} (${columns.join(", ")});
        INSERT INTO ${name} SELECT ${chosen} FROM t${at}; DROP TABLE t${at}`;
    }
    case "copy column":
      put(name, [...columns, fresh]);
      return `ALTER TABLE ${name} ADD ${fresh}; UPDATE ${name} SET ${fresh} = '' || ${one}`;
    case "copy table":
      put(fresh, [...columns, `m${at}`]);
      return `CREATE TABLE ${fresh} (${columns.join(", ")}, m${at}); INSERT INTO ${fresh} SELECT *, 1 FROM ${name}`;
    case "create as":
      put(fresh, [one]);
      return `CREATE TABLE ${fresh} AS SELECT ${other % 2 ? "" : "ALL "}${one} FROM ${name}`;
    case "empty":
      return `DELETE FROM ${name}`;
    case "empty some":
      return `DELETE FROM ${name} WHERE rowid > 0`;
    case "overwrite":
      return `UPDATE ${name} SET ${one} = 'gone'`;
    case "recompute":
      return `UPDATE ${name} SET ${one} = lower(${one})`;
    case "union":
      put(fresh, ["u"]);
      return `CREATE TABLE ${fresh} (u); INSERT INTO ${fresh} ${columns.map((each) => `SELECT ${each} FROM ${name}`).join(" UNION ALL ")}`;
  }
}

/** The columns whose values are nowhere after the migration, of a database that had a row in each table. */
function lostForReal(migration: string): string[] {
  const database = new Database(":memory:");
  try {
    database.exec(created);
    const origins = [...first].flatMap(([table, columns]) => columns.map((column) => originOf(table, column)));
    const markOf = (origin: string): string => `value of ${origin.replace("\n", " ")}.`;
    for (const [table, columns] of first) {
      const marks = columns.map((column) => `'${markOf(originOf(table, column))}'`);
      database.exec(`INSERT INTO ${table} VALUES (${marks.join(", ")})`);
    }
    database.exec(migration);
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
    const rows = tables.flatMap(({ name }) => database.prepare(`SELECT * FROM "${name}"`).all());
    const left = JSON.stringify(rows).toLowerCase();
    return origins.filter((origin) => !left.includes(markOf(origin)));
  } finally {
    database.close();
  }
}

async function lostAsJudged(migration: string): Promise<string[]> {
  const scratch = await openScratch();
  try {
    scratch.run(created);
    const tracker = trackRows(scratch, scratch.schema(), true);
    for (const statement of splitStatements(migration)) tracker.apply(statement, shapeOf(statement.sql));
    return [...tracker.losses().keys()];
  } finally {
    scratch.close();
  }
}

describe("findings of lost data", () => {
  it("are there exactly when a value that was there before can no longer be read", async () => {
    let withLoss = 0;
    let without = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 7 }), async (steps) => {
        const tables: Tables = new Map(first);
        const migration = steps
          .map((one, at) => write(tables, one, at))
          .filter((sql) => sql !== "")
          .join(";\n");
        const lost = lostForReal(migration);
        const judged = await lostAsJudged(migration);
        assert.deepEqual(judged.sort(), lost.sort(), migration);
        const { findings, problem } = await replayHistory(migrationsOf(created, migration));
        assert.equal(problem, undefined);
        const losses = findings.filter(({ kind }) => ["drop-table", "drop-column", "delete-rows"].includes(kind));
        assert.equal(losses.length > 0, lost.length > 0, `${migration}\n${JSON.stringify(findings)}`);
        if (lost.length > 0) withLoss += 1;
        else without += 1;
      }),
      { numRuns: 300 },
    );
    assert.ok(withLoss > 30 && without > 30, `${withLoss} with a loss, ${without} without`);
  });

  it("count rows that go through a foreign key", async () => {
    const tables =
      "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE orders (buyer REFERENCES users ON DELETE CASCADE)";
    const database = new Database(":memory:");
    database.exec(`${tables}; INSERT INTO users VALUES (1); INSERT INTO orders VALUES (1)`);
    database.exec("DELETE FROM users");
    assert.deepEqual(database.prepare("SELECT * FROM orders").all(), []);
    database.close();
    const { findings } = await replayHistory(migrationsOf(tables, "DELETE FROM users"));
    assert.deepEqual(
      findings.map(({ what }) => what),
      ["rows of orders are deleted because they refer to users (ON DELETE CASCADE)", "all rows of users are deleted"],
    );
  });
});

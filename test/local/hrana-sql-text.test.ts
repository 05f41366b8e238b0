import assert from "node:assert/strict";
import Database from "libsql";
import fc from "fast-check";
import { parseSql } from "../../provider/local/hrana/sql-text";

describe("local SQL over HTTP, SQL texts", () => {
  const cases: [text: string, statements: string[]][] = [
    ["", []],
    [" ; ;; -- nothing", []],
    ["/* never closed", []],
    ["SELECT 1", ["SELECT 1"]],
    ["SELECT 1;", ["SELECT 1"]],
    ["SELECT ';' ; SELECT \";\"", ["SELECT ';'", 'SELECT ";"']],
    [
      "SELECT 'it''s;' -- a;b\n; SELECT [a;b], `c;``d` /* ; */",
      ["SELECT 'it''s;' -- a;b", "SELECT [a;b], `c;``d` /* ; */"],
    ],
    [
      "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END; SELECT 3",
      ["CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END", "SELECT 3"],
    ],
    [
      "create /* x */ temp trigger a after delete on t begin select 1; end; select 4",
      ["create /* x */ temp trigger a after delete on t begin select 1; end", "select 4"],
    ],
    ["BEGIN; SELECT 1; END; SELECT 2", ["BEGIN", "SELECT 1", "END", "SELECT 2"]],
  ];
  for (const [text, statements] of cases) {
    it(`splits ${JSON.stringify(text)}`, () => {
      assert.deepEqual(
        parseSql(text).map(({ sql }) => sql),
        statements,
      );
    });
  }

  it("numbers parameters as the engine does", () => {
    const parameters = (sql: string): unknown => parseSql(sql)[0]?.parameters;
    assert.deepEqual(parameters("SELECT ?, :a, @b, $c, :a, ?"), [null, ":a", "@b", "$c", null]);
    assert.deepEqual(parameters("SELECT ?3, ?, ?1"), ["?1", null, "?3", null]);
    assert.deepEqual(parameters("SELECT $a::b(c), ':x', \"?\", 1 -- ?"), ["$a::b(c)"]);
    assert.deepEqual(parameters("SELECT a$b, '' || :é FROM t"), [":é"]);
  });

  it("tells an INSERT behind common table expressions", () => {
    const kind = (sql: string): unknown => parseSql(sql)[0]?.kind;
    assert.equal(kind("WITH a AS (SELECT 1), b(x) AS (VALUES (2)) INSERT INTO t SELECT * FROM a"), "insert");
    assert.equal(kind("with recursive a as (select 1) select * from a"), "read");
    assert.equal(kind("WITH a AS (SELECT 1) DELETE FROM t"), "change");
  });

  it("cuts texts where the engine would, whatever they are made of", () => {
    const database = new Database(":memory:");
    const pieces = ["1", " ", "'a;b'", '"x"', "--;\n", "/*;*/", "''''", "+", "`y;`", "[z;]", "'", "\n"];
    try {
      fc.assert(
        fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 6 }), (parts) => {
          const first = `SELECT 1 AS a ${parts.join("")}`;
          // The engine itself runs the first statement of a text and nothing else: what it makes of the whole text is
          // what it must make of our first piece.
          const outcome = (sql: string): unknown => {
            try {
              return database.prepare(sql).raw().all([]);
            } catch (error) {
              return (error as Error).message;
            }
          };
          const text = `${first}; SELECT 2`;
          assert.deepEqual(outcome(parseSql(text)[0]?.sql ?? ""), outcome(text));
        }),
        { numRuns: 300 },
      );
    } finally {
      database.close();
    }
  });
});

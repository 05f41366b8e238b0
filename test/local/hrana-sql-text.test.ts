import assert from "node:assert/strict";
import Database from "libsql";
import fc from "fast-check";
import { refuseUnoffered } from "../../provider/local/hrana/offered";
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

  it("lets through nothing that another character, wherever it stands, makes look like something else", () => {
    const database = new Database(":memory:");
    const runs = (sql: string): boolean => {
      try {
        const [statement, ...others] = parseSql(sql);
        if (!statement || others.length > 0) return false;
        refuseUnoffered(statement.tokens);
        database.prepare(statement.sql);
        return true;
      } catch {
        return false;
      }
    };
    const ways = [
      (c: string) => `${c}ATTACH ':memory:' AS q`,
      (c: string) => ` ${c} ATTACH ':memory:' AS q`,
      (c: string) => `ATTACH${c}':memory:' AS q`,
      (c: string) => `/**/${c}VACUUM`,
      (c: string) => `PRAGMA ${c}temp_store`,
      (c: string) => `SELECT readfile${c}('x')`,
      (c: string) => `SELECT readfile ${c} ('x')`,
      (c: string) => `SELECT * FROM ${c}fsdir${c}('x')`,
      (c: string) => `SELECT * FROM main.${c}pragma_database_list${c}`,
    ];
    try {
      assert.ok(runs("SELECT 1"));
      const slipped: string[] = [];
      for (let code = 0; code <= 0xffff; code++) {
        // All of ASCII and whatever any standard calls space or nothing; of the rest every seventh.
        const c = String.fromCharCode(code);
        if (code > 0x3100 && code < 0xfe00 && code % 7 !== 0) continue;
        for (const way of ways) if (runs(way(c))) slipped.push(`U+${code.toString(16)} in ${way("_")}`);
      }
      assert.deepEqual(slipped, []);
    } finally {
      database.close();
    }
  });
});

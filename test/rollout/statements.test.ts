import assert from "node:assert/strict";
import fc from "fast-check";
import Database from "libsql";
import { splitStatements } from "../../provider/rollout/statements";

const texts = (sql: string) => splitStatements(sql).map((one) => one.sql);

describe("splitStatements", () => {
  it("splits at semicolons and drops what is empty", () => {
    assert.deepEqual(texts("SELECT 1; ;\n\nSELECT 2"), ["SELECT 1", "SELECT 2"]);
    assert.deepEqual(texts("-- nothing\n/* at all; */"), []);
  });

  it("does not split inside strings, quoted names and comments", () => {
    for (const one of [
      `SELECT 'a;''b;'`,
      'SELECT "a;b"',
      "SELECT `a;b`",
      "SELECT [a;b]",
      "SELECT 1 -- a;b\n",
      "SELECT /* ; */ 1",
    ]) {
      assert.deepEqual(texts(`${one}; SELECT 2`), [one.trim(), "SELECT 2"]);
    }
  });

  it("keeps a trigger whole, also a temporary one and one with CASE ... END", () => {
    const trigger = `CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN
      UPDATE a SET x = CASE WHEN x THEN 1 ELSE 2 END; DELETE FROM b; END`;
    assert.deepEqual(texts(`${trigger}; SELECT 1;`), [trigger, "SELECT 1"]);
    assert.deepEqual(texts("create trigger t after insert on a begin select 1; end; select 2"), [
      "create trigger t after insert on a begin select 1; end",
      "select 2",
    ]);
  });

  it("tells the line on which each statement begins", () => {
    assert.deepEqual(
      splitStatements("-- a\nSELECT 1;\n\n/* b\n*/ SELECT\n2;").map((one) => one.line),
      [2, 5],
    );
  });

  it("gives the engine the same statements as the whole text does", () => {
    const atom = fc.constantFrom("'a;b'", '"c;d"', "1 -- ;\n", "/* ; */ 2", "[x;y]", "''';'");
    const statement = fc.oneof(
      atom.map(
        (value) =>
          `INSERT INTO log VALUES (quote(${value.startsWith("[") || value.startsWith('"') ? `'${value}'` : value}))`,
      ),
      fc
        .nat(99)
        .map((n) => `CREATE TRIGGER t${n} AFTER DELETE ON log BEGIN INSERT INTO log VALUES ('x;'); SELECT 1; END`),
    );
    fc.assert(
      fc.property(fc.array(statement, { maxLength: 6 }), fc.boolean(), (statements, closed) => {
        const unique = [...new Set(statements)];
        const whole = unique.join(";\n") + (closed ? ";" : "");
        assert.equal(splitStatements(whole).length, unique.length);
        const outcome = (run: (db: Database.Database) => void) => {
          const db = new Database(":memory:");
          db.exec("CREATE TABLE log (x)");
          run(db);
          const rows = db
            .prepare("SELECT (SELECT group_concat(x, '|') FROM log) AS log, count(*) AS n FROM sqlite_schema")
            .all();
          db.close();
          return rows;
        };
        assert.deepEqual(
          outcome((db) => texts(whole).forEach((one) => db.exec(one))),
          outcome((db) => db.exec(whole)),
        );
      }),
      { numRuns: 60 },
    );
  });
});

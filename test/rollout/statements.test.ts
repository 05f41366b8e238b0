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

  const space = fc.constantFrom(" ", "\n", "\t", "  ", " -- it's; END;\n", " /* ; 'BEGIN */ ", "\n\n");
  const name = fc.constantFrom("a", '"b;c"', "`d;e`", "[f;g]", '"end"', "[begin]", "'h;i'");
  const value = fc.constantFrom(
    "1",
    "'x;y'",
    "'it''s; END;'",
    "CASE WHEN 1 THEN 'p;' ELSE 'q' END",
    "(SELECT 2)",
    "x'3b'",
  );
  const inner = fc.oneof(
    fc.tuple(name, value).map(([to, one]) => ["INSERT INTO", to, "VALUES (", one, ")"]),
    fc.tuple(name, value).map(([of, one]) => ["UPDATE", of, "SET x =", one, "WHERE x =", one]),
    fc.tuple(name, value).map(([of, one]) => ["DELETE FROM", of, "WHERE x =", one]),
  );
  const outer = fc.oneof(
    inner,
    name.map((one) => ["CREATE TABLE IF NOT EXISTS", one, "( x , y AS ( CASE x WHEN 1 THEN 'z;' END ) )"]),
    fc.tuple(name, value).map(([to, one]) => ["WITH n AS ( SELECT", one, "AS x ) INSERT INTO", to, "SELECT * FROM n"]),
    fc
      .tuple(fc.nat(9), fc.constantFrom("", "TEMP", "temporary"), name, fc.array(inner, { minLength: 1, maxLength: 3 }))
      .map(([n, temporary, on, body]) => [
        "create",
        temporary,
        `TRIGGER IF NOT EXISTS t${n} AFTER INSERT ON`,
        on,
        "WHEN new.x <> 'x;' BEGIN",
        ...body.flatMap((one) => [...one, ";"]),
        "end",
      ]),
  );
  /** Words with anything between them that SQLite takes for space. */
  const spaced = (words: fc.Arbitrary<string[]>): fc.Arbitrary<string> =>
    words.chain((some) =>
      fc
        .array(space, { minLength: some.length, maxLength: some.length })
        .map((gaps) => some.map((word, i) => word + gaps[i]!).join("")),
    );

  /** What a database holds after the texts were run one after another, up to the first that fails. */
  function after(texts: readonly string[]): unknown {
    const db = new Database(":memory:");
    const tables = ["a", "b;c", "d;e", "f;g", "end", "begin", "h;i"];
    let failed = false;
    try {
      for (const one of tables) db.exec(`CREATE TABLE "${one}" (x)`);
      try {
        for (const text of texts) db.exec(text);
      } catch {
        failed = true;
      }
      const schema = db.prepare("SELECT name FROM sqlite_schema UNION ALL SELECT name FROM sqlite_temp_schema").all();
      return { failed, schema, rows: tables.map((one) => db.prepare(`SELECT quote(x) FROM "${one}"`).all()) };
    } finally {
      db.close();
    }
  }

  it("runs one by one like the whole text: triggers, CASE, CTEs, comments, quotes of every kind", () => {
    let succeeded = 0;
    fc.assert(
      fc.property(fc.array(spaced(outer), { maxLength: 5 }), (statements) => {
        const whole = statements.join(";\n");
        const expected = after([whole]) as { failed: boolean };
        if (!expected.failed) succeeded++;
        assert.equal(texts(whole).length, statements.length);
        assert.deepEqual(after(texts(whole)), expected);
      }),
      { numRuns: 200 },
    );
    assert.ok(succeeded > 100, `only ${succeeded} of 200 were valid SQL`);
  });
});

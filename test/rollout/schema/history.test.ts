import assert from "node:assert/strict";
import { replayHistory } from "../../../provider/rollout/schema/history";
import { migrationsOf } from "./migrations";

/** Findings of the last migration, as "kind: what". */
async function found(...texts: string[]): Promise<string[]> {
  const { findings, problem } = await replayHistory(migrationsOf(...texts));
  assert.equal(problem, undefined, problem?.message);
  const last = `000${texts.length}_step`;
  return findings.filter(({ migration }) => migration === last).map(({ kind, what }) => `${kind}: ${what}`);
}

const users = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, age INTEGER)";

const referring = `${users}; CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer INT REFERENCES users ON DELETE CASCADE);
  CREATE TABLE logs (at, who REFERENCES users(id) ON DELETE SET NULL)`;

describe("replayHistory", () => {
  describe("what loses nothing is no finding", () => {
    const harmless: Record<string, string[]> = {
      "a new table": [users, "CREATE TABLE notes (x NOT NULL UNIQUE CHECK (x > 0))"],
      "a new column": [users, "ALTER TABLE users ADD COLUMN name TEXT; ALTER TABLE users ADD n INT NOT NULL DEFAULT 0"],
      "a table renamed": [users, "ALTER TABLE users RENAME TO people"],
      "a column renamed": [users, 'ALTER TABLE "users" RENAME COLUMN email TO "e-mail"'],
      "a column renamed twice": [users, "ALTER TABLE users RENAME email TO a; ALTER TABLE users RENAME a TO email"],
      "a table made and dropped by the same migration": [users, "CREATE TABLE t (x); DROP TABLE t"],
      "a table made anew as it was": [
        users,
        `CREATE TABLE __new_users (id INTEGER PRIMARY KEY, email TEXT, age INTEGER, note TEXT DEFAULT '');
         INSERT INTO __new_users ("id", "email", "age") SELECT "id", "email", "age" FROM users;
         DROP TABLE users; ALTER TABLE __new_users RENAME TO users;`,
      ],
      "a table made anew with a star": [
        users,
        "CREATE TABLE n (a INTEGER PRIMARY KEY, b TEXT, c INTEGER); INSERT INTO n SELECT * FROM users; DROP TABLE users",
      ],
      "a table made anew by renaming the old one away first": [
        users,
        `ALTER TABLE users RENAME TO old; ${users}; INSERT INTO users SELECT id, lower(email), age FROM old; DROP TABLE old`,
      ],
      "a table copied by CREATE TABLE AS": [users, "CREATE TABLE people AS SELECT * FROM users; DROP TABLE users"],
      "a column moved into another": [
        users,
        "ALTER TABLE users ADD COLUMN mail TEXT; UPDATE users SET mail = trim(email); ALTER TABLE users DROP COLUMN email",
      ],
      "rows copied through a common table expression": [
        users,
        "CREATE TABLE m (u, e); WITH c AS (SELECT id AS i, email AS e FROM users) INSERT INTO m SELECT i, e FROM c; ALTER TABLE users DROP COLUMN email",
      ],
      "rows gathered by UNION, in an order": [
        users,
        "CREATE TABLE m (v); INSERT INTO m SELECT id AS v FROM users UNION ALL SELECT email FROM users UNION ALL SELECT age FROM users ORDER BY v; DROP TABLE users",
      ],
      "names written as texts": [
        users,
        "ALTER TABLE 'users' RENAME TO 'people'; ALTER TABLE 'people' RENAME COLUMN 'email' TO 'mail'; CREATE TABLE 'n' (i, m, a); INSERT INTO 'n' ('i', 'm', 'a') SELECT * FROM people; DROP TABLE 'people'",
      ],
      "a table made anew through LEFT JOIN": [
        `${users}; CREATE TABLE more (id, x)`,
        "CREATE TABLE n (id, email, age, x); INSERT INTO n SELECT users.*, more.x FROM users LEFT JOIN more ON more.id = users.id; DROP TABLE users",
      ],
      "a generated column": [
        `CREATE TABLE t (a, b AS (a + 1) STORED, c)`,
        "CREATE TABLE n (a, b AS (a + 2), c); INSERT INTO n SELECT a, c FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
      ],
      "rows moved under the same condition": [
        users,
        "CREATE TABLE kids (id, email, age); INSERT INTO kids SELECT * FROM users WHERE age < 18; DELETE FROM users WHERE age<18",
      ],
      "a column computed from itself": [users, "UPDATE users SET email = lower(email)"],
      "a wider type": [
        users,
        "CREATE TABLE n (id INTEGER PRIMARY KEY, email TEXT, age TEXT); INSERT INTO n SELECT * FROM users; DROP TABLE users; ALTER TABLE n RENAME TO users",
      ],
      "NOT NULL where NULL is replaced": [
        users,
        "CREATE TABLE n (id INTEGER PRIMARY KEY, email TEXT NOT NULL, age INTEGER); INSERT INTO n SELECT id, coalesce(email, ''), age FROM users; DROP TABLE users; ALTER TABLE n RENAME TO users",
      ],
      "an index that was unique before, under new names": [
        `${users}; CREATE UNIQUE INDEX u ON users (email)`,
        "DROP INDEX u; ALTER TABLE users RENAME email TO mail; CREATE UNIQUE INDEX u2 ON users (mail, age)",
      ],
      "a CHECK under new names": [
        "CREATE TABLE t (a INT CHECK (a > 0), b)",
        "ALTER TABLE t RENAME a TO c; ALTER TABLE t ADD d",
      ],
      "a full-text index over another table": [
        `${users}; CREATE VIRTUAL TABLE f USING fts5(email, content='users', content_rowid='id')`,
        "DROP TABLE f",
      ],
      // Foreign keys are off in such a migration.
      "rows that refer to a table made anew": [
        referring,
        `PRAGMA foreign_keys = OFF; CREATE TABLE n (id INTEGER PRIMARY KEY, email TEXT, age INTEGER);
         INSERT INTO n SELECT * FROM users; DROP TABLE users; ALTER TABLE n RENAME TO users; PRAGMA foreign_keys = ON`,
      ],
      "views, triggers and plain indexes": [
        `${users}; CREATE VIEW v AS SELECT 1; CREATE INDEX i ON users (age); CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM users; END`,
        "DROP VIEW v; DROP INDEX i; DROP TRIGGER t",
      ],
    };
    for (const [name, texts] of Object.entries(harmless)) {
      it(name, async () => assert.deepEqual(await found(...texts), []));
    }
  });

  describe("what loses rows or values", () => {
    const losing: Record<string, [string[], string[]]> = {
      "DROP TABLE": [[users, "DROP TABLE IF EXISTS main.users"], ["drop-table: table users is dropped with its rows"]],
      "DROP COLUMN": [[users, "ALTER TABLE users DROP email"], ["drop-column: column users.email is dropped"]],
      "a rename, then a drop": [
        [users, "ALTER TABLE users RENAME TO p; ALTER TABLE p RENAME email TO e; ALTER TABLE p DROP COLUMN e"],
        ["drop-column: column users.email is dropped"],
      ],
      "a column that a table made anew leaves out": [
        [
          users,
          "CREATE TABLE n (id INTEGER PRIMARY KEY, email TEXT, age INTEGER); INSERT INTO n (id, age) SELECT id, age FROM users; DROP TABLE users; ALTER TABLE n RENAME TO users",
        ],
        ["drop-column: users.email is not taken over when users is made anew"],
      ],
      "a table made anew without its rows": [
        [users, `DROP TABLE users; ${users}`],
        ["drop-table: table users is dropped with its rows"],
      ],
      "a copy of some rows": [
        [
          users,
          "CREATE TABLE n (id, email, age); INSERT INTO n SELECT * FROM users WHERE age > 3; DROP TABLE users; ALTER TABLE n RENAME TO users",
        ],
        ["delete-rows: users is dropped after a copy that may leave out rows"],
      ],
      DELETE: [[users, "DELETE FROM users"], ["delete-rows: all rows of users are deleted"]],
      "DELETE WHERE": [[users, "DELETE FROM users WHERE age > 9"], ["delete-rows: rows of users are deleted"]],
      "UPDATE of every row": [
        [users, "UPDATE users SET email = NULL, age = age + 1"],
        ["delete-rows: users.email is overwritten in every row"],
      ],
      "an overwritten column whose copy is dropped": [
        [users, "CREATE TABLE n AS SELECT * FROM users; UPDATE users SET email = ''; DROP TABLE n"],
        ["delete-rows: users.email is overwritten in every row"],
      ],
      "a full-text table with rows of its own": [
        ["CREATE VIRTUAL TABLE f USING fts5(a)", "DROP TABLE f"],
        ["drop-table: table f is dropped with its rows"],
      ],
      "rows that refer to others": [
        [referring, "DELETE FROM users WHERE age > 99"],
        [
          "delete-rows: rows of orders are deleted because they refer to users (ON DELETE CASCADE)",
          "delete-rows: rows of logs are changed because they refer to users (ON DELETE SET NULL)",
          "delete-rows: rows of users are deleted",
        ],
      ],
    };
    for (const [name, [texts, expected]] of Object.entries(losing)) {
      it(name, async () => assert.deepEqual(await found(...texts), expected));
    }
  });

  describe("what rows may not fit", () => {
    const anew = (definition: string) =>
      `CREATE TABLE n (${definition}); INSERT INTO n SELECT * FROM users; DROP TABLE users; ALTER TABLE n RENAME TO users`;
    const refusing: Record<string, [string[], string[]]> = {
      "a narrower type": [
        [users, anew("id INTEGER PRIMARY KEY, email INTEGER, age INTEGER")],
        ["narrowing: users.email becomes integer, which was text"],
      ],
      "fewer characters": [
        ["CREATE TABLE users (a VARCHAR(20))", anew("a VARCHAR(10)")],
        ["narrowing: users.a becomes varchar(10), which was varchar(20)"],
      ],
      "another vector": [
        ["CREATE TABLE users (v F32_BLOB(3))", anew("v F32_BLOB(4)")],
        ["narrowing: users.v becomes f32_blob(4), which was f32_blob(3)"],
      ],
      CHECK: [
        [users, anew("id INTEGER PRIMARY KEY, email TEXT CHECK (email LIKE '%@%'), age INTEGER")],
        ["narrowing: table users gets CHECK (email like '%@%')"],
      ],
      STRICT: [
        [users, anew("id INTEGER PRIMARY KEY, email TEXT, age INTEGER").replace("); INSERT", ") STRICT; INSERT")],
        ["narrowing: table users becomes STRICT"],
      ],
      "NOT NULL": [
        [users, anew("id INTEGER PRIMARY KEY, email TEXT NOT NULL, age INTEGER")],
        ["not-null: users.email becomes NOT NULL"],
      ],
      "a new column NOT NULL": [
        [users, "ALTER TABLE users ADD COLUMN name TEXT NOT NULL"],
        ["not-null: users.name is new, NOT NULL, and has no DEFAULT"],
      ],
      "libSQL's ALTER COLUMN": [
        [users, "ALTER TABLE users ALTER COLUMN email TO email TEXT NOT NULL CHECK (email <> '')"],
        ["not-null: users.email becomes NOT NULL", "narrowing: table users gets CHECK (email < > '')"],
      ],
      "a unique index": [
        [users, "CREATE UNIQUE INDEX u ON users (email, age)"],
        ["unique: users must have no two rows with the same email, age"],
      ],
      UNIQUE: [
        [users, anew("id INTEGER PRIMARY KEY, email TEXT UNIQUE, age INTEGER")],
        ["unique: users must have no two rows with the same email"],
      ],
      "fewer columns in a unique index": [
        [
          `${users}; CREATE UNIQUE INDEX u ON users (email, age)`,
          "DROP INDEX u; CREATE UNIQUE INDEX u ON users (email)",
        ],
        ["unique: users must have no two rows with the same email"],
      ],
      "a foreign key": [
        [
          `${users}; CREATE TABLE mails (id TEXT PRIMARY KEY)`,
          anew("id INTEGER PRIMARY KEY, email TEXT REFERENCES mails(id), age INTEGER"),
        ],
        ["narrowing: users.email must refer to rows of mails"],
      ],
    };
    for (const [name, [texts, expected]] of Object.entries(refusing)) {
      it(name, async () => assert.deepEqual(await found(...texts), expected));
    }
  });

  it("tells where, in which statement", async () => {
    const { findings } = await replayHistory(
      migrationsOf(users, "-- first\nSELECT 1;\n/* away */\nDROP TABLE users;\n"),
    );
    assert.deepEqual(findings, [
      {
        migration: "0002_step",
        file: "migrations/0002_step.sql",
        line: 4,
        kind: "drop-table",
        what: "table users is dropped with its rows",
        sql: "DROP TABLE users",
      },
    ]);
  });

  it("gives the schema after each migration", async () => {
    const history = await replayHistory(migrationsOf(users, "CREATE TABLE notes (x)", "DROP TABLE users"));
    assert.deepEqual([...history.modelAt(-1)!.tables.keys()], []);
    assert.deepEqual([...history.modelAt(1)!.tables.keys()].sort(), ["notes", "users"]);
    assert.deepEqual([...history.modelAt(2)!.tables.keys()], ["notes"]);
    assert.equal(history.modelAt(3), undefined);
  });

  it("runs no query: one that never ends is only compiled", async () => {
    const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)";
    const { problem, modelAt } = await replayHistory(
      migrationsOf(
        users,
        `${endless} INSERT INTO users (age) SELECT n FROM c; CREATE TABLE t AS ${endless} SELECT n FROM c`,
      ),
    );
    assert.equal(problem, undefined);
    assert.deepEqual([...modelAt(1)!.tables.get("t")!.columns.keys()], ["n"]);
  });

  it("is not broken by settings, transactions and temporary tables", async () => {
    const odd =
      "PRAGMA foreign_keys=OFF; BEGIN; CREATE TEMP TABLE b AS SELECT * FROM users; DROP TABLE users; COMMIT; PRAGMA x.y=1; ANALYZE; VACUUM";
    assert.deepEqual(await found(users, odd), ["drop-table: table users is dropped with its rows"]);
    const { problem } = await replayHistory(
      migrationsOf(users, odd, "CREATE TEMP TABLE b (x); CREATE TEMP VIEW v AS SELECT 1"),
    );
    assert.equal(problem, undefined);
  });

  for (const [text, line, message, reason] of [
    ["CREATE TABLE a (x);\nCREATE TABEL b (x);", 2, /syntax error/, "refused"],
    ["\n\nINSERT INTO nowhere VALUES (1)", 3, /no such table: nowhere/, "unknown-name"],
    ["SELECT nobody FROM users", 1, /no such column: nobody/, "unknown-name"],
    ["CREATE TABLE users (x)", 1, /already exists/, "refused"],
  ] as const) {
    it(`says early where SQLite refuses ${JSON.stringify(text)}`, async () => {
      const { problem, modelAt } = await replayHistory(migrationsOf(users, text, "DROP TABLE users"));
      assert.equal(problem?.migration, "0002_step");
      assert.equal(problem.line, line);
      assert.match(problem.message, message);
      assert.equal(problem.reason, reason);
      assert.equal(modelAt(0)!.tables.size, 1);
      assert.equal(modelAt(1), undefined);
    });
  }

  it("guesses, and says so, where a history builds on tables made elsewhere", async () => {
    const { findings } = await replayHistory(
      migrationsOf(
        "ALTER TABLE orders ADD COLUMN a",
        `CREATE TABLE t (x); DROP TABLE t; DROP TABLE orders; ALTER TABLE b DROP COLUMN c; DELETE FROM d;
         UPDATE e SET f = 1; CREATE UNIQUE INDEX g ON h (i); ALTER TABLE j ADD k TEXT NOT NULL; UPDATE e SET f = 1 WHERE f > 1`,
      ),
    );
    assert.deepEqual(
      findings.map(({ kind, guessed }) => [kind, guessed]),
      ["drop-table", "drop-column", "delete-rows", "delete-rows", "unique", "not-null"].map((kind) => [kind, true]),
    );
  });
});

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { transfer } from "../../provider/transfer/transfer";
import { rowsOf, run, withPair } from "./pair";

/** Every kind of table, key and value that a tenant may have. */
const everything = [
  "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, size INTEGER GENERATED ALWAYS AS (length(text)) STORED)",
  "INSERT INTO notes (text) VALUES ('one'), ('it''s'), ('zwölf 🙂')",
  "DELETE FROM notes WHERE id = 3",
  "CREATE TABLE any_value (v, b BLOB, n NUMERIC, r REAL, t TEXT)",
  `INSERT INTO any_value VALUES (1, x'00ff', 0.5, 1, 'a' || char(0) || 'b'), (1.0, x'', 9e999, -9e999, ''),
     (9223372036854775807, NULL, -9223372036854775808, 1e300, '1'), ('1', zeroblob(3), 1e16, 0.1, NULL),
     (CAST('a' || char(0) AS TEXT), NULL, NULL, NULL, char(0)), (9e999, '2', '2x', 3, 4), (9007199254740993, 1.5, 2.0, 2.5, 3.5)`,
  "DELETE FROM any_value WHERE rowid = 2",
  "CREATE TABLE keyed (region TEXT COLLATE NOCASE, n, PRIMARY KEY (n DESC, region)) WITHOUT ROWID",
  "INSERT INTO keyed VALUES ('eu', 1), ('us', 1), ('eu', 2.5), ('eu', 'x'), ('eu', x'01'), ('eu', 9e999)",
  'CREATE TABLE "odd ""name" ("select" TEXT, "0" INTEGER, "a b" REAL DEFAULT 1.5, kinds TEXT)',
  `INSERT INTO "odd ""name" ("select", "0", kinds) VALUES ('x', 1, 'k'), ('y', 2, NULL)`,
  "CREATE TABLE strict_one (id INTEGER PRIMARY KEY DESC, a ANY, b BLOB) STRICT",
  "INSERT INTO strict_one VALUES (7, 1.0, x'01'), (-7, '1', NULL)",
  "CREATE TABLE parents (id TEXT PRIMARY KEY)",
  "CREATE TABLE children (id INTEGER PRIMARY KEY, parent TEXT NOT NULL REFERENCES parents ON DELETE CASCADE)",
  "INSERT INTO parents VALUES ('p')",
  "INSERT INTO children VALUES (1, 'p'), (2, 'p')",
  "CREATE TABLE log (what TEXT)",
  "CREATE INDEX notes_by_text ON notes (text) WHERE text <> ''",
  "CREATE UNIQUE INDEX children_unique ON children (parent, id DESC)",
  "CREATE VIEW long_notes AS SELECT * FROM notes WHERE size > 3",
  "CREATE TRIGGER logged AFTER INSERT ON notes BEGIN INSERT INTO log VALUES (CASE WHEN new.size > 3 THEN 'long' ELSE 'short' END); END",
  "CREATE VIRTUAL TABLE search USING fts5 (title, body UNINDEXED, tokenize = 'porter')",
  "INSERT INTO search (rowid, title, body) VALUES (5, 'running', 'x'), (9, 'walks', 'y')",
  "INSERT INTO search (search, rank) VALUES ('rank', 'bm25(10.0, 5.0)')",
  "CREATE VIRTUAL TABLE note_search USING fts5 (text, content='notes', content_rowid='id')",
  "INSERT INTO note_search (note_search) VALUES ('rebuild')",
  "CREATE VIRTUAL TABLE bare USING fts5 (text, content='')",
  "INSERT INTO bare (rowid, text) VALUES (3, 'hidden words'), (4, 'more words')",
  "CREATE VIRTUAL TABLE old_search USING fts4 (title, body)",
  "INSERT INTO old_search (docid, title, body) VALUES (2, 'seven', 'seas')",
  "CREATE VIRTUAL TABLE terms USING fts5vocab ('search', 'row')",
  "CREATE VIRTUAL TABLE places USING rtree (id, x0, x1, +label TEXT)",
  "INSERT INTO places VALUES (1, 0.1, 0.2, 'a'), (8, -5, 7.3, 'b')",
  "CREATE TABLE vectors (id INTEGER PRIMARY KEY, embedding F32_BLOB(3))",
  "CREATE INDEX near ON vectors (libsql_vector_idx(embedding))",
  "INSERT INTO vectors VALUES (1, vector32('[1,2,3]')), (2, vector32('[3,2,1]')), (3, NULL)",
];

describe("transfer", () => {
  it("carries every kind of table, key and value", async function () {
    this.timeout(30_000);
    await withPair(async ({ source, target }) => {
      await run(source, ...everything);
      const report = await transfer(source, target);
      assert.equal(report.rows, 36);
      const same = async (text: string): Promise<unknown[]> => {
        const rows = await rowsOf(target, text);
        assert.deepEqual(rows, await rowsOf(source, text));
        return rows;
      };
      await same("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name");
      for (const column of ["v", "b", "n", "r", "t"]) {
        await same(`SELECT rowid, typeof(${column}), hex(${column}), quote(${column}) FROM any_value ORDER BY rowid`);
      }
      await same("SELECT typeof(n), quote(n), region FROM keyed ORDER BY n, region");
      await same("SELECT rowid, id, typeof(a), a, b FROM strict_one ORDER BY rowid");
      await same("SELECT id, text, size FROM notes");
      assert.deepEqual(await same("SELECT name, seq FROM sqlite_sequence"), [{ name: "notes", seq: 3 }]);
      assert.deepEqual(await same("SELECT count(*) AS n FROM log"), [{ n: 0 }], "no trigger ran");
      assert.equal((await same("SELECT rowid FROM search WHERE search MATCH 'run'")).length, 1);
      assert.equal((await same("SELECT rowid FROM note_search WHERE note_search MATCH 'one'")).length, 1);
      assert.equal((await same("SELECT rowid FROM bare WHERE bare MATCH 'words'")).length, 2);
      assert.equal((await same("SELECT docid FROM old_search WHERE old_search MATCH 'seas'")).length, 1);
      assert.equal((await same("SELECT term, doc FROM terms ORDER BY term")).length, 2);
      assert.equal((await same("SELECT k, v FROM search_config ORDER BY k")).length, 2);
      assert.equal((await same("SELECT id, label FROM places WHERE x0 < 0 AND x1 > 7")).length, 1);
      assert.equal((await same("SELECT id FROM vector_top_k('near', vector32('[3,2,1]'), 1)")).length, 1);
      assert.deepEqual(await rowsOf(target, "PRAGMA foreign_key_check"), []);
      await run(target, "INSERT INTO notes (text) VALUES ('later')");
      assert.deepEqual(await rowsOf(target, "SELECT max(id) AS id FROM notes"), [{ id: 4 }]);
      assert.deepEqual(await rowsOf(target, "SELECT what FROM log"), [{ what: "long" }]);
    });
  });
});

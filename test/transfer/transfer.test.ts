import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { transfer } from "../../provider/transfer/transfer";
import { everything } from "./everything";
import { rowsOf, run, withPair } from "./pair";

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

  it("carries a database from which kinds of tables and indexes have gone again", async function () {
    this.timeout(30_000);
    await withPair(async ({ source, target }) => {
      await run(
        source,
        "CREATE TABLE vectors (id INTEGER PRIMARY KEY AUTOINCREMENT, embedding F32_BLOB(3))",
        "CREATE INDEX near ON vectors (libsql_vector_idx(embedding))",
        "INSERT INTO vectors (embedding) VALUES (vector32('[1,2,3]'))",
        "ANALYZE",
        "DROP TABLE vectors",
        "CREATE TABLE a (x)",
        "INSERT INTO a VALUES (1)",
      );
      assert.equal((await transfer(source, target)).rows, 1);
      assert.deepEqual(await rowsOf(target, "SELECT name FROM sqlite_schema"), [{ name: "a" }]);
    });
  });
});

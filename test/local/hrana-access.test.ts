import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "../../provider/platform/libsql-client";
import { full, type HranaServer, startHranaServer } from "./hrana-server";

describe("local SQL over HTTP, access", () => {
  let server: HranaServer;
  let client: Client;

  beforeEach(async () => {
    server = await startHranaServer();
    await server.create("app");
    client = server.client("app");
    await client.executeMultiple("CREATE TABLE t (x); INSERT INTO t VALUES (1)");
  });
  afterEach(() => server.close());

  const writes = [
    "INSERT INTO t VALUES (2)",
    "WITH n AS (SELECT 2) INSERT INTO t SELECT * FROM n",
    "UPDATE t SET x = 2",
    "DELETE FROM t",
    "CREATE TABLE u (x)",
    "DROP TABLE t",
    "/* SELECT */ INSERT INTO t VALUES (2) RETURNING x",
  ];

  it("lets the engine refuse every write of a read-only token", async () => {
    server.access = { ...full, write: false };
    for (const sql of writes) {
      await assert.rejects(client.execute(sql), { code: "SQLITE_READONLY", message: /attempt to write a readonly/ });
    }
    await assert.rejects(client.batch(writes.slice(0, 1), "write"), { code: "SQLITE_READONLY", statementIndex: 0 });
    await assert.rejects(client.executeMultiple(`SELECT 1; PRAGMA query_only = 0; ${writes[0]}`), {
      code: "SQLITE_READONLY",
    });
    const transaction = await client.transaction("write");
    await assert.rejects(transaction.execute("DELETE FROM t"), { code: "SQLITE_READONLY" });
    transaction.close();
    assert.equal((await client.execute("SELECT count(*) AS n FROM t")).rows[0]?.n, 1);
    assert.equal((await client.batch(["SELECT x FROM t"], "read"))[0]?.rows[0]?.x, 1);
  });

  it("blocks writes with BLOCKED while reads go on", async () => {
    server.access = { ...full, blockWrites: true };
    for (const sql of writes)
      await assert.rejects(client.execute(sql), { code: "BLOCKED", message: /writes are blocked/ });
    assert.equal((await client.execute("SELECT x FROM t")).rows[0]?.x, 1);
  });

  it("blocks everything but the end of a transaction when reads are blocked", async () => {
    server.access = { ...full, blockReads: true };
    for (const sql of ["SELECT x FROM t", "BEGIN", "EXPLAIN SELECT 1", "PRAGMA table_list", ...writes]) {
      await assert.rejects(client.execute(sql), { code: "BLOCKED", message: /reads are blocked/ });
    }
    server.access = full;
    assert.equal((await client.execute("SELECT x FROM t")).rows[0]?.x, 1);
  });

  const ways: [sql: string, code: string][] = [
    ["ATTACH '{file}' AS q", "SQL_PARSE_ERROR"],
    [";/* */ATTACH/**/'{file}' AS q", "SQL_PARSE_ERROR"],
    ["EXPLAIN ATTACH '{file}' AS q", "SQL_PARSE_ERROR"],
    ["\uFEFFVACUUM INTO '{file}'", "SQL_PARSE_ERROR"],
    ["SELECT writefile('{file}', 'x')", "SQLITE_AUTH"],
    ["SELECT \"WriteFile\" /* */ ('{file}', 'x')", "SQLITE_AUTH"],
    ["SELECT [writefile]('{file}', 'x')", "SQLITE_AUTH"],
    ["SELECT `writefile`('{file}', 'x')", "SQLITE_AUTH"],
    ["CREATE VIEW v AS SELECT writefile('{file}', 'x')", "SQLITE_AUTH"],
    ["SELECT sha3_query('SELECT write'||'file(''{file}'', ''x'')')", "SQLITE_AUTH"],
    ["PRAGMA writable_schema = 1", "SQL_PARSE_ERROR"],
    ['PRAGMA main . "writable_schema" = 1', "SQL_PARSE_ERROR"],
    ["EXPLAIN QUERY PLAN PRAGMA writable_schema = 1", "SQL_PARSE_ERROR"],
    ["PRAGMA temp_store_directory = '/'", "SQL_PARSE_ERROR"],
    ["SELECT data FROM fsdir('/')", "SQLITE_AUTH"],
    ["SELECT * FROM \"fsdir\" WHERE path = '/'", "SQLITE_AUTH"],
    ["SELECT readfile('{file}')", "SQLITE_AUTH"],
    ["SELECT load_extension('{file}')", "SQLITE_AUTH"],
    // What JavaScript takes for space, and SQLite does not.
    ["\u000bATTACH '{file}' AS q", "SQL_PARSE_ERROR"],
    ["\u00a0ATTACH '{file}' AS q", "SQL_PARSE_ERROR"],
    ["\u2028VACUUM INTO '{file}'", "SQL_PARSE_ERROR"],
    ["\u3000PRAGMA writable_schema = 1", "SQL_PARSE_ERROR"],
    // And the other way round: behind another space this is one.
    ["SELECT writefile \u000b('{file}', 'x')", "SQLITE_AUTH"],
    // A string where only a name can be.
    ["SELECT data FROM 'fsdir'('/')", "SQLITE_AUTH"],
    ["SELECT data FROM main . 'FSDIR' WHERE path = '/'", "SQLITE_AUTH"],
    ["SELECT data FROM (VALUES (1)), ('fsdir') WHERE path = '/'", "SQLITE_AUTH"],
    ["SELECT file FROM 'pragma_database_list'", "SQLITE_AUTH"],
    ["SELECT 1 IN 'sqlite_stmt'", "SQLITE_AUTH"],
    ["UPDATE OR IGNORE 'sqlite_dbpage' SET data = x'00'", "SQLITE_AUTH"],
    ["REPLACE INTO 'sqlite_dbpage' VALUES (1, x'00', 'main')", "SQLITE_AUTH"],
    // Full-text tables write SQL of their own, with the functions and tables that they are told.
    ["CREATE VIRTUAL TABLE f USING fts4 (x, compress=lower, uncompress=readfile)", "SQLITE_AUTH"],
    ["CREATE VIRTUAL TABLE f USING fts4 (x, compress='lower', uncompress='ReadFile')", "SQLITE_AUTH"],
    ["CREATE VIRTUAL TABLE f USING fts5 (file, content='pragma_database_list')", "SQLITE_AUTH"],
    ["CREATE VIRTUAL TABLE f USING 'sqlite_dbpage'", "SQLITE_AUTH"],
  ];
  for (const [sql, code] of ways) {
    it(`lets nothing out of the database: ${sql}`, async () => {
      const file = join(server.directory, "outside");
      for (const write of [true, false]) {
        server.access = { ...full, write };
        await assert.rejects(client.execute(sql.replaceAll("{file}", file)), { code });
      }
      assert.equal(existsSync(file), false);
    });
  }

  it("leaves words alone that only look like those functions", async () => {
    await client.execute("CREATE TABLE files (readfile TEXT, note TEXT DEFAULT 'writefile(1)')");
    await client.execute("INSERT INTO files (readfile) VALUES ('fsdir') -- ATTACH");
    assert.deepEqual(
      { ...(await client.execute("SELECT readfile, note FROM files")).rows[0] },
      { readfile: "fsdir", note: "writefile(1)" },
    );
    for (const sql of ["SELECT 1 FROM files WHERE readfile = 'fsdir'", "UPDATE files SET note = 'sqlite_stmt'"]) {
      await client.execute(sql);
    }
    assert.equal((await client.execute({ sql: "SELECT ? AS x FROM files", args: ["fsdir"] })).rows[0]?.["x"], "fsdir");
  });
});

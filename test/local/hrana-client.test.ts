import assert from "node:assert/strict";
import { type Client, loadClient } from "../../provider/platform/libsql-client";
import { type HranaServer, startHranaServer } from "./hrana-server";

const { LibsqlBatchError, LibsqlError } = loadClient();

describe("local SQL over HTTP, through @libsql/client", () => {
  let server: HranaServer;
  let client: Client;

  beforeEach(async () => {
    server = await startHranaServer({ busyTimeout: 200 });
    await server.create("app");
    client = server.client("app");
    await client.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, stars REAL)");
  });
  afterEach(() => server.close());

  const failure = async (work: Promise<unknown>): Promise<InstanceType<typeof LibsqlError>> => {
    try {
      await work;
    } catch (error) {
      assert.ok(error instanceof LibsqlError, String(error));
      return error;
    }
    return assert.fail("nothing failed");
  };

  it("executes with positional and named arguments", async () => {
    const first = await client.execute({ sql: "INSERT INTO notes (text, stars) VALUES (?, ?)", args: ["a", 4.5] });
    assert.equal(first.rowsAffected, 1);
    assert.equal(first.lastInsertRowid, 1n);
    await client.execute({
      sql: "INSERT INTO notes (text, stars) VALUES (:text, $stars)",
      args: { text: "b", stars: 2 },
    });
    await client.execute({
      sql: "INSERT INTO notes (text, stars) VALUES (@text, ?2)",
      args: { "@text": "c", "?2": 1 },
    });
    const found = await client.execute("SELECT id, text AS body, stars, stars + 1 FROM notes ORDER BY id");
    assert.deepEqual(found.columns, ["id", "body", "stars", "stars + 1"]);
    assert.deepEqual(found.columnTypes, ["INTEGER", "TEXT", "REAL", ""]);
    assert.deepEqual(
      found.rows.map((row) => Array.from(row)),
      [
        [1, "a", 4.5, 5.5],
        [2, "b", 2, 3],
        [3, "c", 1, 2],
      ],
    );
    assert.equal(found.rowsAffected, 0);
    assert.equal(found.lastInsertRowid, undefined);
  });

  it("counts what RETURNING, UPDATE and DELETE change", async () => {
    const inserted = await client.execute("INSERT INTO notes (text) VALUES ('a'), ('b') RETURNING id");
    assert.deepEqual([inserted.rows.length, inserted.rowsAffected, inserted.lastInsertRowid], [2, 2, 2n]);
    const updated = await client.execute("UPDATE notes SET stars = 1");
    assert.deepEqual([updated.rowsAffected, updated.lastInsertRowid], [2, undefined]);
    assert.equal((await client.execute("DELETE FROM notes WHERE id = 9")).rowsAffected, 0);
    const common = await client.execute("WITH x(t) AS (SELECT 'c') INSERT INTO notes (text) SELECT t FROM x");
    assert.deepEqual([common.rowsAffected, common.lastInsertRowid], [1, 3n]);
  });

  it("carries every kind of value both ways", async () => {
    const big = 9223372036854775807n;
    const blob = new Uint8Array([0, 1, 254, 255]);
    const args = [null, big, -big - 1n, 1.5, 3, "naïve ☃", "", blob, new Uint8Array(0), true];
    const types = await client.execute({ sql: `SELECT ${args.map(() => "typeof(?)").join(", ")}`, args });
    assert.deepEqual(Array.from(types.rows[0] ?? []), [
      ..."null integer integer real real text text blob blob integer".split(" "),
    ]);
    const safe = await server.post("app", {
      baton: null,
      requests: [{ type: "execute", stmt: { sql: "SELECT 9223372036854775807, -1, 1.0, x'0aff', '', NULL" } }],
    });
    assert.deepEqual(JSON.parse(safe.text).results[0].response.result.rows, [
      [
        { type: "integer", value: "9223372036854775807" },
        { type: "integer", value: "-1" },
        { type: "float", value: 1 },
        { type: "blob", base64: "Cv8" },
        { type: "text", value: "" },
        { type: "null" },
      ],
    ]);
    const echo = await client.execute({ sql: "SELECT ?, ?, ?, ?", args: ["x", blob, new Uint8Array(0), null] });
    const [text, bytes, empty, nothing] = Array.from(echo.rows[0] ?? []);
    assert.equal(text, "x");
    assert.deepEqual(new Uint8Array(bytes as ArrayBuffer), blob);
    assert.equal((empty as ArrayBuffer).byteLength, 0);
    assert.equal(nothing, null);
  });

  it("runs a batch as one transaction", async () => {
    const results = await client.batch(
      [
        { sql: "INSERT INTO notes (text) VALUES (?)", args: ["a"] },
        { sql: "INSERT INTO notes (text) VALUES (?)", args: ["b"] },
        "SELECT count(*) AS n FROM notes",
      ],
      "write",
    );
    assert.equal(results[2]?.rows[0]?.n, 2);
    const error = await failure(
      client.batch(["DELETE FROM notes", "INSERT INTO notes (text) VALUES ('c'), ('c')", "SELECT 1"], "write"),
    );
    assert.ok(error instanceof LibsqlBatchError);
    assert.equal(error.statementIndex, 1);
    assert.equal(error.code, "SQLITE_CONSTRAINT");
    assert.equal((await client.execute("SELECT count(*) AS n FROM notes")).rows[0]?.n, 2);
    const read = await client.batch(["SELECT 1 AS one"], "read");
    assert.equal(read[0]?.rows[0]?.one, 1);
  });

  it("migrates with foreign keys off", async () => {
    await client.migrate([
      "CREATE TABLE child (note INTEGER REFERENCES notes (id))",
      "INSERT INTO child VALUES (99)",
      "CREATE TRIGGER gone AFTER DELETE ON notes BEGIN DELETE FROM child WHERE note = old.id; SELECT 1; END",
    ]);
    assert.equal((await client.execute("SELECT count(*) AS n FROM child")).rows[0]?.n, 1);
    const error = await failure(client.migrate(["CREATE TABLE extra (x)", "INSERT INTO nowhere VALUES (1)"]));
    assert.equal(error.code, "SQLITE_UNKNOWN");
    assert.match(error.message, /no such table: nowhere/);
    await failure(client.execute("SELECT * FROM extra"));
  });

  it("executes many statements, and keeps those before a failing one", async () => {
    await client.executeMultiple(`
      -- first; a comment
      INSERT INTO notes (text) VALUES ('semi;colon');
      CREATE TRIGGER loud AFTER INSERT ON notes BEGIN UPDATE notes SET stars = CASE WHEN 1 THEN 5 END; END;
      INSERT INTO notes (text) VALUES ('b');
    `);
    assert.equal((await client.execute("SELECT sum(stars) AS s FROM notes")).rows[0]?.s, 10);
    const error = await failure(client.executeMultiple("DELETE FROM notes WHERE id = 1; SELEC 1; DELETE FROM notes"));
    assert.equal(error.code, "SQL_PARSE_ERROR");
    assert.equal((await client.execute("SELECT count(*) AS n FROM notes")).rows[0]?.n, 1);
  });

  it("holds interactive transactions, committed and rolled back", async () => {
    const kept = await client.transaction("write");
    await kept.execute("INSERT INTO notes (text) VALUES ('a')");
    await kept.batch(["INSERT INTO notes (text) VALUES ('b')", "INSERT INTO notes (text) VALUES ('c')"]);
    await kept.executeMultiple("INSERT INTO notes (text) VALUES ('d'); INSERT INTO notes (text) VALUES ('e')");
    assert.equal((await client.execute("SELECT count(*) AS n FROM notes")).rows[0]?.n, 0);
    await kept.commit();
    assert.equal((await client.execute("SELECT count(*) AS n FROM notes")).rows[0]?.n, 5);

    const dropped = await client.transaction("write");
    await dropped.execute("DELETE FROM notes");
    await dropped.rollback();
    const abandoned = await client.transaction("write");
    await abandoned.execute("DELETE FROM notes");
    const failing = await failure(abandoned.execute("INSERT INTO nowhere VALUES (1)"));
    assert.equal(failing.code, "SQLITE_UNKNOWN");
    abandoned.close();
    // The close goes out by itself; the next writer merely waits for it.
    await client.execute("INSERT INTO notes (text) VALUES ('f')");
    assert.equal((await client.execute("SELECT count(*) AS n FROM notes")).rows[0]?.n, 6);
  });

  it("makes a second writer wait for a bounded time, without stopping the rest", async () => {
    const first = await client.transaction("write");
    await first.execute("INSERT INTO notes (text) VALUES ('a')");
    const second = await client.transaction("write");
    const refused = failure(second.execute("INSERT INTO notes (text) VALUES ('b')"));
    assert.equal((await client.execute("SELECT count(*) AS n FROM notes")).rows[0]?.n, 0);
    assert.equal((await refused).code, "SQLITE_BUSY");

    const third = client.execute("INSERT INTO notes (text) VALUES ('c')");
    await first.execute("INSERT INTO notes (text) VALUES ('d')");
    await first.commit();
    assert.equal((await third).rowsAffected, 1);
  });

  const refusals: [
    title: string,
    statement: string | { sql: string; args: number[] | { b: number } },
    code: string,
    text: RegExp,
  ][] = [
    [
      "a broken constraint",
      "INSERT INTO notes (text) VALUES (NULL)",
      "SQLITE_CONSTRAINT",
      /NOT NULL constraint failed/,
    ],
    ["a syntax error", "SELEC 1", "SQL_PARSE_ERROR", /near "SELEC": syntax error/],
    ["an unknown column", "SELECT absent FROM notes", "SQL_INPUT_ERROR", /no such column: absent/],
    ["an unknown table", "SELECT * FROM nowhere", "SQLITE_UNKNOWN", /no such table: nowhere/],
    ["several statements", "SELECT 1; SELECT 2", "SQL_MANY_STATEMENTS", /more than one/],
    ["no statement", "-- only a comment\n;", "SQL_NO_STATEMENT", /any statement/],
    ["a missing argument", { sql: "SELECT ?, ?", args: [1] }, "ARGS_INVALID", /parameter 2 not found/],
    ["one argument too many", { sql: "SELECT ?", args: [1, 2] }, "ARGS_INVALID", /expected 1, found 2/],
    ["an unknown name", { sql: "SELECT :a", args: { b: 1 } }, "ARGS_INVALID", /parameter :a not found/],
    ["ATTACH", "ATTACH 'other.db' AS other", "SQL_PARSE_ERROR", /unsupported statement/],
    ["VACUUM INTO", "/* x */ ; vacuum INTO 'copy.db'", "SQL_PARSE_ERROR", /unsupported statement/],
    ["a journal mode", "PRAGMA main.journal_mode", "SQL_PARSE_ERROR", /unsupported statement/],
    ["a new user_version", "PRAGMA user_version = 3", "SQL_PARSE_ERROR", /unsupported statement/],
    ["a runtime fault", "SELECT abs(-9223372036854775807 - 1)", "SQLITE_UNKNOWN", /integer overflow/],
  ];
  for (const [title, statement, code, text] of refusals) {
    it(`answers ${title} with ${code}`, async () => {
      const work = typeof statement === "string" ? client.execute(statement) : client.execute(statement);
      const error = await failure(work);
      assert.equal(error.code, code);
      assert.match(error.message, text);
    });
  }

  it("gives every request without a baton a connection of its own", async () => {
    await client.executeMultiple(
      "CREATE TEMP TABLE mine (x); PRAGMA foreign_keys = ON; INSERT INTO notes (text) VALUES ('a')",
    );
    await failure(client.execute("SELECT * FROM mine"));
    assert.equal((await client.execute("PRAGMA foreign_keys")).rows[0]?.foreign_keys, 0);
    assert.equal((await client.execute("SELECT last_insert_rowid() AS id")).rows[0]?.id, 0);
    assert.equal((await client.execute("PRAGMA user_version")).rows[0]?.user_version, 0);
  });
});

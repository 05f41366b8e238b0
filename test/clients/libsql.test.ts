import assert from "node:assert/strict";
import type { Client, Config } from "@libsql/client" with { "resolution-mode": "import" };
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { mint } from "../local/api-caller";
import { serveDatabase, type ServedDatabase } from "./served-database";

type Libsql = typeof import("@libsql/client", { with: { "resolution-mode": "import" } });

describe("@libsql/client on the embedded platform", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(120_000);
  let libsql: Libsql;
  let served: ServedDatabase;
  let url: string;
  let opened: Client[] = [];
  let client: Client;

  before(async () => {
    libsql = await import("@libsql/client");
    served = await serveDatabase();
  });
  after(() => served.close());

  const open = (more: Partial<Config> = {}): Client => {
    const made = libsql.createClient({ url, authToken: served.token, ...more });
    opened.push(made);
    return made;
  };
  beforeEach(async () => {
    url = await served.another();
    client = open();
    await client.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, extra)");
  });
  afterEach(() => {
    for (const each of opened) each.close();
    opened = [];
  });

  const failure = async (work: Promise<unknown>) => {
    try {
      await work;
    } catch (error) {
      assert.ok(error instanceof libsql.LibsqlError, String(error));
      return error;
    }
    return assert.fail("nothing failed");
  };
  const names = async (): Promise<unknown[]> =>
    (await open().execute("SELECT name FROM t ORDER BY id")).rows.map((row) => row.name);

  it("takes arguments by position and by each kind of name", async () => {
    await client.execute("INSERT INTO t (name, extra) VALUES (?, ?)", ["a", 1]);
    await client.execute("INSERT INTO t (name, extra) VALUES (?2, ?1)", [2, "b"]);
    await client.execute("INSERT INTO t (name, extra) VALUES (:n, @x)", { n: "c", x: 3 });
    const last = await client.execute({
      sql: "INSERT INTO t (name, extra) VALUES ($n, :x) RETURNING *",
      args: { $n: "d", ":x": 4 },
    });
    assert.deepEqual({ ...last.rows[0] }, { id: 4, name: "d", extra: 4 });
    assert.deepEqual([last.rowsAffected, last.lastInsertRowid], [1, 4n]);
    assert.deepEqual(last.columns, ["id", "name", "extra"]);
    assert.deepEqual(last.toJSON().rows, [[4, "d", 4]]);
    assert.deepEqual(await names(), ["a", "b", "c", "d"]);
  });

  it("carries every kind of value there and back", async () => {
    const bytes = Uint8Array.from([0, 1, 254, 255]);
    const when = new Date(1_700_000_000_123);
    const kinds: [string, unknown, unknown, string][] = [
      ["null", null, null, "null"],
      ["text", "zwölf 🎈 \r\n\t'\"", "zwölf 🎈 \r\n\t'\"", "text"],
      ["empty text", "", "", "text"],
      // The client sends every number as a float: whole ones come back as what SQLite made of them.
      ["float", 1.5, 1.5, "real"],
      ["smallest float", Number.MIN_VALUE, Number.MIN_VALUE, "real"],
      ["largest float", Number.MAX_VALUE, Number.MAX_VALUE, "real"],
      ["bigint", 7n, 7, "integer"],
      ["true", true, 1, "integer"],
      ["false", false, 0, "integer"],
      ["date", when, when.getTime(), "real"],
      ["bytes", bytes, bytes.buffer, "blob"],
      ["no bytes", new Uint8Array(), new ArrayBuffer(0), "blob"],
    ];
    for (const [what, given, expected, type] of kinds) {
      const { rows } = await client.execute("SELECT ? AS value, typeof(?1) AS type", [given as string]);
      assert.deepEqual([rows[0]?.value, rows[0]?.type], [expected, type], what);
    }
  });

  it("reads integers as number, bigint or text, and refuses those that do not fit", async () => {
    const largest = 9_223_372_036_854_775_807n;
    await client.execute("INSERT INTO t VALUES (?, 'max', ?)", [largest, -largest - 1n]);
    const read = "SELECT id, extra FROM t";
    assert.deepEqual(Array.from((await open({ intMode: "bigint" }).execute(read)).rows[0]!), [largest, -largest - 1n]);
    assert.deepEqual(Array.from((await open({ intMode: "string" }).execute(read)).rows[0]!), [
      "9223372036854775807",
      "-9223372036854775808",
    ]);
    await assert.rejects(open({ intMode: "number" }).execute(read), RangeError);
    await assert.rejects(client.execute("SELECT ?", [largest + 1n]), RangeError);
    assert.equal((await client.execute("SELECT 9007199254740991 AS n")).rows[0]?.n, Number.MAX_SAFE_INTEGER);
  });

  it("runs write, deferred and read batches, and answers each statement", async () => {
    for (const mode of ["write", "deferred"] as const) {
      const results = await client.batch(
        [
          { sql: "INSERT INTO t (name) VALUES (?)", args: [mode] },
          ["INSERT INTO t (name) VALUES (:n)", { n: `${mode} too` }],
          "SELECT count(*) AS n FROM t",
        ],
        mode,
      );
      assert.deepEqual(
        results.map(({ rowsAffected }) => rowsAffected),
        [1, 1, 0],
      );
    }
    const [counted] = await client.batch(["SELECT count(*) AS n FROM t"], "read");
    assert.equal(counted?.rows[0]?.n, 4);
    assert.deepEqual(await client.batch([], "write"), []);
  });

  it("keeps nothing of a batch that fails, and tells which statement it was", async () => {
    const error = await failure(
      client.batch(
        [
          "INSERT INTO t (name) VALUES ('a')",
          "INSERT INTO t (name) VALUES ('b')",
          "INSERT INTO t (name) VALUES ('a')",
          "INSERT INTO t (name) VALUES ('c')",
        ],
        "write",
      ),
    );
    assert.ok(error instanceof libsql.LibsqlBatchError);
    assert.equal(error.statementIndex, 2);
    assert.equal(error.code, "SQLITE_CONSTRAINT");
    assert.deepEqual(await names(), []);
  });

  it("reads one snapshot in a read batch, whoever writes meanwhile", async () => {
    const reader = await client.transaction("read");
    assert.equal((await reader.execute("SELECT count(*) AS n FROM t")).rows[0]?.n, 0);
    await open().execute("INSERT INTO t (name) VALUES ('meanwhile')");
    const [again] = await reader.batch(["SELECT count(*) AS n FROM t"]);
    assert.equal(again?.rows[0]?.n, 0);
    await reader.commit();
    assert.deepEqual(await names(), ["meanwhile"]);
  });

  it("keeps a text with a NUL whole in the file", async () => {
    // SQLite's own length() stops at the NUL; reading such a text back does too, here (README, "Clients").
    const { rows } = await client.execute("SELECT hex(?) AS stored", ["a\u0000b"]);
    assert.equal(rows[0]?.stored, "610062");
  });

  it("commits, rolls back and abandons interactive transactions", async () => {
    const kept = await client.transaction("write");
    await kept.execute("INSERT INTO t (name) VALUES ('kept')");
    await kept.batch([{ sql: "INSERT INTO t (name) VALUES (?)", args: ["batch"] }]);
    await kept.executeMultiple("INSERT INTO t (name) VALUES ('many'); INSERT INTO t (name) VALUES ('more')");
    assert.deepEqual(await names(), [], "nobody else sees it yet");
    await kept.commit();
    assert.equal(kept.closed, true);

    const undone = await client.transaction("deferred");
    await undone.execute("INSERT INTO t (name) VALUES ('undone')");
    await undone.rollback();
    const left = await client.transaction("write");
    await left.execute("INSERT INTO t (name) VALUES ('left')");
    left.close();
    assert.equal((await failure(left.execute("SELECT 1"))).code, "TRANSACTION_CLOSED");

    assert.deepEqual(await names(), ["kept", "batch", "many", "more"]);
    // The lock of the one that was left is gone: this write would wait for it.
    await client.execute("INSERT INTO t (name) VALUES ('after')");
  });

  it("goes on in a transaction after a statement that failed", async () => {
    const transaction = await client.transaction("write");
    await transaction.execute("INSERT INTO t (name) VALUES ('a')");
    assert.equal((await failure(transaction.execute("INSERT INTO t (name) VALUES ('a')"))).code, "SQLITE_CONSTRAINT");
    await transaction.execute("INSERT INTO t (name) VALUES ('b')");
    await transaction.commit();
    assert.deepEqual(await names(), ["a", "b"]);
  });

  it("lets the second of two writers in when the first has ended", async () => {
    const first = await client.transaction("write");
    await first.execute("INSERT INTO t (name) VALUES ('first')");
    const second = open().execute("INSERT INTO t (name) VALUES ('second')");
    await first.commit();
    assert.equal((await second).rowsAffected, 1);
    assert.deepEqual(await names(), ["first", "second"]);
  });

  it("refuses a snapshot that another has overtaken, at once", async () => {
    const stale = await client.transaction("deferred");
    await stale.execute("SELECT count(*) FROM t");
    await open().execute("INSERT INTO t (name) VALUES ('other')");
    assert.equal((await failure(stale.execute("INSERT INTO t (name) VALUES ('stale')"))).code, "SQLITE_BUSY");
    stale.close();
  });

  it("migrates without foreign keys, and executes many statements", async () => {
    await client.executeMultiple("PRAGMA foreign_keys = ON; CREATE TABLE c (t REFERENCES t (id));");
    await client.migrate(["INSERT INTO c VALUES (99)", "CREATE TABLE late (x)"]);
    assert.equal((await client.execute("SELECT t FROM c")).rows[0]?.t, 99);
    const error = await failure(
      client.executeMultiple("INSERT INTO t (name) VALUES ('one'); INSERT INTO nowhere VALUES (1)"),
    );
    assert.match(error.message, /no such table: nowhere/);
    assert.deepEqual(await names(), ["one"]);
  });

  const errors: [string, string, RegExp][] = [
    ["SELEC 1", "SQL_PARSE_ERROR", /syntax error/],
    ["SELECT * FROM nowhere", "SQLITE_UNKNOWN", /no such table: nowhere/],
    ["SELECT absent FROM t", "SQL_INPUT_ERROR", /no such column: absent/],
    ["INSERT INTO t (name) VALUES (NULL)", "SQLITE_CONSTRAINT", /NOT NULL constraint failed: t\.name/],
    ["SELECT 1; SELECT 2", "SQL_MANY_STATEMENTS", /more than one statement/],
    ["-- nothing", "SQL_NO_STATEMENT", /does not contain any statement/],
    ["ATTACH 'x' AS x", "SQL_PARSE_ERROR", /unsupported statement: ATTACH/],
    ["SELECT abs(-9223372036854775808)", "SQLITE_UNKNOWN", /integer overflow/],
  ];
  for (const [sql, code, message] of errors) {
    it(`answers ${sql} with ${code}`, async () => {
      const error = await failure(client.execute(sql));
      assert.equal(error.code, code);
      assert.match(error.message, message);
    });
  }

  it("is refused with a wrong token, one of another database, and a reading one that writes", async () => {
    const other = await served.another();
    const ofOther = await mint(served.api, `databases/${new URL(other).pathname.split("/")[2]}`);
    for (const authToken of ["nonsense", "a.b.c", ofOther, served.platform.apiToken, undefined]) {
      const error = await failure(open({ authToken }).execute("SELECT 1"));
      assert.match(error.message, /401|Unauthorized/, String(authToken).slice(0, 12));
      assert.ok(!error.message.includes(served.platform.apiToken));
    }
    const reading = open({ authToken: await mint(served.api, "groups/g", "authorization=read-only") });
    assert.equal((await reading.execute("SELECT count(*) AS n FROM t")).rows[0]?.n, 0);
    assert.match((await failure(reading.execute("INSERT INTO t (name) VALUES ('x')"))).code, /SQLITE_READONLY|BLOCKED/);
    assert.match((await failure(reading.batch(["DELETE FROM t"], "write"))).code, /SQLITE_READONLY|BLOCKED/);
    assert.deepEqual(await names(), []);
  });

  it("is told that a database does not exist", async () => {
    url = served.platform.databaseUrl("nowhere");
    const error = await failure(open().execute("SELECT 1"));
    assert.match(error.message, /404|doesn't exist/);
  });

  it("says that it is closed, and opens again", async () => {
    client.close();
    assert.equal(client.closed, true);
    await assert.rejects(client.execute("SELECT 1"), /[Cc]losed/);
    client.reconnect();
    assert.equal((await client.execute("SELECT 1 AS one")).rows[0]?.one, 1);
    assert.equal(client.protocol, "http");
  });

  it("does many things at once, each exactly once", async () => {
    const writers = Array.from({ length: 5 }, () => open({ concurrency: 4 }));
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        writers[i % writers.length]!.execute("INSERT INTO t (name) VALUES (?)", [`n${i}`]),
      ),
    );
    const { rows } = await client.execute("SELECT count(*) AS n, count(DISTINCT name) AS d FROM t");
    assert.deepEqual({ ...rows[0] }, { n: 100, d: 100 });
  });

  it("carries a large text, a large blob and many rows", async () => {
    const text = "0123456789".repeat(300_000);
    const blob = new Uint8Array(2_000_000).fill(7);
    await client.execute("INSERT INTO t (name, extra) VALUES (?, ?)", [text, blob]);
    const { rows } = await client.execute("SELECT name, extra FROM t");
    assert.equal(rows[0]?.name, text);
    assert.deepEqual(new Uint8Array(rows[0]?.extra as ArrayBuffer), blob);
    const many = await client.execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n",
    );
    assert.deepEqual([many.rows.length, many.rows[19_999]?.i], [20_000, 20_000]);
  });
});

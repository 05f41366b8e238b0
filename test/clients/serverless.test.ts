import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { mint } from "../local/api-caller";
import { serveDatabase, type ServedDatabase } from "./served-database";

type Serverless = typeof import("@tursodatabase/serverless", { with: { "resolution-mode": "import" } });
type Compat = typeof import("@tursodatabase/serverless/compat", { with: { "resolution-mode": "import" } });
type Connection = ReturnType<Serverless["connect"]>;

describe("@tursodatabase/serverless on the embedded platform", function () {
  this.timeout(120_000);
  let serverless: Serverless;
  let compat: Compat;
  let served: ServedDatabase;
  let url: string;
  let db: Connection;

  before(async () => {
    serverless = await import("@tursodatabase/serverless");
    compat = await import("@tursodatabase/serverless/compat");
    served = await serveDatabase();
  });
  after(() => served.close());
  beforeEach(async () => {
    url = await served.another();
    db = serverless.connect({ url, authToken: served.token });
  });
  afterEach(() => db.close());

  const failure = async (work: Promise<unknown>): Promise<Error & { code?: string }> => {
    try {
      await work;
    } catch (error) {
      return error as Error;
    }
    return assert.fail("nothing failed");
  };
  const table = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, extra)";

  // By POST /v3/pipeline.
  describe("pipelines", () => {
    it("runs many statements, and tells which kind of failure stopped them", async () => {
      await db.exec(`${table}; INSERT INTO t (name) VALUES ('a');`);
      const error = await failure(db.exec("INSERT INTO t (name) VALUES ('b'); INSERT INTO t (name) VALUES ('a')"));
      assert.deepEqual([error.name, error.code], ["DatabaseError", "SQLITE_CONSTRAINT"]);
      assert.match(error.message, /UNIQUE constraint failed: t\.name/);
      assert.equal((await failure(db.exec("SELEC 1"))).code, "SQL_PARSE_ERROR");
    });

    it("describes what it prepares", async () => {
      await db.exec(table);
      const reading = await db.prepare("SELECT id, name AS called, 1 + 1 FROM t");
      assert.equal(reading.reader, true);
      assert.deepEqual(
        reading.columns().map(({ name, type }: { name: string; type: string | null }) => [name, type]),
        [
          ["id", "INTEGER"],
          ["called", "TEXT"],
          ["1 + 1", null],
        ],
      );
      assert.equal((await db.prepare("INSERT INTO t (name) VALUES (?)")).reader, false);
      assert.equal((await failure(db.prepare("SELECT * FROM nowhere"))).code, "SQLITE_UNKNOWN");
    });

    it("knows whether it is in a transaction, over requests", async () => {
      await db.exec(table);
      await db.exec("BEGIN");
      assert.equal(db.inTransaction, true);
      await db.exec("INSERT INTO t (name) VALUES ('a')");
      await db.exec("ROLLBACK");
      assert.equal(db.inTransaction, false);
    });

    it("tells a refused token by its status", async () => {
      for (const authToken of ["nonsense", served.platform.apiToken]) {
        const refused = serverless.connect({ url, authToken });
        assert.match((await failure(refused.exec("SELECT 1"))).message, /status: 401/);
      }
      const reading = serverless.connect({
        url,
        authToken: await mint(served.api, "groups/g", "authorization=read-only"),
      });
      assert.match((await failure(reading.exec(table))).code ?? "", /SQLITE_READONLY|BLOCKED/);
      await reading.close();
    });
  });

  // By POST /v3/cursor.
  describe("cursors", () => {
    beforeEach(() => db.exec(table));
    const names = async () =>
      (await db.all("SELECT name FROM t ORDER BY id")).map((row: { name: unknown }) => row.name);

    it("runs, gets, collects and iterates, with arguments by position and name", async () => {
      assert.deepEqual(await db.run("INSERT INTO t (name, extra) VALUES (?, ?)", ["a", 1]), {
        changes: 1,
        lastInsertRowid: 1,
      });
      await db.run("INSERT INTO t (name, extra) VALUES (:name, $extra)", { name: "b", extra: 2 });
      const insert = await db.prepare("INSERT INTO t (name, extra) VALUES (?, ?) RETURNING id");
      assert.deepEqual(await insert.all(["c", 3]), [{ id: 3 }]);
      assert.deepEqual(await db.get("SELECT * FROM t WHERE id = ?", [2]), { id: 2, name: "b", extra: 2 });
      assert.equal(await db.get("SELECT * FROM t WHERE id = 9"), undefined);
      const raw = (await db.prepare("SELECT id, name FROM t ORDER BY id")).raw();
      const seen: unknown[] = [];
      for await (const row of raw.iterate()) seen.push(row);
      assert.deepEqual(
        seen.map((row) => Array.from(row as unknown[])),
        [
          [1, "a"],
          [2, "b"],
          [3, "c"],
        ],
      );
      assert.deepEqual(await (await db.prepare("SELECT name FROM t ORDER BY id")).pluck().all(), ["a", "b", "c"]);
    });

    it("carries every kind of value, and large integers where asked", async () => {
      const values = [null, "zwölf 🎈", 1.5, 7, true, Buffer.from([0, 255]), Buffer.alloc(0)];
      const row = await db.get("SELECT ? a, ? b, ? c, ? d, ? e, ? f, ? g", values);
      assert.deepEqual(Object.values(row), [null, "zwölf 🎈", 1.5, 7, 1, Buffer.from([0, 255]), Buffer.alloc(0)]);
      const exact = (await db.prepare("SELECT 9223372036854775807 AS n")).safeIntegers();
      assert.deepEqual(await exact.get(), { n: 9_223_372_036_854_775_807n });
    });

    it("keeps all of an atomic batch or nothing, and every success of another", async () => {
      const insert = (name: string) => ({ sql: "INSERT INTO t (name) VALUES (?)", args: [name] });
      const results = await db.batch([insert("a"), "SELECT count(*) AS n FROM t"], "immediate");
      assert.deepEqual([results[0]?.rowsAffected, results[1]?.rows], [1, [{ n: 1 }]]);
      const error = await failure(db.batch([insert("b"), insert("a"), insert("c")], "immediate"));
      assert.equal(error.code, "SQLITE_CONSTRAINT");
      assert.deepEqual(await names(), ["a"]);
      assert.equal(db.inTransaction, false);
      await failure(db.batch([insert("b"), insert("a"), insert("c")]));
      assert.deepEqual(await names(), ["a", "b", "c"]);
    });

    it("commits and rolls back transactions of their own stream", async () => {
      const twice = db.transactionAsync(async (tx, name: string, fail: boolean) => {
        await tx.run("INSERT INTO t (name) VALUES (?)", [name]);
        assert.deepEqual(await names(), [], "nobody else sees it yet");
        await tx.batch([{ sql: "INSERT INTO t (name) VALUES (?)", args: [`${name} too`] }]);
        if (fail) throw new Error("no");
      });
      await assert.rejects(twice.immediate("a", true), /no/);
      assert.deepEqual(await names(), []);
      await twice("b", false);
      assert.deepEqual(await names(), ["b", "b too"]);
    });

    it("knows its transaction also from cursors", async () => {
      await db.run("BEGIN");
      assert.equal(db.inTransaction, true);
      await db.run("INSERT INTO t (name) VALUES ('a')");
      await db.run("COMMIT");
      assert.equal(db.inTransaction, false);
      assert.deepEqual(await names(), ["a"]);
    });

    it("reads more than fits in one piece", async () => {
      const many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n";
      const rows = await db.all(many);
      assert.deepEqual([rows.length, rows[19_999]], [20_000, { i: 20_000 }]);
      const text = "0123456789".repeat(100_000);
      await db.run("INSERT INTO t (name) VALUES (?)", [text]);
      assert.equal((await db.get("SELECT name FROM t")).name, text);
    });

    it("tells a failing statement in the stream, and a refusal by its status", async () => {
      const error = await failure(db.all("SELECT * FROM nowhere"));
      assert.deepEqual([error.name, error.code], ["DatabaseError", "SQLITE_UNKNOWN"]);
      await db.close();
      db = serverless.connect({ url, authToken: "nonsense" });
      assert.match((await failure(db.all("SELECT 1"))).message, /401/);
    });

    it("serves drop-in replacements of @libsql/client", async () => {
      const client = compat.createClient({ url, authToken: served.token });
      const made = await client.execute({ sql: "INSERT INTO t (name) VALUES (?)", args: ["a"] });
      assert.deepEqual([made.rowsAffected, made.lastInsertRowid], [1, 1n]);
      const [, listed] = await client.batch(
        ["INSERT INTO t (name) VALUES ('b')", "SELECT name FROM t ORDER BY id"],
        "write",
      );
      assert.deepEqual(
        listed?.rows.map((row) => ({ ...row })),
        [{ name: "a" }, { name: "b" }],
      );
      const error = await failure(
        client.batch(["INSERT INTO t (name) VALUES ('c')", "INSERT INTO t (name) VALUES ('a')"]),
      );
      assert.deepEqual([error.name, error.code], ["LibsqlError", "SQLITE_CONSTRAINT"]);
      const transaction = await client.transaction("write");
      await transaction.execute("INSERT INTO t (name) VALUES ('d')");
      await transaction.rollback();
      assert.deepEqual(await names(), ["a", "b"]);
      client.close();
    });
  });
});

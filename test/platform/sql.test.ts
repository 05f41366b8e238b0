import assert from "node:assert/strict";
import { localPlatform } from "../../provider/drivers/local";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import type { Platform } from "../../provider/platform/platform";
import { type Sql, type SqlStatement, SqlError, openSql } from "../../provider/platform/sql";

describe("openSql on real libSQL", () => {
  let local: LocalPlatform;
  let platform: Platform;
  let sql: Sql;

  const mint = async (lifetime: number | undefined = 600): Promise<string> =>
    (await platform.mintToken({ group: "eu" }, { access: "full-access", lifetime })).token;
  const say = (text: string, ...args: SqlStatement["args"]): SqlStatement => ({ sql: text, args });

  before(async function () {
    this.timeout(20_000);
    local = await startLocalPlatform();
    platform = localPlatform({ apiUrl: local.url, apiToken: local.apiToken });
    const [location] = await platform.listLocations();
    await platform.createGroup({ name: "eu", location: location!.code });
    const database = await platform.createDatabase({ name: "acme", group: "eu" });
    const token = await mint();
    sql = openSql({ url: platform.databaseUrl(database), token: async () => token });
    await sql.ready();
  });
  after(async () => {
    sql?.close();
    await local?.close();
  });
  beforeEach(async () => {
    await sql.batch(["DROP TABLE IF EXISTS t", "CREATE TABLE t (a INTEGER PRIMARY KEY, b)"], "write");
  });

  it("gives rows by column name and counts what changed", async () => {
    const written = await sql.execute(say("INSERT INTO t (b) VALUES (?), (?)", "x", "y"));
    assert.deepEqual(written, { rows: [], rowsAffected: 2 });
    const { rows } = await sql.execute(say("SELECT a, b FROM t ORDER BY a"));
    assert.deepEqual(rows, [
      { a: 1, b: "x" },
      { a: 2, b: "y" },
    ]);
  });

  const values: [string, SqlStatement["args"][number], string][] = [
    ["text", "grüße 🌍 '", "text"],
    ["a whole number", 7, "integer"],
    ["a large whole number", Number.MAX_SAFE_INTEGER, "integer"],
    ["a fraction", 1.5, "real"],
    ["a bigint beyond 2^53", 9_007_199_254_740_993n, "integer"],
    ["the smallest integer", -9_223_372_036_854_775_808n, "integer"],
    ["a blob", new Uint8Array([0, 1, 255]), "blob"],
    ["an empty blob", new Uint8Array(), "blob"],
    ["null", null, "null"],
  ];
  for (const [title, value, type] of values) {
    it(`keeps ${title}`, async () => {
      await sql.execute(say("INSERT INTO t (b) VALUES (?)", value));
      const { rows } = await sql.execute(say("SELECT b, typeof(b) AS type FROM t"));
      assert.deepEqual(rows, [{ b: value, type }]);
    });
  }

  it("keeps columns whose names are a trap", async () => {
    const { rows } = await sql.execute(say(`SELECT 5 AS "length", 6 AS "0", 7 AS twice, 8 AS twice, 9 AS "__proto__"`));
    const row = rows[0]!;
    assert.deepEqual([row.length, row["0"], row.twice], [5, 6, 7]);
    assert.equal(Object.getOwnPropertyDescriptor(row, "__proto__")?.value, 9);
  });

  it("gives each statement's result", async () => {
    const results = await sql.batch([say("INSERT INTO t (b) VALUES (?)", "x"), "SELECT b FROM t"], "write");
    assert.deepEqual(results, [
      { rows: [], rowsAffected: 1 },
      { rows: [{ b: "x" }], rowsAffected: 0 },
    ]);
    assert.deepEqual(await sql.batch([], "write"), []);
  });

  it("keeps nothing of a failed batch, and tells which statement failed and why", async () => {
    const work = sql.batch(
      [say("INSERT INTO t VALUES (1, 'x')"), "INSERT INTO t VALUES (1, 'y')", "DELETE FROM t"],
      "write",
    );
    const error = await work.catch((thrown: unknown) => thrown);
    assert.ok(error instanceof SqlError, String(error));
    assert.equal(error.statementIndex, 1);
    assert.match(error.message, /UNIQUE constraint failed: t\.a/);
    assert.match(error.code, /^SQLITE_CONSTRAINT/);
    assert.deepEqual((await sql.execute(say("SELECT count(*) AS n FROM t"))).rows, [{ n: 0 }]);
  });

  it("names the error of a statement that SQLite does not understand", async () => {
    const error = await sql.execute(say("SELEC 1")).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof SqlError, String(error));
    assert.match(error.message, /syntax error/);
    assert.equal(error.statementIndex, undefined);
  });

  it("mints anew after the group's tokens were rotated", async () => {
    let token = await mint();
    const rotated = openSql({
      url: local.databaseUrl("acme"),
      token: async (refused) => (refused ? (token = await mint()) : token),
    });
    await rotated.execute(say("SELECT 1"));
    await platform.rotateTokens({ group: "eu" });
    await rotated.execute(say("INSERT INTO t (b) VALUES ('after')"));
    rotated.close();
    const fresh = await mint();
    sql.close();
    sql = openSql({ url: local.databaseUrl("acme"), token: async () => fresh });
    assert.deepEqual((await sql.execute(say("SELECT b FROM t"))).rows, [{ b: "after" }]);
  });

  it("waits for a database that is created meanwhile", async () => {
    const token = await mint();
    const early = openSql({ url: local.databaseUrl("later"), token: async () => token });
    const ready = early.ready(10_000);
    await platform.createDatabase({ name: "later", group: "eu" });
    await ready;
    early.close();
  });
});

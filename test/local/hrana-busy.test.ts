import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type HranaServer, startHranaServer } from "./hrana-server";

describe("local SQL over HTTP: a statement that was refused a lock", () => {
  let server: HranaServer;
  beforeEach(async () => {
    server = await startHranaServer({ busyTimeout: 50 });
    await server.create("app");
    await server.client("app").execute("CREATE TABLE t (x UNIQUE)");
  });
  afterEach(() => server.close());

  const ask = async (baton: string | null, ...sqls: string[]) => {
    const requests = sqls.map((sql) => ({ type: "execute", stmt: { sql } }));
    const { text } = await server.post("app", { baton, requests });
    const answer = JSON.parse(text) as { baton: string; results: { type: string; error?: { code: string } }[] };
    return { baton: answer.baton, outcomes: answer.results.map(({ type, error }) => error?.code ?? type) };
  };
  const stored = async () => (await server.client("app").execute("SELECT x FROM t ORDER BY x")).rows.map(({ x }) => x);

  it("is kept when it gets the lock while it waits", async () => {
    await server.close();
    server = await startHranaServer({ busyTimeout: 20_000 });
    await server.create("app");
    await server.client("app").execute("CREATE TABLE t (x UNIQUE)");
    const holder = await ask(null, "BEGIN IMMEDIATE", "INSERT INTO t VALUES ('first')");
    const waiting = ask(null, "INSERT INTO t VALUES ('second')");
    const returning = ask(null, "INSERT INTO t VALUES ('third') RETURNING x");
    await ask(holder.baton, "COMMIT");
    assert.deepEqual([(await waiting).outcomes, (await returning).outcomes], [["ok"], ["ok"]]);
    assert.deepEqual(await stored(), ["first", "second", "third"]);
  });

  for (const refused of ["INSERT INTO t VALUES ('refused')", "INSERT INTO t VALUES ('refused') RETURNING x"]) {
    it(`does not undo what its connection writes later: ${refused}`, async () => {
      const holder = await ask(null, "BEGIN IMMEDIATE", "INSERT INTO t VALUES ('first')");
      const stream = await ask(null, refused);
      assert.deepEqual(stream.outcomes, ["SQLITE_BUSY"]);
      await ask(holder.baton, "COMMIT");
      assert.deepEqual((await ask(stream.baton, "INSERT INTO t VALUES ('later')")).outcomes, ["ok"]);
      assert.deepEqual(await stored(), ["first", "later"]);
    });

    it(`does not keep its transaction from being committed: ${refused}`, async () => {
      const holder = await ask(null, "BEGIN IMMEDIATE", "INSERT INTO t VALUES ('first')");
      const stream = await ask(null, "BEGIN", refused);
      assert.deepEqual(stream.outcomes, ["ok", "SQLITE_BUSY"]);
      await ask(holder.baton, "COMMIT");
      const ended = await ask(stream.baton, "INSERT INTO t VALUES ('later')", "COMMIT");
      assert.deepEqual(ended.outcomes, ["ok", "ok"]);
      assert.deepEqual(await stored(), ["first", "later"]);
    });
  }

  it("leaves query_only as its connection has set it", async () => {
    const holder = await ask(null, "BEGIN IMMEDIATE");
    const stream = await ask(null, "INSERT INTO t VALUES (1)", "PRAGMA query_only = 1", "INSERT INTO t VALUES (2)");
    assert.deepEqual(stream.outcomes, ["SQLITE_BUSY", "ok", "SQLITE_READONLY"]);
    await ask(holder.baton, "ROLLBACK");
    const later = await ask(
      stream.baton,
      "INSERT INTO t VALUES (3)",
      "PRAGMA query_only = 0",
      "INSERT INTO t VALUES (4)",
    );
    assert.deepEqual(later.outcomes, ["SQLITE_READONLY", "ok", "ok"]);
    assert.deepEqual(await stored(), [4]);
  });
});

import assert from "node:assert/strict";
import { mkdir, unlink } from "node:fs/promises";
import Database from "libsql";
import { full, type HranaServer, startHranaServer } from "./hrana-server";

interface Reply {
  readonly baton: string | null;
  readonly results: { type: string; response?: Record<string, unknown>; error?: { message: string; code: string } }[];
}

describe("local SQL over HTTP, stream by stream", () => {
  let server: HranaServer;

  const start = async (options: { streamTimeout?: number; maxOpen?: number } = {}): Promise<void> => {
    server = await startHranaServer({ busyTimeout: 100, ...options });
    for (const id of ["app", "other"]) await server.create(id);
  };
  afterEach(() => server.close());

  const pipeline = async (id: string, baton: string | null, requests: unknown[]): Promise<Reply> => {
    const answer = await server.post(id, { baton, requests });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.type, "application/json");
    return JSON.parse(answer.text) as Reply;
  };
  const execute = (sql: string): unknown => ({ type: "execute", stmt: { sql } });
  const errors = (reply: Reply): (string | undefined)[] => reply.results.map(({ error }) => error?.code);

  it("keeps a stream's connection from one baton to the next", async () => {
    await start();
    const first = await pipeline("app", null, [execute("CREATE TEMP TABLE mine (x)"), execute("BEGIN")]);
    assert.ok(first.baton);
    const second = await pipeline("app", first.baton, [execute("SELECT * FROM mine"), { type: "get_autocommit" }]);
    assert.deepEqual(errors(second), [undefined, undefined]);
    assert.equal(second.results[1]?.response?.is_autocommit, false);
    assert.notEqual(second.baton, first.baton);
    const last = await pipeline("app", second.baton, [execute("COMMIT"), { type: "close" }]);
    assert.equal(last.baton, null);
  });

  it("hands no setting on to the next stream, whichever way it was set", async () => {
    await start();
    const settings = ["PRAGMA query_only = 1", "PRAGMA foreign_keys = 1"];
    for (const sql of settings) {
      for (const request of [
        execute(sql),
        execute(`EXPLAIN ${sql}`),
        execute(`EXPLAIN QUERY PLAN ${sql}`),
        { type: "describe", sql },
        { type: "describe", sql: `EXPLAIN ${sql}` },
      ]) {
        await pipeline("app", null, [execute("SELECT 1"), request, { type: "close" }]);
        const next = await pipeline("app", null, [
          execute("CREATE TABLE IF NOT EXISTS t (x)"),
          execute("DELETE FROM t"),
          execute("PRAGMA foreign_keys"),
        ]);
        assert.deepEqual(errors(next), [undefined, undefined, undefined], JSON.stringify(request));
        const { rows } = next.results[2]?.response?.result as { rows: { value: string }[][] };
        assert.equal(rows[0]?.[0]?.value, "0", JSON.stringify(request));
        await pipeline("app", next.baton, [{ type: "close" }]);
      }
    }
  });

  it("takes only the newest baton, and only of the same database and access", async () => {
    await start();
    const first = await pipeline("app", null, [execute("BEGIN IMMEDIATE")]);
    const second = await pipeline("app", first.baton, [execute("SELECT 1")]);
    const request = { requests: [execute("SELECT 1")] };

    const used = await server.post("app", { baton: first.baton, ...request });
    assert.deepEqual([used.status, used.type], [400, "text/plain"]);
    assert.match(used.text, /already been used/);
    for (const [database, access, baton] of [
      ["other", full, second.baton],
      ["app", { ...full, write: false }, second.baton],
      ["app", { ...full, blockWrites: true }, second.baton],
      ["app", full, "made up"],
      ["app", full, `${second.baton}x`],
    ] as const) {
      server.access = access;
      const refused = await server.post(database, { baton, ...request });
      assert.deepEqual([refused.status, refused.text], [400, "Received an invalid baton"]);
    }
    server.access = full;
    // None of the attempts has harmed the stream.
    assert.deepEqual(errors(await pipeline("app", second.baton, [execute("COMMIT")])), [undefined]);
  });

  it("lets one of two requests with the same baton through", async () => {
    await start();
    const { baton } = await pipeline("app", null, [execute("SELECT 1")]);
    const holder = await pipeline("app", null, [execute("BEGIN IMMEDIATE")]);
    const both = await Promise.all(
      [1, 2].map(() => server.post("app", { baton, requests: [execute("BEGIN IMMEDIATE")] })),
    );
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400]);
    await pipeline("app", holder.baton, [{ type: "close" }]);
  });

  it("expires an idle stream and rolls its transaction back", async () => {
    await start({ streamTimeout: 40 });
    await pipeline("app", null, [execute("CREATE TABLE t (x)"), { type: "close" }]);
    const { baton } = await pipeline("app", null, [execute("BEGIN IMMEDIATE"), execute("INSERT INTO t VALUES (1)")]);
    // The next writer gets the lock only once the stream has expired.
    const next = await pipeline("app", null, [execute("INSERT INTO t VALUES (2)"), execute("SELECT x FROM t")]);
    assert.deepEqual(errors(next), [undefined, undefined]);
    assert.deepEqual((next.results[1]?.response?.result as { rows: unknown }).rows, [
      [{ type: "integer", value: "2" }],
    ]);
    const late = await server.post("app", { baton, requests: [] });
    assert.deepEqual([late.status, late.type], [400, "application/json"]);
    assert.equal((JSON.parse(late.text) as { code: string }).code, "STREAM_EXPIRED");
  });

  it("runs the requests after a failing one, and none after a close", async () => {
    await start();
    const reply = await pipeline("app", null, [
      execute("SELECT * FROM nowhere"),
      execute("SELECT 1"),
      { type: "close" },
      execute("SELECT 1"),
    ]);
    assert.deepEqual(errors(reply), ["SQLITE_UNKNOWN", undefined, undefined, "STREAM_CLOSED"]);
  });

  it("decides each step of a batch by its condition", async () => {
    await start();
    const ok = { type: "ok", step: 0 };
    const failed = { type: "error", step: 1 };
    const cases: [condition: unknown, runs: boolean][] = [
      [ok, true],
      [{ type: "ok", step: 1 }, false],
      [failed, true],
      [{ type: "error", step: 0 }, false],
      [{ type: "not", cond: ok }, false],
      [{ type: "and", conds: [ok, failed] }, true],
      [{ type: "and", conds: [ok, { type: "not", cond: failed }] }, false],
      [{ type: "and", conds: [] }, true],
      [{ type: "or", conds: [{ type: "ok", step: 1 }, failed] }, true],
      [{ type: "or", conds: [] }, false],
      [{ type: "is_autocommit" }, true],
      // A skipped step (the third) is neither ok nor an error.
      [
        {
          type: "or",
          conds: [
            { type: "ok", step: 3 },
            { type: "error", step: 3 },
          ],
        },
        false,
      ],
    ];
    const steps = [
      { stmt: { sql: "SELECT 0" } },
      { stmt: { sql: "SELECT * FROM nowhere" } },
      ...cases.map(([condition], i) => ({ stmt: { sql: `SELECT ${i}` }, condition })),
    ];
    const reply = await pipeline("app", null, [{ type: "batch", batch: { steps } }, { type: "close" }]);
    const result = reply.results[0]?.response?.result as { step_results: unknown[]; step_errors: unknown[] };
    assert.deepEqual(
      result.step_results.slice(2).map((step) => step !== null),
      cases.map(([, runs]) => runs),
    );
    assert.equal(result.step_errors.filter((error) => error !== null).length, 1);
  });

  it("stores SQL texts for one stream", async () => {
    await start();
    const store = (id: number, sql: string): unknown => ({ type: "store_sql", sql_id: id, sql });
    const reply = await pipeline("app", null, [
      store(0, "SELECT 7"),
      { type: "execute", stmt: { sql_id: 0 } },
      { type: "sequence", sql_id: 0 },
      { type: "close_sql", sql_id: 0 },
      store(0, "SELECT 8"),
      store(1, "x".repeat(6000)),
    ]);
    assert.deepEqual(errors(reply).slice(0, 5), new Array(5).fill(undefined));
    assert.equal(errors(reply)[5], "SQL_STORE_TOO_LARGE");
    const unknown = await server.post("app", { baton: null, requests: [{ type: "execute", stmt: { sql_id: 0 } }] });
    assert.deepEqual([unknown.status, unknown.type], [400, "text/plain"]);
  });

  it("describes a statement without running it", async () => {
    await start();
    await pipeline("app", null, [execute("CREATE TABLE t (a INTEGER, b TEXT)"), { type: "close" }]);
    const describe = (sql: string): unknown => ({ type: "describe", sql });
    const reply = await pipeline("app", null, [
      describe("SELECT a, b || :x FROM t WHERE a = ? AND b = $y"),
      describe("INSERT INTO t VALUES (?1, ?2) RETURNING a"),
      describe("EXPLAIN INSERT INTO t VALUES (1, 2)"),
      execute("SELECT count(*) FROM t"),
      { type: "close" },
    ]);
    const [read, write, explain] = reply.results.map(({ response }) => response?.result as Record<string, unknown>);
    assert.deepEqual(read, {
      params: [{ name: ":x" }, { name: null }, { name: "$y" }],
      cols: [
        { name: "a", decltype: "INTEGER" },
        { name: "b || :x", decltype: null },
      ],
      is_explain: false,
      is_readonly: true,
    });
    assert.deepEqual([write?.is_readonly, write?.params], [false, [{ name: "?1" }, { name: "?2" }]]);
    assert.deepEqual([explain?.is_readonly, explain?.is_explain], [true, true]);
  });

  it("commits what is written after a writing statement was explained or described", async () => {
    await start();
    await pipeline("app", null, [execute("CREATE TABLE t (x)"), { type: "close" }]);
    const asked = ["INSERT INTO t VALUES (1)", "UPDATE t SET x = 2", "DELETE FROM t", "CREATE TABLE u (x)"].flatMap(
      (sql) => [
        execute(`EXPLAIN ${sql}`),
        execute(`EXPLAIN QUERY PLAN ${sql}`),
        { type: "execute", stmt: { sql: `EXPLAIN ${sql}`, want_rows: false } },
        { type: "sequence", sql: `EXPLAIN ${sql}` },
        { type: "describe", sql },
        { type: "describe", sql: `EXPLAIN ${sql}` },
      ],
    );
    // As any other process sees it.
    const committed = (): unknown => {
      const file = new Database(server.file("app"));
      try {
        return (file.prepare("SELECT count(*) FROM t").raw().get([]) as unknown[])[0];
      } finally {
        file.close();
      }
    };
    let written = 0;
    for (const request of asked) {
      const insert = execute("INSERT INTO t VALUES (1)");
      const same = await pipeline("app", null, [request, insert]);
      assert.equal(committed(), ++written, `in the same stream: ${JSON.stringify(request)}`);
      await pipeline("app", same.baton, [{ type: "close" }]);
      await pipeline("app", null, [request, { type: "close" }]);
      await pipeline("app", null, [insert, { type: "close" }]);
      assert.equal(committed(), ++written, `in the next one: ${JSON.stringify(request)}`);
    }
    await server.post("app", { batch: { steps: [{ stmt: { sql: "EXPLAIN DELETE FROM t" } }] } }, "v3/cursor");
    await pipeline("app", null, [execute("INSERT INTO t VALUES (1)"), { type: "close" }]);
    assert.equal(committed(), ++written, "behind a cursor");
  });

  it("goes on behind an answer that was cut short, in a transaction that has written a full-text table too", async () => {
    await start();
    const large = "zeroblob(11000000)";
    const begin = ["BEGIN IMMEDIATE", "INSERT INTO words VALUES ('some')"];
    const values = "VALUES (1), (2), (3)";
    await pipeline("app", null, [
      execute("CREATE VIRTUAL TABLE words USING fts5 (body)"),
      execute("CREATE TABLE t (x)"),
      { type: "close" },
    ]);
    const read = await pipeline("app", null, [...begin, `SELECT ${large} FROM (${values})`].map(execute));
    assert.deepEqual(errors(read), [undefined, undefined, "RESPONSE_TOO_LARGE"]);
    const goesOn = await pipeline("app", read.baton, [execute("INSERT INTO t VALUES (1)"), execute("COMMIT")]);
    assert.deepEqual(errors(goesOn), [undefined, undefined]);
    await pipeline("app", goesOn.baton, [{ type: "close" }]);
    // A write ends as an interrupted one would: its transaction with it.
    const written = await pipeline("app", null, [...begin, `INSERT INTO t ${values} RETURNING ${large}`].map(execute));
    assert.deepEqual(errors(written), [undefined, undefined, "RESPONSE_TOO_LARGE"]);
    const after = await pipeline("app", written.baton, [{ type: "get_autocommit" }, { type: "close" }]);
    assert.equal(after.results[0]?.response?.is_autocommit, true);
    const last = await pipeline("app", null, [execute("DELETE FROM t RETURNING x"), { type: "close" }]);
    assert.equal((last.results[0]?.response?.result as { rows: unknown[] }).rows.length, 1);
  });

  it("refuses what is no pipeline with 400 and plain text", async () => {
    await start();
    for (const body of [
      null,
      {},
      { requests: [{ type: "dance" }] },
      { requests: [{ type: "execute", stmt: {} }] },
      { requests: [{ type: "execute", stmt: { sql: "SELECT ?", args: [{ type: "integer", value: "x" }] } }] },
      {
        requests: [
          { type: "batch", batch: { steps: [{ stmt: { sql: "SELECT 1" }, condition: { type: "ok", step: 0 } }] } },
        ],
      },
    ]) {
      const answer = await server.post("app", body);
      assert.deepEqual([answer.status, answer.type], [400, "text/plain"], JSON.stringify(body));
    }
  });

  it("answers 404 for a file that is not there, and makes none", async () => {
    await start();
    const answer = await server.post("ghost", { baton: null, requests: [execute("SELECT 1")] });
    assert.equal(answer.status, 404);
    await assert.rejects(unlink(server.file("ghost")), /ENOENT/);
  });

  it("does not tell where a file lies that cannot be opened", async () => {
    await start();
    await mkdir(server.file("folder"));
    const request = execute("SELECT 1");
    for (const text of [
      (await server.post("folder", { requests: [request] })).text,
      (await server.post("folder", { batch: { steps: [{ stmt: { sql: "SELECT 1" } }] } }, "v3/cursor")).text,
    ]) {
      assert.match(text, /"SQLITE_CANTOPEN"/);
      assert.ok(!text.includes(server.directory), text);
    }
  });

  it("forgets a database: its streams end, a waiting statement included", async () => {
    await start();
    const holder = await pipeline("app", null, [execute("BEGIN IMMEDIATE")]);
    const waiting = pipeline("app", null, [execute("BEGIN IMMEDIATE"), execute("SELECT 1")]);
    const elsewhere = await pipeline("other", null, [execute("BEGIN IMMEDIATE")]);
    server.pipelines.forget("app");
    const codes = errors(await waiting);
    assert.ok(codes[0] === "STREAM_CLOSED" || codes[0] === undefined, String(codes));
    const late = await server.post("app", { baton: holder.baton, requests: [] });
    assert.match(late.text, /STREAM_EXPIRED/);
    assert.deepEqual(errors(await pipeline("other", elsewhere.baton, [execute("COMMIT")])), [undefined]);
  });

  it("serves more databases than it keeps open", async () => {
    await start({ maxOpen: 2 });
    const ids = ["a", "b", "c", "d", "e"];
    for (const id of ids) await server.create(id);
    for (let round = 0; round < 3; round++) {
      for (const id of ids) {
        const sql = ["CREATE TABLE IF NOT EXISTS t (x)", `INSERT INTO t VALUES ('${id}')`, "SELECT DISTINCT x FROM t"];
        const reply = await pipeline(id, null, [...sql.map(execute), { type: "close" }]);
        assert.deepEqual((reply.results[2]?.response?.result as { rows: unknown }).rows, [
          [{ type: "text", value: id }],
        ]);
      }
    }
  });

  it("answers 503 once closed", async () => {
    await start();
    await pipeline("app", null, [execute("BEGIN IMMEDIATE")]);
    server.pipelines.close();
    server.pipelines.close();
    assert.equal((await server.post("app", { baton: null, requests: [] })).status, 503);
  });
});

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type HranaServer, startHranaServer } from "./hrana-server";

interface Entry {
  readonly type?: string;
  readonly step?: number;
  readonly baton?: string | null;
  readonly row?: { value?: string }[];
  readonly cols?: { name: string; decltype: string | null }[];
  readonly affected_row_count?: number;
  readonly last_insert_rowid?: string | null;
  readonly error?: { message: string; code: string };
}

describe("local SQL over HTTP: cursors", () => {
  let server: HranaServer;
  beforeEach(async () => {
    server = await startHranaServer({ busyTimeout: 100 });
    await server.create("app");
  });
  afterEach(() => server.close());

  const cursor = async (steps: unknown[], baton: string | null = null): Promise<Entry[]> => {
    const answer = await server.post("app", { baton, batch: { steps } }, "v3/cursor");
    assert.equal(answer.status, 200, answer.text);
    const lines = answer.text.split("\n");
    assert.equal(lines.pop(), "", "every line ends");
    return lines.map((line) => JSON.parse(line) as Entry);
  };
  const step = (sql: string, condition?: unknown): unknown => ({ stmt: { sql }, condition });
  const close = (baton: string | null | undefined) => server.post("app", { baton, requests: [{ type: "close" }] });

  it("tells what each step begins with, its rows, and its end", async () => {
    const [head, ...entries] = await cursor([
      step("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)"),
      step("INSERT INTO t (x) VALUES ('one'), ('two')"),
      step("SELECT id, x FROM t"),
    ]);
    assert.deepEqual(
      entries.map(({ type }) => type),
      ["step_begin", "step_end", "step_begin", "step_end", "step_begin", "row", "row", "step_end"],
    );
    assert.deepEqual([entries[3]?.affected_row_count, entries[3]?.last_insert_rowid], [2, "2"]);
    assert.deepEqual(entries[4]?.cols, [
      { name: "id", decltype: "INTEGER" },
      { name: "x", decltype: "TEXT" },
    ]);
    assert.deepEqual(entries[5]?.row, [
      { type: "integer", value: "1" },
      { type: "text", value: "one" },
    ]);
    assert.ok(head?.baton);
    await close(head.baton);
  });

  it("decides each step by its condition, and tells an error in its place", async () => {
    const [head, ...entries] = await cursor([
      step("SELECT 1"),
      step("SELECT * FROM nowhere", { type: "ok", step: 0 }),
      step("SELECT 2", { type: "ok", step: 1 }),
      step("SELECT 3", { type: "error", step: 1 }),
    ]);
    assert.deepEqual(
      entries.map(({ type, step }) => [type, step]),
      [
        ["step_begin", 0],
        ["row", undefined],
        ["step_end", undefined],
        ["step_error", 1],
        ["step_begin", 3],
        ["row", undefined],
        ["step_end", undefined],
      ],
    );
    assert.equal(entries[3]?.error?.code, "SQLITE_UNKNOWN");
    await close(head?.baton);
  });

  it("goes on with its stream, in a pipeline or another cursor", async () => {
    const [first] = await cursor([step("CREATE TABLE t (x)"), step("BEGIN"), step("INSERT INTO t VALUES (7)")]);
    const [second, ...entries] = await cursor([step("SELECT x FROM t")], first?.baton);
    assert.deepEqual(entries[1]?.row, [{ type: "integer", value: "7" }]);
    const body = {
      baton: second?.baton,
      requests: [{ type: "execute", stmt: { sql: "ROLLBACK" } }, { type: "close" }],
    };
    assert.equal((await server.post("app", body)).status, 200);
    const used = await server.post("app", { baton: first?.baton, batch: { steps: [] } }, "v3/cursor");
    assert.equal(used.status, 400);
  });

  it("leaves rows out that are not wanted", async () => {
    const [head, ...entries] = await cursor([{ stmt: { sql: "SELECT 1", want_rows: false } }]);
    assert.deepEqual(
      entries.map(({ type }) => type),
      ["step_begin", "step_end"],
    );
    await close(head?.baton);
  });

  it("ends a stream whose reader goes away, and what it was doing", async () => {
    const rows = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r";
    const target = {
      databaseId: "app",
      file: server.file("app"),
      access: { write: true, blockReads: false, blockWrites: false },
    };
    const body = JSON.stringify({
      batch: { steps: [step("BEGIN IMMEDIATE"), step("CREATE TABLE t (x)"), step(rows)] },
    });
    const answer = await server.pipelines.cursor(target, body);
    let lines = 0;
    for await (const line of answer.body as AsyncIterable<string>) {
      assert.ok(line.endsWith("\n"));
      if (++lines > 1000) break;
    }
    assert.equal(server.pipelines.streams("app"), 0);
    // Rolled back, and nothing holds the lock.
    const [head] = await cursor([step("CREATE TABLE t (y)")]);
    await close(head?.baton);
  });

  it("survives that its database is forgotten in the middle", async () => {
    const rows = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r";
    const target = {
      databaseId: "app",
      file: server.file("app"),
      access: { write: true, blockReads: false, blockWrites: false },
    };
    const answer = await server.pipelines.cursor(target, JSON.stringify({ batch: { steps: [step(rows)] } }));
    let last = "";
    let lines = 0;
    for await (const line of answer.body as AsyncIterable<string>) {
      if (++lines === 1000) server.pipelines.forget("app");
      last = line;
    }
    assert.match(last, /"type":"step_error".*"STREAM_CLOSED"/);
  });

  it("refuses what is no cursor", async () => {
    for (const body of [null, {}, { batch: {} }, { batch: { steps: [{}] } }]) {
      const answer = await server.post("app", body, "v3/cursor");
      assert.deepEqual([answer.status, answer.type], [400, "text/plain"], JSON.stringify(body));
    }
    const ghost = await server.post("ghost", { batch: { steps: [step("SELECT 1")] } }, "v3/cursor");
    assert.equal(ghost.status, 404);
  });
});

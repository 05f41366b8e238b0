import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import {
  createSqlProcesses,
  type SqlAnswer,
  type SqlProcesses,
  type SqlProcessesOptions,
} from "../../provider/local/processes/sql-processes";
import { startSqlProcess } from "../../provider/local/processes/sql-process";

interface Reply {
  readonly baton: string | null;
  readonly results: {
    readonly type: string;
    readonly response?: { readonly result?: { readonly rows: { value?: string }[][] } };
    readonly error?: { readonly code: string };
  }[];
}

const endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r";

describe("processes that run SQL", function () {
  // A process takes its time to start on a busy machine; only a hang is a failure.
  this.timeout(120_000);
  let directory: string;
  let processes: SqlProcesses;

  const open = (options?: SqlProcessesOptions): void => void (processes = createSqlProcesses(options));
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenantry-processes-"));
    for (const id of ["a", "b", "c", "d", "e"]) await writeFile(join(directory, `${id}.db`), "");
  });
  afterEach(async () => {
    await processes.close();
    await rm(directory, { recursive: true, force: true });
  });

  const ask = (id: string, sql: readonly string[], options: { baton?: string | null; close?: boolean } = {}) => {
    const requests = [
      ...sql.map((text) => ({ type: "execute", stmt: { sql: text } })),
      ...(options.close === false ? [] : [{ type: "close" }]),
    ];
    return processes.ask("pipeline", {
      databaseId: id,
      file: join(directory, `${id}.db`),
      access: { write: true, blockReads: false, blockWrites: false },
      body: JSON.stringify({ baton: options.baton ?? null, requests }),
    });
  };
  const run = async (id: string, sql: readonly string[], options = {}): Promise<Reply> => {
    const answer = await ask(id, sql, options);
    assert.equal(answer.status, 200, String(answer.body));
    const reply = JSON.parse(String(answer.body)) as Reply;
    for (const { error } of reply.results) assert.equal(error, undefined);
    return reply;
  };
  const value = ({ results }: Reply, at = 0): string | undefined => results[at]?.response?.result?.rows[0]?.[0]?.value;
  const codeOf = ({ body }: SqlAnswer): string => (JSON.parse(String(body)) as { code: string }).code;

  it("a statement without an end holds up its own database alone, and is ended", async () => {
    open({ statementTimeout: 1_500 });
    let isOver = false;
    const slow = ask("a", [endless]).finally(() => (isOver = true));
    for (const id of ["b", "c", "d", "e", "b", "c", "d", "e"]) {
      assert.equal(value(await run(id, ["SELECT 1"])), "1");
    }
    assert.equal(isOver, false, "the others were served while it ran");
    const answer = await slow;
    assert.deepEqual([answer.status, codeOf(answer)], [500, "SQL_TIMEOUT"]);
    assert.equal(value(await run("a", ["SELECT 2"])), "2");
  });

  it("more statements without an end than processes hold up the rest only until they are ended", async () => {
    open({ statementTimeout: 1_000, most: 2 });
    const slow = ["a", "b", "c"].map((id) => ask(id, [endless]));
    assert.equal(value(await run("d", ["SELECT 1"])), "1");
    for (const answer of await Promise.all(slow)) assert.equal(codeOf(answer), "SQL_TIMEOUT");
  });

  it("a transaction that is open in one process is not held up by another database's slow statement", async () => {
    open({ statementTimeout: 1_500 });
    const { baton } = await run("b", ["CREATE TABLE t (x)", "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)"], {
      close: false,
    });
    let isOver = false;
    const slow = ask("a", [endless]).finally(() => (isOver = true));
    await run("b", ["INSERT INTO t VALUES (2)", "COMMIT"], { baton });
    assert.equal(isOver, false);
    await slow;
    assert.equal(value(await run("b", ["SELECT count(*) FROM t"])), "2");
  });

  it("a result that ends the process costs its own request alone", async () => {
    open();
    const { baton } = await run("b", ["CREATE TABLE t (x)", "BEGIN", "INSERT INTO t VALUES (1)"], { close: false });
    await run("a", ["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"]);
    const answer = await ask("a", ["INSERT INTO t VALUES (2)", "SELECT CAST(x'ff' AS TEXT)"]);
    assert.deepEqual([answer.status, codeOf(answer)], [500, "SQL_PROCESS_ENDED"]);
    await run("b", ["COMMIT"], { baton });
    assert.equal(value(await run("b", ["SELECT count(*) FROM t"])), "1");
    assert.equal(value(await run("a", ["SELECT count(*) FROM t"])), "2");
  });

  it("a stream of a process that ended has expired", async () => {
    open();
    const { baton } = await run("a", ["CREATE TABLE t (x)", "BEGIN", "INSERT INTO t VALUES (1)"], { close: false });
    await ask("a", ["SELECT CAST(x'ff' AS TEXT)"]);
    const late = await ask("a", ["COMMIT"], { baton });
    assert.deepEqual([late.status, codeOf(late)], [400, "STREAM_EXPIRED"]);
    assert.equal(value(await run("a", ["SELECT count(*) FROM t"])), "0");
  });

  it("writers of one database wait for each other, not the other databases for them", async () => {
    open({ most: 2 });
    const { baton } = await run("a", ["CREATE TABLE t (x)", "BEGIN IMMEDIATE"], { close: false });
    const waiting = Promise.all(Array.from({ length: 5 }, (_, x) => run("a", [`INSERT INTO t VALUES (${x})`])));
    for (let i = 0; i < 3; i++) for (const id of ["b", "c", "d", "e"]) await run(id, ["SELECT 1"]);
    await run("a", ["COMMIT"], { baton });
    await waiting;
    assert.equal(value(await run("a", ["SELECT count(*) FROM t"])), "5");
  });

  it("lets nobody in while a file is replaced, and ends the streams on the old one", async () => {
    open();
    const { baton } = await run("a", ["CREATE TABLE old (x)", "BEGIN"], { close: false });
    let replaced = false;
    let asked: Promise<Reply> | undefined;
    await processes.exclusively("a", async () => {
      asked = run("a", ["SELECT count(*) FROM sqlite_schema"]);
      void asked.then(() => assert.equal(replaced, true));
      // Every other database is served meanwhile.
      await run("b", ["SELECT 1"]);
      for (const suffix of ["", "-wal", "-shm"]) await rm(join(directory, `a.db${suffix}`), { force: true });
      await writeFile(join(directory, "a.db"), "");
      replaced = true;
    });
    assert.ok(asked);
    assert.equal(value(await asked), "0");
    const late = await ask("a", ["COMMIT"], { baton });
    assert.equal(codeOf(late), "STREAM_EXPIRED");
  });

  it("does not wait for a statement without an end before it closes a database's files", async () => {
    open();
    const slow = ask("a", [endless]);
    // It runs once another database had to be served elsewhere.
    await run("b", ["SELECT 1"]);
    await processes.exclusively("a", () => undefined);
    assert.equal(codeOf(await slow), "SQL_PROCESS_ENDED");
  });

  it("tells a long answer in parts, as they are read, and stops with its reader", async () => {
    open();
    const call = {
      databaseId: "a",
      file: join(directory, "a.db"),
      access: { write: true, blockReads: false, blockWrites: false },
      body: JSON.stringify({
        batch: {
          steps: [{ stmt: { sql: `WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r` } }],
        },
      }),
    };
    const answer = await processes.ask("cursor", call);
    assert.equal(answer.status, 200);
    assert.notEqual(typeof answer.body, "string");
    let read = 0;
    for await (const part of answer.body as AsyncIterable<string>) {
      read += part.length;
      // While it waits for its reader, nobody waits for it.
      assert.equal(value(await run("b", ["SELECT 1"])), "1");
      if (read > 500_000) break;
    }
    // Its stream is gone: nothing keeps the database from being written.
    await run("a", ["CREATE TABLE t (x)"]);
  });

  it("a statement without an end is ended although others ask for the same database all the while", async () => {
    open({ statementTimeout: 1_000 });
    await run("a", ["SELECT 1"]);
    let isOver = false;
    const slow = ask("a", [endless]).finally(() => (isOver = true));
    const others: Promise<SqlAnswer>[] = [];
    const deadline = performance.now() + 10_000;
    while (!isOver && performance.now() < deadline) {
      others.push(ask("a", ["SELECT 1"]));
      await sleep(100);
    }
    assert.equal(isOver, true);
    assert.equal(codeOf(await slow), "SQL_TIMEOUT");
    await Promise.all(others);
  });

  it("closing a database's files costs no other database its statement", async () => {
    open({ statementTimeout: 4_000 });
    await run("a", ["SELECT 1"]);
    const slow = ask("b", [endless]);
    await processes.exclusively("a", () => undefined);
    // It ran until its own time was up.
    assert.equal(codeOf(await slow), "SQL_TIMEOUT");
  });

  it("a database whose streams were ended keeps its process for itself no longer", async () => {
    open();
    const one = startSqlProcess({ batonKey: "", maxOpen: 1, streamTimeout: 600_000 }, 60_000, {
      onChange: () => undefined,
      onUsage: () => undefined,
      onEnd: () => undefined,
    });
    try {
      const call = {
        databaseId: "a",
        file: join(directory, "a.db"),
        access: { write: true, blockReads: false, blockWrites: false },
        body: JSON.stringify({ requests: [{ type: "execute", stmt: { sql: "BEGIN" } }] }),
      };
      await new Promise<void>((part, failed) => one.ask({ verb: "pipeline", call }, { part: () => part(), failed }));
      assert.equal(one.holds("a"), true);
      await one.forget("a");
      assert.equal(one.holds("a"), false);
    } finally {
      await one.end();
    }
  });

  it("a dump that fails costs its own answer alone, and says why", async () => {
    open({ most: 1 });
    const { baton } = await run("b", ["CREATE TABLE t (x)", "BEGIN", "INSERT INTO t VALUES (1)"], { close: false });
    await run("a", ["CREATE TABLE big (x)", "INSERT INTO big VALUES (zeroblob(100000))"]);
    await run("a", ["CREATE VIRTUAL TABLE f USING fts5 (x, content='missing')"]);
    await run("c", ["CREATE VIRTUAL TABLE f USING fts5 (x, content='missing')"]);
    const dumpOf = (id: string): Promise<SqlAnswer> =>
      processes.ask("dump", {
        databaseId: id,
        file: join(directory, `${id}.db`),
        access: { write: true, blockReads: false, blockWrites: false },
        body: "",
      });
    const small = await dumpOf("c");
    assert.equal(small.status, 500);
    assert.match(String(small.body), /no such table: main\.missing/);
    // What has begun cannot be taken back, but must not pass for the whole.
    const large = await dumpOf("a");
    assert.equal(large.status, 200);
    await assert.rejects(async () => {
      for await (const part of large.body as AsyncIterable<string>) assert.notEqual(part, "");
    }, /broke off.*no such table/);
    await run("b", ["COMMIT"], { baton });
  });

  it("tells what statements cost", async () => {
    const told: { databaseId: string; sql: string; rowsRead: number; rowsWritten: number }[] = [];
    open({
      onUsage: (usage) => {
        for (const { databaseId, statements } of usage)
          told.push(...statements.map((each) => ({ databaseId, ...each })));
      },
    });
    await run("a", ["CREATE TABLE t (x)", "INSERT INTO t VALUES (1), (2)", "SELECT x FROM t", "SELECT x FROM t"]);
    while (told.length < 3) await sleep(20);
    assert.deepEqual(told.slice(1), [
      { databaseId: "a", sql: "INSERT INTO t VALUES (1), (2)", rowsRead: 0, rowsWritten: 2 },
      { databaseId: "a", sql: "SELECT x FROM t", rowsRead: 4, rowsWritten: 0 },
    ]);
  });

  it("answers 503 once closed, and closes in the middle of a statement", async () => {
    open();
    const slow = ask("a", [endless]);
    await run("b", ["SELECT 1"]);
    await processes.close();
    assert.equal(codeOf(await slow), "SQL_PROCESS_ENDED");
    assert.equal((await ask("a", ["SELECT 1"])).status, 503);
  });
});

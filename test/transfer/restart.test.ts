import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { transfer } from "../../provider/transfer/transfer";
import type { Fate } from "../support/faulty-line";
import { rowsOf, run, withPair } from "./pair";

/** Several pages, and rows of all sizes. */
const tables = [
  "CREATE TABLE many (id INTEGER PRIMARY KEY, text TEXT)",
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700) INSERT INTO many SELECT i * 3, 'row ' || i FROM n",
  "CREATE TABLE large (name TEXT PRIMARY KEY, data BLOB) WITHOUT ROWID",
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) INSERT INTO large SELECT 'l' || i, randomblob(250000) FROM n",
  "CREATE VIRTUAL TABLE search USING fts5 (text, content='many', content_rowid='id')",
  "INSERT INTO search (search) VALUES ('rebuild')",
  "CREATE VIRTUAL TABLE bare USING fts5 (text, content='')",
  "INSERT INTO bare (rowid, text) SELECT id, text FROM many",
  "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, n)",
  "INSERT INTO counted (n) VALUES (1), (2)",
  "CREATE INDEX many_by_text ON many (text)",
  "CREATE TRIGGER counts AFTER INSERT ON many BEGIN INSERT INTO counted (n) VALUES (new.id); END",
];

const state = async (sql: Parameters<typeof rowsOf>[0]): Promise<unknown[]> => [
  ...(await rowsOf(sql, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")),
  ...(await rowsOf(sql, "SELECT count(*), sum(id), group_concat(text) FROM many")),
  ...(await rowsOf(sql, "SELECT name, hex(substr(data, 1, 20)), length(data) FROM large")),
  ...(await rowsOf(sql, "SELECT * FROM counted")),
  ...(await rowsOf(sql, "SELECT rowid FROM search WHERE search MATCH '77'")),
  ...(await rowsOf(sql, "SELECT rowid FROM bare WHERE bare MATCH '77'")),
];

describe("transfer, broken off", () => {
  // A death after each of ten requests, of which the platform did the last; and ten replies that never arrive.
  for (const fate of ["die", "lose"] as const) {
    it(fate === "die" ? "goes on after a death" : "survives a lost reply", async function () {
      this.timeout(60_000);
      await withPair(async (first) => {
        const broken = async (n: number): Promise<number> => {
          const pair = await first.anew();
          await run(pair.source, ...tables);
          const line = await pair.on(({ write }): Fate => (write === n ? fate : "pass"));
          const ended = transfer(line.source, line.target);
          if (fate === "die" && n > 0) {
            await assert.rejects(ended);
            await transfer(pair.source, pair.target);
          } else {
            await ended;
          }
          assert.deepEqual(await state(pair.target), await state(pair.source), `request ${n}`);
          return line.writes();
        };
        const requests = await broken(0);
        for (let i = 1; i <= 10; i++) await broken(Math.ceil((requests * i) / 10));
      });
    });
  }

  it("goes on behind the last row that is there, and copies none twice", async function () {
    this.timeout(30_000);
    await withPair(async ({ source, target, on }) => {
      await run(source, ...tables);
      let many = 0;
      const line = await on(({ body }) => (body.includes('INSERT INTO \\"many\\"') && ++many === 2 ? "die" : "pass"));
      await assert.rejects(transfer(line.source, line.target));
      const before = Number(((await rowsOf(target, "SELECT count(*) AS n FROM many")) as { n: number }[])[0]!.n);
      assert.ok(before > 0 && before < 700, `${before} rows`);
      const written: string[] = [];
      const watched = await on(({ path, body }) => {
        if (path.includes("/target-") && body.includes("INSERT INTO")) written.push(body);
        return "pass";
      });
      await transfer(watched.source, watched.target);
      assert.ok(!written.some((body) => body.includes('INSERT INTO \\"large\\"')), "large was there");
      assert.deepEqual(await state(target), await state(source));
    });
  });

  it("does not take a copy whose rows are as many, but others", async () => {
    await withPair(async ({ source, target, on }) => {
      await run(source, "CREATE TABLE a (x)", "INSERT INTO a VALUES (1), ('1')");
      let changed = false;
      const line = await on(async ({ path, body }): Promise<Fate> => {
        if (path.includes("/target-") && body.includes("SELECT CASE") && !changed) {
          changed = true;
          await run(target, "UPDATE a SET x = '1'");
        }
        return "pass";
      });
      await assert.rejects(transfer(line.source, line.target), {
        code: "bad-answer",
        message:
          'The copy was not taken: Table "a" has 2 rows, and the copy has as many, but not the same. Run it again.',
      });
    });
  });

  it("refuses a target that has something of its own, and a change of the source meanwhile", async function () {
    this.timeout(30_000);
    await withPair(async ({ source, target, anew }) => {
      await run(source, "CREATE TABLE a (x)", "INSERT INTO a VALUES (1)");
      await run(target, "CREATE TABLE a (x, y)");
      await assert.rejects(transfer(source, target), {
        code: "not-empty",
        message: /has a table "a" that the source does/,
      });
      const next = await anew();
      await run(next.source, "CREATE TABLE a (x)", "INSERT INTO a VALUES (1)");
      const line = await next.on(async ({ body }): Promise<Fate> => {
        if (body.includes("INSERT INTO")) await run(next.source, "CREATE TABLE IF NOT EXISTS late (x)");
        return "pass";
      });
      await assert.rejects(transfer(line.source, line.target), /The table "late" was changed while it was copied/);
    });
  });
});

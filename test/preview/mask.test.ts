import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { previewUp } from "../../provider/preview/up";
import { withPreviewScene } from "./preview-scene";

describe("A masked branch", function () {
  this.timeout(120_000);

  it("keeps types, keys and references, whatever kind of table they are in", async () => {
    await withPreviewScene(
      async ({ bench, order, process, opened }) => {
        for (const statement of [
          "CREATE TABLE people (email TEXT PRIMARY KEY, born INTEGER NOT NULL, weight REAL NOT NULL, photo BLOB NOT NULL, plan TEXT) STRICT",
          "CREATE TABLE visits (who TEXT NOT NULL REFERENCES people, day TEXT NOT NULL, note TEXT, PRIMARY KEY (who, day)) WITHOUT ROWID",
          "CREATE TABLE audit (what TEXT)",
          "CREATE TRIGGER watch AFTER INSERT ON people BEGIN INSERT INTO audit VALUES (new.email); END",
          "CREATE VIRTUAL TABLE texts USING fts5(title, body)",
          "CREATE VIRTUAL TABLE words USING fts5(body, content='')",
          "CREATE VIRTUAL TABLE places USING rtree(id, x0, x1)",
          "CREATE TABLE docs (id INTEGER PRIMARY KEY, v F32_BLOB(2))",
          "CREATE INDEX near ON docs (libsql_vector_idx(v))",
          "INSERT INTO people VALUES ('ada@acme.test', 1815, 54.5, x'c0ffee', 'pro'), ('bob@acme.test', 1999, 80.25, x'00', 'free')",
          "INSERT INTO visits VALUES ('ada@acme.test', '2027-01-01', 'private'), ('bob@acme.test', '2027-01-02', NULL)",
          "INSERT INTO texts VALUES ('shown', 'hiddenword')",
          "INSERT INTO words (rowid, body) VALUES (1, 'hiddenword')",
          "INSERT INTO places VALUES (7, 12.5, 13.5)",
          "INSERT INTO docs VALUES (1, vector('[1, 2]'))",
          "ANALYZE",
        ]) {
          await bench.sql("tenant-acme", statement);
        }
        const mask = {
          people: { born: "keep", weight: "hash", photo: "hash", plan: "keep" },
          visits: { day: "keep" },
          texts: { title: "keep" },
        } as const;
        const { report, tokens } = await previewUp(await process(), order({ data: "masked", mask }));
        assert.deepEqual(report.branches[0]!.error, null);
        const sql = (text: string) => opened(report.branches[0]!.url, tokens.get("acme")!.token, text);

        const people = await sql("SELECT *, typeof(weight) AS w, typeof(photo) AS p FROM people ORDER BY born");
        assert.deepEqual(
          people.map(({ born, plan, w, p }) => [born, plan, w, p]),
          [
            [1815, "pro", "real", "blob"],
            [1999, "free", "real", "blob"],
          ],
        );
        assert.ok(people.every(({ email, weight }) => /^[0-9a-f]{24}$/.test(String(email)) && Number(weight) > 1000));
        assert.deepEqual(await sql("SELECT born, day, note FROM visits JOIN people ON email = who ORDER BY day"), [
          { born: 1815, day: "2027-01-01", note: null },
          { born: 1999, day: "2027-01-02", note: null },
        ]);
        assert.deepEqual(await sql("SELECT count(*) AS n FROM audit WHERE what IS NOT NULL"), [{ n: 0 }]);
        assert.deepEqual(await sql("SELECT title, body FROM texts"), [{ title: "shown", body: null }]);
        for (const index of ["texts", "words"]) {
          assert.deepEqual(await sql(`SELECT rowid FROM ${index} WHERE ${index} MATCH 'hiddenword'`), []);
        }
        assert.deepEqual(await sql("SELECT rowid FROM texts WHERE texts MATCH 'shown'"), [{ rowid: 1 }]);
        assert.deepEqual(await sql("SELECT * FROM places"), [{ id: 7, x0: 0, x1: 0 }]);
        assert.deepEqual(await sql("SELECT id, v FROM docs"), [{ id: 1, v: null }]);
        assert.deepEqual(await sql("SELECT name FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'"), []);
        assert.deepEqual(await sql("PRAGMA foreign_key_check"), []);
        // A trigger works again.
        await sql("INSERT INTO people VALUES ('new@x.test', 1, 1.5, x'', NULL)");
        assert.deepEqual(await sql("SELECT what FROM audit WHERE what IS NOT NULL"), [{ what: "new@x.test" }]);

        // Byte for byte: no page of the branch's file has any of it.
        const dumped = await sql("SELECT group_concat(hex(block)) AS bytes FROM texts_data");
        assert.ok(!String(dumped[0]!["bytes"]).includes(Buffer.from("hiddenword").toString("hex").toUpperCase()));
      },
      { tenants: ["acme"] },
    );
  });

  it("is refused with rules for what is not there, before anything is made", async () => {
    await withPreviewScene(async ({ bench, order, process }) => {
      const wrong = { notes: { boddy: "keep" } } as const;
      await assert.rejects(
        previewUp(await process(), order({ data: "masked", mask: wrong })),
        /mask: acme: table "notes" has no column "boddy" \(did you mean "body"\?\)/,
      );
      assert.deepEqual(await bench.databases(true), ["tenant-acme", "tenant-globex"]);
    });
  });

  it("that cannot be filled is told, is not handed out, and is made anew by rules that fit", async () => {
    await withPreviewScene(
      async ({ bench, order, process, named, opened }) => {
        await bench.sql("tenant-acme", "CREATE TABLE coupons (code TEXT NOT NULL CHECK (length(code) > 2))");
        await bench.sql("tenant-acme", "INSERT INTO coupons VALUES ('SUMMER')");
        const first = await previewUp(await process(), order({ data: "masked", mask: {} }));
        const [branch] = first.report.branches;
        assert.equal(branch!.state, "failed");
        assert.match(branch!.error!.message, /"coupons".*CHECK constraint failed/);
        assert.equal(first.tokens.size, 0);
        assert.deepEqual(await named("tenantry-pr-"), [], "neither the branch nor the copy that it was made from");
        assert.deepEqual(await bench.sql("tenantry-registry-eu", "SELECT * FROM claims"), []);

        const mask = { coupons: { code: "hash" } } as const;
        const { report, tokens } = await previewUp(await process(), order({ data: "masked", mask }));
        assert.equal(report.branches[0]!.state, "ready");
        const rows = await opened(report.branches[0]!.url, tokens.get("acme")!.token, "SELECT code FROM coupons");
        assert.match(String(rows[0]!["code"]), /^[0-9a-f]{24}$/);
        assert.equal((await named("tenantry-pr-")).length, 1);
      },
      { tenants: ["acme"] },
    );
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { after, afterEach, before, describe, it } from "mocha";
import { fuzzSeed, startFuzzedPlatform, type FuzzAnswer } from "./fuzzed-platform";

interface Outcome {
  type: "ok" | "error";
  error?: { code: string; message: string };
  response?: { result?: { rows: { type: string; value?: unknown }[][] } };
}

describe(`fuzz: SQL over HTTP of the embedded platform (TENANTRY_FUZZ_SEED=${fuzzSeed})`, function () {
  this.timeout(240_000);
  let platform: Awaited<ReturnType<typeof startFuzzedPlatform>>;
  before(async () => (platform = await startFuzzedPlatform()));
  afterEach(() => platform.intact());
  after(() => platform.close());

  const run = (sql: string, more: object = {}) => ({
    requests: [{ type: "execute", stmt: { sql, ...more } }, { type: "close" }],
  });
  const read = ({ text }: FuzzAnswer) => JSON.parse(text) as { baton: string | null; results: Outcome[] };
  const one = async (sql: string, more: object = {}): Promise<Outcome> => {
    const answer = await platform.pipeline("scratch", run(sql, more));
    platform.judge(answer, sql.slice(0, 100));
    assert.equal(answer.status, 200, answer.text.slice(0, 300));
    return read(answer).results[0]!;
  };

  it("takes or refuses any pipeline", async () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        0,
        -1,
        1.5,
        "",
        "x",
        [],
        {},
        true,
        "@1e999@",
        "@-0@",
        "@1e-400@",
        2 ** 53,
        "\u0000",
        "\ud800",
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const sql = fc.constantFrom<unknown>(
      "SELECT 1",
      "SELECT ?",
      "SELECT :a",
      "",
      ";",
      "BEGIN",
      "COMMIT",
      "SELEC",
      "--",
      5,
      null,
    );
    const argument = fc.oneof(
      value,
      fc.record(
        { type: fc.constantFrom("null", "integer", "float", "text", "blob", "nope"), value, base64: value },
        { requiredKeys: ["type"] },
      ),
    );
    const stmt = fc.oneof(
      value,
      fc.record(
        {
          sql,
          sql_id: value,
          args: fc.oneof(value, fc.array(argument)),
          named_args: fc.array(fc.record({ name: value, value: argument })),
        },
        { requiredKeys: ["sql"] },
      ),
    );
    const condition = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        value,
        fc.record({ type: fc.constantFrom("ok", "error"), step: value }),
        fc.record({ type: fc.constant("not"), cond: tie("any") }),
        fc.record({ type: fc.constantFrom("and", "or"), conds: fc.array(tie("any"), { maxLength: 3 }) }),
        fc.constant({ type: "is_autocommit" }),
      ),
    })).any;
    const step = fc.oneof(value, fc.record({ stmt, condition }, { requiredKeys: ["stmt"] }));
    const request = fc.oneof(
      value,
      fc.record({ type: fc.constant("execute"), stmt }),
      fc.record({
        type: fc.constant("batch"),
        batch: fc.oneof(value, fc.record({ steps: fc.array(step, { maxLength: 4 }) })),
      }),
      fc.record({ type: fc.constantFrom("sequence", "describe"), sql, sql_id: value }, { requiredKeys: ["type"] }),
      fc.record({ type: fc.constantFrom("store_sql", "close_sql"), sql_id: value, sql }, { requiredKeys: ["type"] }),
      fc.record({ type: fc.constantFrom("get_autocommit", "close", "nope") }),
    );
    const pipeline = fc.record(
      { baton: value, requests: fc.oneof(value, fc.array(request, { maxLength: 5 })), extra: value },
      { requiredKeys: ["requests"] },
    );
    let served = 0;
    await fc.assert(
      fc.asyncProperty(pipeline, async (made) => {
        const body = JSON.stringify(made).replace(/"@([^"@]*)@"/g, "$1");
        const answer = await platform.pipeline("scratch", body);
        platform.judge(answer, body.slice(0, 600));
        if (answer.status !== 200) return;
        served++;
        const { baton } = read(answer);
        if (baton) await platform.pipeline("scratch", { baton, requests: [{ type: "close" }] });
      }),
      { seed: fuzzSeed, numRuns: 400 },
    );
    assert.ok(served > 10, "nothing that was made up was served");
  });

  it("runs or refuses any words as SQL, and changes nothing with a token that reads", async () => {
    // Without what makes text out of bytes: a text that is not UTF-8 ends the binding (README).
    const words =
      "SELECT INSERT INTO UPDATE DELETE FROM WHERE kept sqlite_schema VALUES ( ) , * ; ' \" ` [ ] -- /* */ ? ?1 ?99999 :a @b $c $d::e(f) " +
      "BEGIN COMMIT ROLLBACK SAVEPOINT RELEASE s CREATE TABLE TRIGGER TEMP VIEW INDEX DROP ALTER PRAGMA EXPLAIN QUERY PLAN WITH RECURSIVE " +
      "AS x UNION ALL GROUP BY ORDER LIMIT RETURNING ON CONFLICT DO NOTHING SET name n = 1 NULL 'a' \"b\" 1e999 9223372036854775808 " +
      "ATTACH DETACH VACUUM REINDEX ANALYZE END count(*) json('{}') readfile('/etc/passwd') load_extension('x') writable_schema";
    const soup = fc
      .array(fc.constantFrom(...words.split(" ")), { minLength: 1, maxLength: 14 })
      .map((parts) => parts.join(" "));
    await fc.assert(
      fc.asyncProperty(soup, fc.constantFrom("execute", "sequence", "describe"), async (sql, type) => {
        const stated = type === "execute" ? { type, stmt: { sql } } : { type, sql };
        const body = { requests: [stated, { type: "close" }] };
        platform.judge(await platform.pipeline("a", body, platform.readOnly), sql);
        platform.judge(await platform.pipeline("scratch", body), sql);
      }),
      { seed: fuzzSeed, numRuns: 400 },
    );
  });

  const many = (n: number, text: string) => Array<string>(n).fill(text).join(",");
  const nulls = (n: number) => ({ args: Array<object>(n).fill({ type: "null" }) });
  const heavy: [string, string, object, string | undefined][] = [
    ["1,000 parentheses", `SELECT ${"(".repeat(1000)}1${")".repeat(1000)}`, {}, "SQLITE_UNKNOWN"],
    ["100,000 parentheses", `SELECT ${"(".repeat(100_000)}1${")".repeat(100_000)}`, {}, "SQLITE_UNKNOWN"],
    ["an expression of 100,000 terms", `SELECT 1${"+1".repeat(100_000)}`, {}, "SQLITE_UNKNOWN"],
    ["100,000 NOT", `SELECT ${"NOT ".repeat(100_000)}1`, {}, "SQLITE_UNKNOWN"],
    ["900 selects in each other", `SELECT ${"(SELECT ".repeat(900)}1${")".repeat(900)}`, {}, "SQLITE_UNKNOWN"],
    ["5,000 unions", `SELECT 1${" UNION ALL SELECT 1".repeat(5000)}`, {}, "SQLITE_UNKNOWN"],
    ["100,000 columns", `SELECT ${many(100_000, "1")}`, {}, "SQLITE_UNKNOWN"],
    ["2,000 columns", `SELECT ${many(2000, "1")}`, {}, undefined],
    ["40,000 parameters", `SELECT ${many(40_000, "?")}`, nulls(40_000), "SQLITE_UNKNOWN"],
    ["the last parameter there is", "SELECT ?32766", nulls(32_766), undefined],
    ["one after it", "SELECT ?32767", {}, "SQLITE_UNKNOWN"],
    ["the parameter before the first", "SELECT ?0", {}, "SQLITE_UNKNOWN"],
    ["100,000 arguments too many", "SELECT 1", nulls(100_000), "ARGS_INVALID"],
    ["1 MB of semicolons", ";".repeat(1_000_000), {}, "SQL_NO_STATEMENT"],
    ["1 MB of comments", `${"--x\n".repeat(250_000)}SELECT 1`, {}, undefined],
    ["a blob beyond the limit", "SELECT zeroblob(2000000000)", {}, "SQLITE_TOOBIG"],
    ["JSON 100,000 deep", `SELECT json('${"[".repeat(100_000)}')`, {}, "SQLITE_UNKNOWN"],
    ["a string without end", "SELECT 'abc", {}, "SQL_PARSE_ERROR"],
    ["a comment without end", "SELECT 1 /* abc", {}, undefined],
    ["NUL", "SELECT 1\u0000;", {}, "SQL_PARSE_ERROR"],
    ["an infinite result", "SELECT 9e999", {}, "SQL_INPUT_ERROR"],
    ["no number as a result", "SELECT 9e999 - 9e999", {}, undefined],
    ["half a surrogate pair", "SELECT '\ud800', ?", { args: [{ type: "text", value: "\udfff" }] }, undefined],
  ];
  for (const [what, sql, more, code] of heavy) {
    it(`${code === undefined ? "runs" : "refuses"} ${what}`, async () => {
      const { error } = await one(sql, more);
      assert.equal(error?.code, code, error?.message);
    });
  }

  const outside = [
    ...[
      "SELECT readfile('/etc/passwd')",
      "SELECT writefile('/tmp/x', 'x')",
      "SELECT * FROM fsdir('/')",
      "SELECT load_extension('x')",
    ],
    ...[
      "ATTACH 'control.db' AS c",
      "VACUUM INTO 'copy.db'",
      "PRAGMA writable_schema = 1",
      "PRAGMA temp_store_directory = '/'",
    ],
    ...[
      "SELECT * FROM sqlite_dbpage",
      "PRAGMA journal_mode = DELETE",
      "SELECT \"readfile\"('/etc/passwd')",
      "SELECT [readfile] ('x')",
    ],
    ...[
      "SELECT readfile/**/('x')",
      "CREATE VIRTUAL TABLE temp.z USING zipfile('x.zip')",
      "SELECT edit('x', 'cat')",
      "EXPLAIN ATTACH 'x' AS x",
    ],
    ...[
      "CREATE VIRTUAL TABLE temp.c USING csv(filename='/etc/passwd')",
      "PRAGMA database_list",
      "SELECT * FROM pragma_database_list",
    ],
    ...[
      'SELECT * FROM "pragma_database_list"',
      "SELECT * FROM temp.pragma_database_list",
      "/**/ pragma main.database_list",
    ],
  ];
  for (const sql of outside) {
    it(`reaches and tells nothing outside of its file: ${sql}`, async () =>
      assert.equal((await one(sql)).type, "error"));
  }

  it("takes conditions as deep as it can, and refuses deeper ones", async () => {
    const nested = (depth: number) =>
      `{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"},"condition":` +
      `${'{"type":"not","cond":'.repeat(depth)}{"type":"is_autocommit"}${"}".repeat(depth)}}]}},{"type":"close"}]}`;
    assert.equal((await platform.pipeline("scratch", nested(100))).status, 200);
    for (const depth of [10_000, 100_000]) {
      const answer = await platform.pipeline("scratch", nested(depth));
      assert.equal(answer.status, 400, answer.text.slice(0, 200));
    }
    for (const text of [
      "[".repeat(100_000) + "]".repeat(100_000),
      `{"requests":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    ]) {
      assert.equal((await platform.pipeline("scratch", text)).status, 400);
    }
  });

  it("takes integers of 64 bits as they are, and no others", async () => {
    for (const value of ["9223372036854775807", "-9223372036854775808", "0", "-1"]) {
      const { response } = await one("SELECT ?", { args: [{ type: "integer", value }] });
      assert.deepEqual(response?.result?.rows, [[{ type: "integer", value }]]);
    }
    for (const value of ["9223372036854775808", "-9223372036854775809"]) {
      assert.equal((await one("SELECT ?", { args: [{ type: "integer", value }] })).error?.code, "ARGS_INVALID");
    }
    for (const value of ["", " 1", "0x10", "1e3", "NaN", "٣", "1".repeat(100), 5, null]) {
      const answer = await platform.pipeline("scratch", run("SELECT ?", { args: [{ type: "integer", value }] }));
      assert.equal(answer.status, 400, String(value));
      platform.judge(answer, String(value));
    }
  });

  describe("batons", () => {
    const begin = async (database = "scratch", token = platform.token): Promise<string> => {
      const answer = await platform.pipeline(
        database,
        { requests: [{ type: "execute", stmt: { sql: "SELECT 1" } }] },
        token,
      );
      return read(answer).baton!;
    };
    const use = (baton: unknown, database = "scratch", token = platform.token) =>
      platform.pipeline(database, { baton, requests: [{ type: "close" }] }, token);

    it("are refused when cut, changed or made up", async () => {
      const baton = await begin();
      const cut = fc.integer({ min: 0, max: baton.length - 1 }).map((length) => baton.slice(0, length));
      const changed = fc
        .tuple(fc.integer({ min: 0, max: baton.length - 1 }), fc.constantFrom(..."aA0.-_ é\u0000"))
        .map(([at, letter]) => baton.slice(0, at) + letter + baton.slice(at + 1))
        // The last letter of base64 has bits that count for nothing.
        .filter((text) => text.slice(0, -1) !== baton.slice(0, -1));
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(cut, changed, fc.string({ unit: "binary" }), fc.constant("x".repeat(100_000))),
          async (text) => {
            const answer = await use(text);
            platform.judge(answer, text.slice(0, 100));
            assert.equal(answer.status, 400, text.slice(0, 100));
          },
        ),
        { seed: fuzzSeed, numRuns: 200 },
      );
      assert.equal((await use(baton)).status, 200, "the stream itself went on");
    });

    it("open nothing but their own stream of their own database with their own access", async () => {
      const baton = await begin("a");
      assert.equal((await use(baton, "b")).status, 400, "another database");
      assert.equal((await use(baton, "a", platform.readOnly)).status, 400, "less access");
      const reading = await begin("a", platform.readOnly);
      assert.equal((await use(reading, "a")).status, 400, "more access");
      assert.equal((await use(baton, "a")).status, 200);
      assert.equal((await use(reading, "a", platform.readOnly)).status, 200);
    });

    it("are good once, also for many at the same time", async () => {
      const baton = await begin();
      const answers = await Promise.all(Array.from({ length: 20 }, () => use(baton)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array<number>(19).fill(400)]);
      assert.equal((await use(baton)).status, 400);
    });
  });
});

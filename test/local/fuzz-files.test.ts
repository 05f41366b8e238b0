import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import Database from "libsql";
import { after, afterEach, before, describe, it } from "mocha";
import { fuzzSeed, startFuzzedPlatform, type FuzzAnswer } from "./fuzzed-platform";

interface Outcome {
  type: "ok" | "error";
  error?: { message: string };
  response?: { result: { rows: { value?: string }[][] } };
}

interface Repeated {
  times?: number;
  added?: Uint8Array;
  instead?: Uint8Array;
}

describe(`fuzz: upload, dump and cursor of the embedded platform (TENANTRY_FUZZ_SEED=${fuzzSeed})`, function () {
  this.timeout(240_000);
  let platform: Awaited<ReturnType<typeof startFuzzedPlatform>>;
  before(async () => (platform = await startFuzzedPlatform()));
  afterEach(() => platform.intact());
  after(() => platform.close());

  const bearer = (token = platform.token) => ({ authorization: `Bearer ${token}` });
  const call = async (method: string, target: string, body?: object): Promise<void> => {
    const headers = bearer(platform.apiToken);
    const answer = await platform.send({
      ...{ method, path: `/v1/organizations/local${target}`, headers },
      body: body && JSON.stringify(body),
    });
    assert.equal(answer.status, 200, answer.text);
  };
  const upload = (name: string, body: Buffer, token?: string, headers: Record<string, string> = {}) =>
    platform.send({
      ...{ method: "POST", path: `/db/${name}/v1/upload` },
      headers: { ...bearer(token), ...headers },
      body,
    });
  const rows = async (name: string, sql: string): Promise<(string | undefined)[][]> => {
    const answer = await platform.pipeline(name, { requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] });
    assert.equal(answer.status, 200, answer.text);
    const [outcome] = (JSON.parse(answer.text) as { results: Outcome[] }).results;
    assert.ok(outcome?.response, outcome?.error?.message);
    return outcome.response.result.rows.map((row) => row.map(({ value }) => value));
  };
  /** Does something with a database of its own, which is empty. */
  const withShell = async (work: () => Promise<void>): Promise<void> => {
    await call("POST", "/databases", { name: "shell", group: "g", seed: { type: "database_upload" } });
    try {
      await work();
    } finally {
      await call("DELETE", "/databases/shell");
    }
  };

  describe("an upload", () => {
    let good: Buffer;
    before(async () => {
      const folder = await mkdtemp(path.join(tmpdir(), "tenantry-fuzz-"));
      const file = path.join(folder, "good.db");
      const database = new Database(file);
      database.exec(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (x, y TEXT); CREATE INDEX by_y ON t (y);" +
          "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 300) INSERT INTO t SELECT x, hex(x) FROM r",
      );
      database.close();
      good = await readFile(file);
      await rm(folder, { recursive: true });
    });

    it("is taken whole, or refused and leaves the database empty, whatever its bytes are", async () => {
      // Told as what was done to a good file, so that a failure can be read.
      const at = fc.oneof(fc.nat(99), fc.nat(good.length - 1));
      const changes = fc.array(fc.tuple(at, fc.nat(255)), { minLength: 1, maxLength: 8 });
      const more = fc.uint8Array({ maxLength: 50 });
      const made = fc.oneof(
        { weight: 4, arbitrary: changes.map((bytes) => ({ bytes })) },
        fc.nat(good.length - 1).map((cut) => ({ cut })),
        fc.tuple(more, fc.nat(100)).map(([added, times]) => ({ added, times })),
        fc.tuple(more, fc.nat(100)).map(([instead, times]) => ({ instead, times })),
      );
      const fileOf = (one: { bytes?: [number, number][]; cut?: number } & Repeated): Buffer => {
        const file = Buffer.from(good);
        for (const [position, byte] of one.bytes ?? []) file[position] = byte;
        const repeated = Array<Uint8Array>(one.times ?? 0).fill(one.added ?? one.instead ?? new Uint8Array());
        return Buffer.concat([file.subarray(0, one.instead ? 100 : one.cut), ...repeated]);
      };
      let [taken, refused] = [0, 0];
      await fc.assert(
        fc.asyncProperty(made, async (one) => {
          await withShell(async () => {
            const answer = await upload("shell", fileOf(one));
            platform.judge(answer, JSON.stringify(one));
            assert.ok([200, 400].includes(answer.status), `${answer.status} ${answer.text}`);
            if (answer.status === 200) {
              taken += 1;
              assert.deepEqual(await rows("shell", "PRAGMA integrity_check"), [["ok"]]);
            } else {
              refused += 1;
              assert.deepEqual(await rows("shell", "SELECT count(*) FROM sqlite_schema"), [["0"]]);
            }
          });
        }),
        { seed: fuzzSeed, numRuns: 120 },
      );
      assert.ok(taken > 0 && refused > 20, `${taken} taken, ${refused} refused`);
    });

    it("needs a token that writes, a length that is true, and a database that is empty", async () => {
      await withShell(async () => {
        assert.equal((await upload("a", good)).status, 409);
        assert.equal((await upload("a", good, platform.readOnly)).status, 403);
        assert.equal((await upload("shell", good, platform.readOnly)).status, 401);
        assert.equal((await upload("shell", good, platform.apiToken)).status, 401);
        assert.equal((await upload("nowhere", good)).status, 404);
        const chunked = await upload("shell", good, undefined, { "transfer-encoding": "chunked" });
        assert.equal(chunked.status, 400, chunked.text);
        const head = (length: string) =>
          `POST /db/shell/v1/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${platform.token}\r\n` +
          `Connection: close\r\nContent-Length: ${length}\r\n\r\n`;
        for (const length of ["-1", "1e3", "x", "99999999999999999999"])
          assert.match(await platform.raw(head(length)), /^HTTP\/1\.1 4/, length);
        assert.match(await platform.raw(head("99999999999999"), (text) => text.endsWith("}")), /^HTTP\/1\.1 413/);
        const short = await platform.raw(Buffer.concat([Buffer.from(head("5000")), good.subarray(0, 10_000)]));
        assert.match(short, /^HTTP\/1\.1 400/);
        assert.deepEqual(await rows("shell", "SELECT count(*) FROM sqlite_schema"), [["0"]]);
      });
    });

    it("by many at the same time is taken once", async () => {
      await withShell(async () => {
        const answers = await Promise.all(Array.from({ length: 6 }, () => upload("shell", good)));
        assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409]);
        assert.deepEqual(await rows("shell", "SELECT count(*) FROM t"), [["300"]]);
      });
    });
  });

  it("a dump makes any names and values anew", async () => {
    const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/^sqlite_/i.test(text));
    const literal = fc.oneof(
      fc.string({ maxLength: 30 }).map((text) => `'${text.replaceAll("'", "''")}'`),
      fc.constantFrom("NULL", "x'00ff'", "-0.0", "1e308", "5e-324", "9223372036854775807", "';--'", "'a\nb'", "'\\'"),
      fc.integer().map(String),
    );
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(
        name,
        fc.uniqueArray(name, { minLength: 1, maxLength: 3, selector: (text) => text.toLowerCase() }),
        fc.array(literal, { minLength: 3, maxLength: 3 }),
        async (table, columns, values) => {
          await withShell(async () => {
            const listed = values.slice(0, columns.length).join(",");
            await rows("shell", `CREATE TABLE ${quoted(table)} (${columns.map(quoted).join(",")})`);
            await rows("shell", `INSERT INTO ${quoted(table)} VALUES (${listed})`);
            const answer = await platform.send({ path: "/db/shell/dump", headers: bearer() });
            platform.judge(answer, `${table}: ${listed}`);
            assert.equal(answer.status, 200, answer.text);
            const anew = new Database(":memory:");
            anew.exec(answer.text);
            const told = `SELECT ${columns.map((column) => `quote(${quoted(column)})`).join(",")} FROM ${quoted(table)}`;
            const found = anew.prepare(told).raw().all();
            anew.close();
            assert.deepEqual(found, await rows("shell", told));
          });
        },
      ),
      { seed: fuzzSeed, numRuns: 40 },
    );
  });

  it("a dump is for who may read that database", async () => {
    const status = async (target: string, headers: Record<string, string>): Promise<number> => {
      const answer = await platform.send({ path: target, headers });
      platform.judge(answer, target);
      return answer.status;
    };
    assert.equal(await status("/db/a/dump", bearer(platform.readOnly)), 200);
    assert.equal(await status("/db/b/dump", bearer(platform.readOnly)), 401);
    for (const headers of [{}, bearer(platform.apiToken), bearer("x.y.z")])
      assert.equal(await status("/db/a/dump", headers as Record<string, string>), 401);
    for (const target of ["/db/..%2fa/dump", "/db/A/dump", "/db/a%00/dump", "/dump", "/db//dump", "/db/a/dump/"])
      assert.equal(await status(target, bearer()), 404, target);
  });

  it("a cursor takes or refuses any batch, and tells it in lines of JSON", async () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>(null, 0, -1, 1.5, "", "x", [], {}, true, 2 ** 53, "\u0000"),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const sql = fc.constantFrom(
      ...["SELECT 1", "SELECT ?", "VALUES (1), (2), (3)", "SELEC", "", "--", "BEGIN", "COMMIT", "SELECT 9e999"],
      "CREATE TEMP TABLE IF NOT EXISTS t (x)",
    );
    const stmt = fc.oneof(
      { weight: 1, arbitrary: value },
      { weight: 4, arbitrary: fc.record({ sql }) },
      fc.record({ sql, args: value, want_rows: value }, { requiredKeys: ["sql"] }),
    );
    const condition = fc.record({
      type: fc.constantFrom("ok", "error", "not", "and", "nope"),
      step: value,
      cond: value,
    });
    const step = fc.record({ stmt, condition }, { requiredKeys: ["stmt"] });
    const steps = fc.oneof({ weight: 1, arbitrary: value }, { weight: 5, arbitrary: fc.array(step, { maxLength: 4 }) });
    const request = fc.oneof(
      { weight: 1, arbitrary: value },
      {
        weight: 5,
        arbitrary: fc.record(
          { baton: fc.option(value, { freq: 2 }), batch: fc.record({ steps }) },
          { requiredKeys: ["batch"] },
        ),
      },
    );
    const ask = (body: string, token?: string): Promise<FuzzAnswer> =>
      platform.send({ method: "POST", path: "/db/scratch/v3/cursor", headers: bearer(token), body });
    let served = 0;
    await fc.assert(
      fc.asyncProperty(request, async (made) => {
        const body = JSON.stringify(made);
        const answer = await ask(body);
        platform.judge(answer, body.slice(0, 600));
        if (answer.status !== 200) return;
        served += 1;
        const [head, ...entries] = answer.text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line) as { baton?: string | null; type?: string });
        for (const { type } of entries) assert.match(String(type), /^(?:step_begin|row|step_end|step_error|error)$/);
        if (head?.baton) await platform.pipeline("scratch", { baton: head.baton, requests: [{ type: "close" }] });
      }),
      { seed: fuzzSeed, numRuns: 300 },
    );
    assert.ok(served > 20, "nothing that was made up was served");
    assert.equal((await ask("{}", platform.readOnly)).status, 401);
    for (const deep of ["[".repeat(100_000), '{"batch":'.repeat(50_000)]) assert.equal((await ask(deep)).status, 400);
  });

  it("a cursor whose reader hangs up costs nobody anything", async () => {
    const sql = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT x FROM r";
    const body = JSON.stringify({ batch: { steps: [{ stmt: { sql } }] } });
    const head =
      `POST /db/scratch/v3/cursor HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${platform.token}\r\n` +
      `Content-Length: ${body.length}\r\n\r\n`;
    await Promise.all(
      Array.from({ length: 12 }, () => platform.raw(head + body, (text) => text.includes('"type":"row"'))),
    );
    assert.deepEqual(await rows("scratch", "SELECT 1"), [["1"]]);
  });
});

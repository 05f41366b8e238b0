import assert from "node:assert/strict";
import fc from "fast-check";
import { after, afterEach, before, describe, it } from "mocha";
import { fuzzSeed, startFuzzedPlatform, type FuzzAnswer } from "./fuzzed-platform";

/** Each makes a text that is no UTF-8, or UTF-16 halves, which the SQLite binding may not survive. */
const texts = [
  "char(55296)",
  "CAST(x'ff' AS TEXT)",
  "char(57343)",
  "CAST(x'c328' AS TEXT)",
  "substr(CAST(x'e282' AS TEXT), 1)",
];
const uses = [
  (text: string) => `SELECT ${text}`,
  (text: string) => `SELECT ${text} || 'x' AS "a"`,
  (text: string) => `VALUES (1), (${text})`,
  (text: string) => `SELECT json_object('a', ${text})`,
  (text: string) => `SELECT json(${text})`,
  (text: string) => `SELECT abs(${text})`,
  (text: string) => `INSERT INTO t VALUES (-1) RETURNING ${text}`,
];

describe(`fuzz: SQL that ends its process (TENANTRY_FUZZ_SEED=${fuzzSeed})`, function () {
  this.timeout(240_000);
  const neighbours = ["n1", "n2", "n3"];
  let platform: Awaited<ReturnType<typeof startFuzzedPlatform>>;
  before(async () => (platform = await startFuzzedPlatform()));
  afterEach(() => platform.intact());
  after(() => platform.close());

  const call = async (method: string, target: string, body?: object): Promise<void> => {
    const headers = { authorization: `Bearer ${platform.apiToken}` };
    const path = `/v1/organizations/local${target}`;
    assert.equal((await platform.send({ method, path, headers, body: body && JSON.stringify(body) })).status, 200);
  };
  const run = (database: string, ...sql: string[]): Promise<FuzzAnswer> =>
    platform.pipeline(database, {
      requests: [...sql.map((text) => ({ type: "execute", stmt: { sql: text } })), { type: "close" }],
    });
  const values = async (database: string): Promise<string[]> => {
    const answer = await run(database, "SELECT x FROM t ORDER BY x");
    assert.equal(answer.status, 200, answer.text);
    const { results } = JSON.parse(answer.text) as {
      results: { response: { result: { rows: { value: string }[][] } } }[];
    };
    return results[0]?.response.result.rows.map(([cell]) => cell?.value ?? "") ?? [];
  };
  /** Whether the platform said that all of it was done. */
  const acknowledged = ({ status, text }: FuzzAnswer): boolean => status === 200 && !text.includes('"type":"error"');

  it("costs no row that anybody was told of, and the platform answers on", async () => {
    for (const name of ["crash", ...neighbours]) {
      await call("POST", "/databases", { name, group: "g" });
      assert.ok(acknowledged(await run(name, "CREATE TABLE t (x INTEGER PRIMARY KEY)")));
    }
    const told = new Map<string, string[]>(["crash", ...neighbours].map((name) => [name, []]));
    let next = 0;
    const insert = async (database: string): Promise<void> => {
      const x = String((next += 1));
      if (acknowledged(await run(database, `INSERT INTO t VALUES (${x})`))) told.get(database)?.push(x);
    };
    const statuses = new Map<number, number>();
    const killing = fc.tuple(fc.constantFrom(...uses), fc.constantFrom(...texts)).map(([use, text]) => use(text));
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(killing, { minLength: 1, maxLength: 3 }), async (killers) => {
          await insert("crash");
          const work = [...neighbours, ...neighbours].map(insert);
          const answers = await Promise.all(killers.map((sql) => run("crash", sql)));
          await Promise.all(work);
          for (const [at, { status, text, headers }] of answers.entries()) {
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            // It is told that the process ended, which is nobody's fault but the statement's.
            if (status === 500) assert.match(text, /SQL_PROCESS_ENDED/, killers[at]);
            else platform.judge({ status, text, headers }, killers[at] ?? "");
          }
          for (const [name, rows] of told) {
            const found = await values(name);
            assert.deepEqual(
              rows.filter((x) => !found.includes(x)),
              [],
              `acknowledged rows of ${name} are gone`,
            );
          }
        }),
        { seed: fuzzSeed, numRuns: 12, endOnFailure: true },
      );
      assert.ok((statuses.get(500) ?? 0) > 0, "no statement ended its process: this proves nothing any more");
      for (const name of neighbours) assert.ok((told.get(name)?.length ?? 0) > 0, `${name} was never served`);
    } finally {
      for (const name of ["crash", ...neighbours]) await call("DELETE", `/databases/${name}`);
    }
  });
});

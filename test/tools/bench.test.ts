import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "mocha";
import { readArguments } from "../../tools/bench/arguments";
import { compare, measure, median } from "../../tools/bench/measure";
import { json, table } from "../../tools/bench/report";
import type { Row, Sample } from "../../tools/bench/row";
import { ROWS } from "../../tools/bench/rows";
import { createStubSql } from "../../tools/bench/fleet/stub-sql";
import { findSqld } from "../../tools/sqld/find-sqld";

const ratio = { name: "a", unit: "s", goal: { of: "ratio", atMost: 1.3 } } as const;
const own = { name: "longer-b", unit: "ms/database", goal: { of: "ours", atMost: 10 } } as const;
const seconds = (...values: number[]): Sample[] => values.map((value) => ({ value }));

describe("npm run bench", () => {
  it("has the rows that the README speaks of", () => {
    assert.deepEqual(
      ROWS.map(({ name }) => name),
      [
        ...["engine-floor-200", "engine-floor-1000", "latency-1000", "latency-1000-default", "naive-1000"],
        ...["fleet-1000", "fleet-1000-schema", "fleet-10000", "fleet-growth", "fleet-10000-unchanged"],
        ...["local-query", "local-create-1000", "rollout-1000", "libsql-server-1000", "plan-10000"],
        ...["connect", "provision-existing", "for-each-tenant-1000", "move-200mb"],
      ],
    );
  });

  it("takes the rows that --only names, in either way, and their order from the list", () => {
    const chosen = (...args: string[]) => readArguments(args, ROWS).rows.map(({ name }) => name);
    assert.deepEqual(chosen("--only", "naive-1000", "latency-1000"), ["latency-1000", "naive-1000"]);
    assert.deepEqual(chosen("--only", "naive-1000", "--only", "local-query"), ["naive-1000", "local-query"]);
    assert.equal(chosen().length, ROWS.length);
    const { file, repetitions } = readArguments(["--json", "out.json", "--repetitions", "5"], ROWS);
    assert.deepEqual([file, repetitions], ["out.json", 5]);
  });

  it("answers what it does not know with one line", () => {
    const message = (...args: string[]): string => {
      try {
        readArguments(args, ROWS);
      } catch (error) {
        return (error as Error).message;
      }
      return "accepted";
    };
    assert.match(
      message("--only", "nonsense"),
      /^There is no row "nonsense"\. Rows: engine-floor-200, .*, move-200mb\.$/,
    );
    assert.match(message("--only", "local-query", "nonsense"), /^There is no row "nonsense"\./);
    assert.match(message("--repetitions", "0"), /^--repetitions: "0" is not a whole number/);
    assert.match(message("--nonsense"), /^Unknown option '--nonsense'\. Usage: npm run bench/);
    assert.match(message("nonsense"), /^Unexpected "nonsense"\. Usage: npm run bench/);
  });

  it("measures both sides in turn and closes, also after a failure", async () => {
    const order: string[] = [];
    const row = (fails: boolean): Row => ({
      ...{ ...ratio, what: "" },
      async open() {
        const side = (name: string, value: number) => async () => {
          order.push(name);
          if (fails && name === "reference") throw new Error("broken");
          return { value };
        };
        return { ours: side("ours", 2), reference: side("reference", 4), close: async () => void order.push("close") };
      },
    });
    const result = await measure(row(false), { repetitions: 2, say: () => {} });
    assert.deepEqual(order, ["ours", "reference", "ours", "reference", "close"]);
    assert.equal(result.ratio, 0.5);
    order.length = 0;
    await assert.rejects(measure(row(true), { repetitions: 2, say: () => {} }), /broken/);
    assert.deepEqual(order, ["ours", "reference", "close"]);
  });

  it("compares medians; a goal is about the ratio or about our own value", () => {
    assert.equal(median([9, 1, 2]), 2);
    assert.equal(median([4, 1]), 2.5);
    const { ours, reference, met } = compare(ratio, seconds(9, 12, 1), seconds(10, 8, 2));
    assert.deepEqual({ ours, reference, met }, { ours: 9, reference: 8, met: true });
    assert.equal(compare(ratio, seconds(14), seconds(10)).met, false);
    assert.equal(compare(own, seconds(9), seconds(2)).met, true);
    assert.equal(compare(own, seconds(11), seconds(20)).met, false);
  });

  it("prints a table with empty cells where there is nothing to say, and the same rows as JSON", () => {
    const counted = { value: 5.123456, apiCalls: 2.04, stateBytes: 1755.53, peakMiB: 180.2, lessResource: 4.5 };
    const results = [compare(ratio, [counted], [{ value: 4, apiCalls: 0 }]), compare(own, seconds(123.4), seconds(2))];
    assert.equal(
      table(results),
      [
        "name      unit         ours  reference  ratio  goal                    met  less a resource  calls     state B   peak MiB",
        "a         s            5.12  4          1.28   ratio <= 1.3            yes  4.5, ratio 1.13  2.04 / 0  1756 / -  180 / -",
        "longer-b  ms/database  123   2          61.70  ours <= 10 ms/database  NO",
        "",
      ].join("\n"),
    );
    const [first, second] = JSON.parse(json(results)) as Record<string, unknown>[];
    assert.deepEqual(first, {
      ...{ name: "a", unit: "s", ours: 5.123456, reference: 4, ratio: 1.280864 },
      goal: { of: "ratio", atMost: 1.3 },
      met: true,
      extra: {
        ours: { apiCalls: 2.04, stateBytes: 1755.53, peakMiB: 180.2, lessResource: 4.5 },
        reference: { apiCalls: 0 },
      },
      samples: { ours: [5.123456], reference: [4] },
    });
    assert.deepEqual(second?.["extra"], { ours: {}, reference: {} });
  });

  it("has a stub platform whose registries keep what is written", () => {
    const { pipeline } = createStubSql();
    const statement = (sql: string, ...args: object[]) => ({ stmt: { sql, args } });
    const send = (database: string, ...requests: object[]) =>
      (pipeline(database, JSON.stringify({ requests })) as { results: { response: { result?: object } }[] }).results;
    const write = {
      type: "batch",
      batch: {
        steps: [
          statement("CREATE TABLE t (x)"),
          statement("INSERT INTO t VALUES (?)", { type: "integer", value: "7" }),
        ],
      },
    };
    send("tenantry-registry-eu", write);
    const stored = { type: "store_sql", sql_id: 3, sql: "SELECT x FROM t" };
    const [, read] = send("tenantry-registry-eu", stored, { type: "execute", stmt: { sql_id: 3 } });
    assert.deepEqual(read?.response.result, {
      ...{ cols: [{ name: "x" }], rows: [[{ type: "integer", value: "7" }]] },
      ...{ affected_row_count: 0, last_insert_rowid: null },
    });
    const [failed] = send("tenantry-registry-eu", {
      type: "batch",
      batch: {
        steps: [
          statement("BEGIN"),
          { ...statement("INSERT INTO missing VALUES (1)"), condition: { type: "ok", step: 0 } },
          { ...statement("COMMIT"), condition: { type: "ok", step: 1 } },
          { ...statement("ROLLBACK"), condition: { type: "not", cond: { type: "ok", step: 2 } } },
        ],
      },
    });
    const { step_errors: errors } = failed?.response.result as { step_errors: ({ message: string } | null)[] };
    assert.match(errors[1]?.message ?? "", /no such table/);
    assert.deepEqual([errors[0], errors[2], errors[3]], [null, null, null]);
  });
});

describe("finding libsql-server", () => {
  it("takes SQLD_BIN, then the one on PATH; a wrong SQLD_BIN is one clear line", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "tenantry-sqld-"));
    try {
      const program = path.join(folder, "sqld");
      await writeFile(program, "#!/bin/sh\n", { mode: 0o755 });
      assert.equal(await findSqld({ env: { SQLD_BIN: program } }), program);
      assert.equal(await findSqld({ env: { PATH: folder } }), program);
      const missing = path.join(folder, "none");
      await assert.rejects(findSqld({ env: { SQLD_BIN: missing, PATH: folder } }), {
        message: `SQLD_BIN: ${missing} is not a program.`,
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("does not take a cached program that was changed, and says what to do where there is no other", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "tenantry-sqld-"));
    try {
      const cached = path.join(folder, "sqld");
      await writeFile(cached, "changed", { mode: 0o755 });
      // There is no python3 on this PATH.
      const env = { PATH: path.join(folder, "nothing") };
      await assert.rejects(findSqld({ env, cached }), (error: Error) => {
        assert.match(error.message, /^No libsql-server: .*\. Install sqld, or set SQLD_BIN to the program\.$/);
        return true;
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

import assert from "node:assert/strict";
import { tursoPlatform } from "../../provider/drivers/turso";
import { closeConnections } from "../../provider/http/dispatcher";
import { hasCode } from "../../provider/platform/errors";
import { openSql } from "../../provider/platform/sql";
import { faults, freshToken, refusingUrl, withScriptedServer } from "../support/scripted-server";
import { virtualClock } from "../support/virtual-clock";
import { type Call, platformCalls, sqlCalls } from "./turso-faults/calls";
import { type Cell, tryCell } from "./turso-faults/cell";
import { directoryCalls } from "./turso-faults/directory-calls";
import { faultColumns } from "./turso-faults/faults";

const rows: readonly [name: string, call: Call][] = Object.entries({
  ...platformCalls,
  ...directoryCalls,
  ...sqlCalls,
}).flatMap(([method, calls]) =>
  calls.map((call): [string, Call] => [calls.length > 1 ? `${method} (${call.effect ?? "reads"})` : method, call]),
);

/** One letter for each outcome; a capital where the call may have had its effect. */
const letters: Record<string, string> = {
  value: ".",
  "already-exists": "a",
  "bad-answer": "b",
  "credentials-rejected": "c",
  forbidden: "f",
  "invalid-input": "i",
  "not-ready": "n",
  "plan-refused": "p",
  "rate-limited": "r",
  "timed-out": "t",
  "untrusted-host": "h",
  unavailable: "v",
  unreachable: "u",
};

describe("turso driver: every call under every fault", () => {
  const matrix: string[] = [];

  for (const [name, call] of rows) {
    it(name, async () => {
      const problems: string[] = [];
      const cells: string[] = [];
      for (const fault of faultColumns) {
        try {
          cells.push(shown(await tryCell(call, fault)));
        } catch (error) {
          problems.push(`${fault.name}: ${error instanceof Error ? error.message : String(error)}`);
          cells.push("!");
        }
      }
      matrix.push(`${name.padEnd(38)} ${cells.map((cell) => cell.padEnd(2)).join(" ")}`);
      assert.equal(problems.length, 0, `${problems.length} of ${faultColumns.length} faults:\n${problems.join("\n")}`);
    }).timeout(120_000);
  }

  it("has a row for each method and a column for each fault", async () => {
    const platform = tursoPlatform({ apiUrl: "https://api.invalid", apiToken: freshToken(), organization: "acme" });
    const sql = openSql({ url: "https://a.invalid", token: async () => "" });
    const methods = (port: object) =>
      Object.entries(port).flatMap(([key, is]) => (typeof is === "function" ? key : []));
    assert.deepEqual(methods(platform).sort(), Object.keys(platformCalls).sort());
    assert.deepEqual(methods(platform.directory!).sort(), Object.keys(directoryCalls).sort());
    assert.deepEqual(methods(sql).sort(), Object.keys(sqlCalls).sort());
    const used = new Set<string>();
    for (const fault of faultColumns) {
      for (const kind of (await tryCell(platformCalls.getDatabase[0]!, fault)).faults) used.add(kind);
    }
    assert.deepEqual([...used].sort(), [...faults].sort());
  }).timeout(120_000);

  after(async () => {
    await closeConnections();
    const legend = Object.entries(letters).map(([code, letter]) => `${letter} ${code}`);
    const number = (at: number) => String(at + 1).padEnd(3);
    console.log(
      [
        `${legend.join(", ")}; a capital: perhaps done. Then the requests (36 and more: *).`,
        ...faultColumns.map(({ name }, at) => `${number(at)}${name}`),
        `${"".padEnd(38)} ${faultColumns.map((_, at) => number(at)).join("")}`,
        ...matrix,
      ]
        .map((line) => `      ${line}`)
        .join("\n"),
    );
  });
});

function shown({ outcome, requests }: Cell): string {
  const letter = letters[outcome.replace("?", "")];
  assert.ok(letter, `There is no letter for ${outcome}.`);
  return (outcome.endsWith("?") ? letter.toUpperCase() : letter) + (requests < 36 ? requests.toString(36) : "*");
}

describe("turso driver under faults that many calls share", () => {
  const calls = Object.values(platformCalls).flat();
  const organization = "acme";

  it("spends one request on a wrong token, whatever is asked at the same time", async () => {
    await withScriptedServer(
      () => ({ status: 401, json: { error: "bad token" }, delay: 5 }),
      async (server) => {
        const platform = tursoPlatform({ apiUrl: server.url, apiToken: freshToken(), organization });
        const sql = openSql({ url: server.url, token: async () => "" });
        // The list of locations needs no token.
        const asked = calls.filter(({ kind, subject }) => kind !== "pure" && subject !== "list locations");
        const results = await Promise.allSettled(asked.map(async ({ run }) => run({ platform, sql })));
        assert.ok(results.every(({ status }) => status === "rejected"));
        assert.equal(server.requests.length, 1);
      },
    );
  });

  it("finds out once that nobody is there", async () => {
    const clock = virtualClock();
    const platform = tursoPlatform({ apiUrl: await refusingUrl(), apiToken: freshToken(), organization, clock });
    const results = await Promise.allSettled(Array.from({ length: 200 }, () => platform.getDatabase("a")));
    for (const result of results) assert.ok(result.status === "rejected" && hasCode(result.reason, "unreachable"));
    assert.ok(clock.now() < 90_000, `${clock.now()} ms`);
  });

  it("does not let each of many calls wait for a platform that has fallen silent", async () => {
    const clock = virtualClock();
    let silent = false;
    await withScriptedServer(
      () => {
        if (silent) clock.ring();
        return silent ? { fault: "drop" } : { json: { database: { Name: "a", DbId: "id-a", Hostname: "a.invalid" } } };
      },
      async (server) => {
        const settings = { apiUrl: server.url, apiToken: freshToken(), organization, concurrency: 4, clock };
        const platform = tursoPlatform(settings);
        const all = () => Promise.allSettled(Array.from({ length: 100 }, () => platform.getDatabase("a")));
        assert.ok((await all()).every(({ status }) => status === "fulfilled"));
        silent = true;
        for (const result of await all())
          assert.ok(result.status === "rejected" && hasCode(result.reason, "timed-out"));
        assert.ok(clock.now() < 240_000, `${clock.now()} ms`);
        const asked = server.requests.length - 100;
        assert.ok(asked <= 20, `${asked} requests`);
        // Back again, it is found by the next call.
        silent = false;
        assert.ok((await all()).every(({ status }) => status === "fulfilled"));
      },
    );
  });
});

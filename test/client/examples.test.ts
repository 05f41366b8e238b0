import assert from "node:assert/strict";
import { once } from "node:events";
import { subjectName } from "../../sdk/client";
import { type Bench, withBench } from "../support/bench";
import { startExample } from "../support/example-app";

/** Runs an example to its end. */
async function run(file: string, { platform }: Bench): Promise<string> {
  const example = startExample(file, platform);
  const [code] = (await once(example.process, "close")) as [number];
  assert.equal(code, 0, example.output());
  return example.output();
}

describe("examples of applications", function () {
  // Each is a process that compiles itself.
  this.timeout(60_000);

  it("signup: makes a database at sign-up, once, and connects in each request", async () => {
    await withBench(async (bench) => {
      const example = startExample("signup/server.ts", bench.platform, { PORT: "0" });
      try {
        const address = await example.printed(/http:\/\/127\.0\.0\.1:\d+/);
        const ask = (method: string, at: string, user: string, body?: string) =>
          fetch(address + at, { method, headers: user ? { "x-user": user } : {}, body });
        assert.equal((await ask("GET", "/notes", "")).status, 401);
        assert.equal((await ask("GET", "/notes", "ada")).status, 404);
        const signups = await Promise.all(Array.from({ length: 5 }, () => ask("POST", "/signup", "ada")));
        assert.deepEqual(signups.map(({ status }) => status).sort(), [200, 200, 200, 200, 201]);
        await ask("POST", "/signup", "bob");
        for (const user of ["ada", "bob"]) assert.equal((await ask("POST", "/notes", user, `of ${user}`)).status, 204);
        assert.deepEqual(await (await ask("GET", "/notes", "ada")).json(), ["of ada"]);
        // Every token is ended, and nobody notices.
        await bench.api("POST", `/databases/${await subjectName("ada")}/auth/rotate`);
        assert.deepEqual(await (await ask("GET", "/notes", "ada")).json(), ["of ada"]);
        const left = (await (await ask("DELETE", "/account", "bob")).json()) as { text: string };
        assert.match(left.text, /stays in group "eu" with all its rows/);
        assert.notEqual((await ask("GET", "/notes", "bob")).status, 200);
        assert.equal((await ask("POST", "/signup", "bob")).status, 200);
        assert.deepEqual(await (await ask("GET", "/notes", "bob")).json(), ["of bob"]);
      } finally {
        await example.stop();
      }
    });
  });

  it("cross-tenant-metrics: adds up what every tenant answers, and says who did not", async () => {
    await withBench(async (bench) => {
      for (const [name, cents] of [
        ["acme", [500, 250]],
        ["bolt", [1_999]],
        ["corp", []],
        ["dent", [1, 2, 3]],
      ] as const) {
        await bench.api.ok("POST", "/databases", { name, group: "eu" });
        await bench.sql(name, "CREATE TABLE orders (cents INTEGER)");
        for (const one of cents) await bench.sql(name, `INSERT INTO orders VALUES (${one})`);
      }
      await bench.api.ok("POST", "/databases", { name: "empty", group: "eu" });
      const lines = (await run("cross-tenant-metrics/report.ts", bench)).trimEnd().split("\n");
      assert.deepEqual(lines.slice(0, 4), [
        "4 tenants, 27.55 in all",
        "bolt: 19.99 in 1 orders",
        "acme: 7.50 in 2 orders",
        "dent: 0.06 in 3 orders",
      ]);
      assert.match(lines[4] ?? "", /^not asked: empty: .*no such table: orders/);
    });
  });

  it("ai-agent-memory: recalls by meaning what this agent was told, and nothing of another's", async () => {
    await withBench(async (bench) => {
      const lines = (await run("ai-agent-memory/chat.ts", bench)).trimEnd().split("\n");
      assert.deepEqual(lines, ["[ 'The meeting with the bank is on Tuesday' ]", "[ 'Bob drinks tea' ]"]);
      assert.equal((await bench.databases()).length, 2);
      // Again, by another process: the memory is there.
      const again = (await run("ai-agent-memory/chat.ts", bench)).trimEnd().split("\n");
      assert.equal(again[0], lines[0]);
      assert.equal((await bench.sql(await subjectName("agent-of-ada"), "SELECT * FROM memories")).length, 6);
    });
  });
});

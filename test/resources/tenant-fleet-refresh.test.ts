import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Fate, LineCall } from "../support/faulty-line";
import { member, recordsOf, withFleetScene } from "../support/fleet-scene";

const size = 300;
const withSchema = 30;
/** Per list call here, so that 300 tenants need two. */
const page = 200;

describe("the refresh of a TenantFleet", function () {
  this.timeout(120_000);

  it("costs a call for each page of the list and a look at each ledger, however many tenants there are", async () => {
    await withFleetScene(async ({ bench, declare, up, refresh, schema }) => {
      const ref = await schema({ "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" });
      const members = Array.from({ length: size }, (_, n) =>
        member(String(n), n < withSchema ? { schema: ref, blockWrites: n % 2 === 0 } : {}),
      );
      const before = recordsOf((await up(declare(members)))!.outputs);

      const inPages = async ({ path, authorization }: LineCall): Promise<Fate> => {
        if (!path.includes("limit=1000")) return "pass";
        const asked = bench.platform.url + path.replace("limit=1000", `limit=${page}`);
        const reply = await fetch(asked, { headers: { authorization } });
        return { status: reply.status, text: await reply.text() };
      };
      const { context, line } = await bench.contextOn(inPages);
      assert.deepEqual(recordsOf(await refresh(context)), before);

      const isData = ({ path }: LineCall): boolean => path.startsWith("/db/");
      const control = line.calls.filter((call) => !isData(call)).map(({ method, path }) => `${method} ${path}`);
      const lists = control.filter((call) => /^GET \S+\/databases\?/.test(call));
      assert.equal(lists.length, Math.ceil((size + 2) / page), "the tenants, the registry and the template");
      // Whose organization it is, and the token for the ledgers.
      const others = control.filter((call) => !lists.includes(call));
      assert.ok(others.length <= 3, others.join("\n"));
      const read = new Set(line.calls.filter(isData).map(({ path }) => path.split("/")[2]));
      assert.ok(line.calls.filter(isData).length <= withSchema + 2, "one request for each ledger");
      assert.ok(read.size <= withSchema + 1, [...read].join());
    });
  });
});

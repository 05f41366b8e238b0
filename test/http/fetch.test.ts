import assert from "node:assert/strict";
import { createClient } from "../../provider/platform/libsql-client";
import { pooledFetch } from "../../provider/http/fetch";
import { refusingUrl, withScriptedServer } from "../support/scripted-server";

describe("pooled fetch", () => {
  it("passes method, headers and body on and the answer back", async () => {
    await withScriptedServer(
      ({ method, body }) => ({ status: 418, json: { method, body }, headers: { "x-a": "b" } }),
      async (server) => {
        const headers = { "content-type": "application/json", authorization: "Bearer x" };
        const response = await pooledFetch(
          new Request(`${server.url}/v2/pipeline`, { method: "POST", body: '{"a":1}', headers }),
        );
        assert.equal(response.status, 418);
        assert.equal(response.headers.get("x-a"), "b");
        assert.deepEqual(await response.json(), { method: "POST", body: { a: 1 } });
        assert.equal(server.requests[0]?.headers.authorization, "Bearer x");
      },
    );
  });

  it("serves @libsql/client", async () => {
    const result = {
      cols: [{ name: "x" }],
      rows: [[{ type: "integer", value: "1" }]],
      affected_row_count: 0,
      last_insert_rowid: null,
    };
    const results = [
      { type: "ok", response: { type: "execute", result } },
      { type: "ok", response: { type: "close" } },
    ];
    await withScriptedServer(
      () => ({ json: { baton: null, base_url: null, results } }),
      async (server) => {
        const sql = createClient({ url: server.url, fetch: pooledFetch });
        assert.deepEqual(
          (await sql.execute("SELECT 1 AS x")).rows.map(({ x }) => x),
          [1],
        );
        sql.close();
      },
    );
  });

  it("names a host that refuses, and knows that nothing was sent", async () => {
    const url = await refusingUrl();
    await assert.rejects(pooledFetch(new Request(url)), { code: "unreachable", afterLostReply: false });
  });

  it("gives up in time and knows that the effect is open", async () => {
    await withScriptedServer(
      () => ({ delay: 300 }),
      async (server) => {
        const slow = pooledFetch(new Request(server.url), { timeout: 50 });
        await assert.rejects(slow, { code: "timed-out", afterLostReply: true });
      },
    );
  });
});

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { describe, it } from "mocha";
import { startLocalPlatform } from "../../provider/local";
import { apiCaller, mint } from "./api-caller";

describe("closing the embedded platform", () => {
  it("answers what is under way and then ends the connection, also a busy client's", async () => {
    const platform = await startLocalPlatform();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = { authorization: `Bearer ${platform.apiToken}` };
    const ask = async (): Promise<void> => {
      const asking = request(`${platform.url}/v1/locations`, { agent, headers }).end();
      const [answer] = (await once(asking, "response")) as [IncomingMessage];
      await once(answer.resume(), "end");
    };
    try {
      const body = JSON.stringify({ name: "eu", location: "local" });
      const underWay = request(`${platform.url}/v1/organizations/local/groups`, {
        method: "POST",
        agent,
        headers: { ...headers, expect: "100-continue", "content-length": body.length },
      });
      underWay.flushHeaders();
      // Now the platform has begun with it.
      await once(underWay, "continue");
      const closed = platform.close();
      underWay.end(body);
      const [answer] = (await once(underWay, "response")) as [IncomingMessage];
      assert.equal(answer.statusCode, 200);
      await once(answer.resume(), "end");
      await assert.rejects(ask(), { code: "ECONNREFUSED" });
      await closed;
    } finally {
      agent.destroy();
      await platform.close();
    }
  });

  it("waits for no statement without an end, and tells its caller", async () => {
    const platform = await startLocalPlatform();
    const api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    for (const name of ["slow", "other"]) await api.ok("POST", "/databases", { name, group: "g" });
    const token = await mint(api, "groups/g");
    const run = (name: string, sql: string) =>
      fetch(`${platform.databaseUrl(name)}v2/pipeline`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] }),
      });
    const endless = run(
      "slow",
      "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r",
    );
    // It runs: another database had to be served elsewhere.
    await run("other", "SELECT 1");
    await platform.close();
    const answer = await endless;
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /SQL_PROCESS_ENDED/);
  });
});

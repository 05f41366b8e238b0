import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { describe, it } from "mocha";
import { startLocalPlatform } from "../../provider/local";

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
});

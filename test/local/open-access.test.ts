import assert from "node:assert/strict";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { isLoopback } from "../../provider/local/foreign-page";
import { createClient } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "./api-caller";

describe("embedded platform: without tokens", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let platform: LocalPlatform;
  before(async () => {
    platform = await startLocalPlatform({ auth: false });
    const api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    await api.ok("POST", "/databases", { name: "a", group: "g" });
  });
  after(() => platform.close());

  const send = (path: string, headers: Record<string, string>, body?: object): Promise<Response> =>
    fetch(platform.url + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const groups = "/v1/organizations/local/groups";
  const select = { requests: [{ type: "execute", stmt: { sql: "SELECT 1" } }] };

  it("lets everybody in to everything, on both sides", async () => {
    assert.equal((await send(groups, {}, { name: "open", location: "local" })).status, 200);
    const client = createClient({ url: platform.databaseUrl("a") });
    await client.batch(["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"], "write");
    assert.equal((await client.execute("SELECT * FROM t")).rows.length, 1);
    client.close();
  });

  it("still checks a token that is given, and keeps a block", async () => {
    const api = apiCaller(platform, "local");
    assert.equal((await send(groups, { authorization: "Bearer wrong" })).status, 401);
    assert.equal((await send(groups, { authorization: "Basic eDp5" })).status, 401);
    for (const authorization of ["Bearer a.b.c", "Basic eDp5", `Bearer ${platform.apiToken}`])
      assert.equal((await send("/db/a/v2/pipeline", { authorization }, select)).status, 401, authorization);
    const readOnly = createClient({
      url: platform.databaseUrl("a"),
      authToken: await mint(api, "databases/a", "authorization=read-only"),
    });
    await assert.rejects(readOnly.execute("CREATE TABLE u (x)"));
    readOnly.close();
    await api.ok("PATCH", "/databases/a/configuration", { block_reads: true });
    const client = createClient({ url: platform.databaseUrl("a") });
    await assert.rejects(client.execute("SELECT 1"), { code: "BLOCKED" });
    client.close();
    await api.ok("PATCH", "/databases/a/configuration", { block_reads: false });
  });

  it("lets pages of this machine in, and none of the web's", async () => {
    for (const [origin, status] of [
      ["http://localhost:3000", 200],
      ["http://127.0.0.1:8080", 200],
      ["https://attacker.example", 403],
      ["http://localhost.attacker.example", 403],
      ["null", 403],
    ] as const) {
      assert.equal((await send(groups, { origin })).status, status, origin);
      assert.equal((await send("/db/a/v2/pipeline", { origin }, select)).status, status, origin);
    }
    const headers = { origin: "https://app.example", authorization: `Bearer ${platform.apiToken}` };
    assert.equal((await send(groups, headers)).status, 200, "who has the token");
  });

  it("is asked for: by default both sides want a token", async () => {
    const closed = await startLocalPlatform();
    assert.equal((await fetch(closed.url + groups)).status, 401);
    await apiCaller(closed, "local").ok("POST", "/groups", { name: "g", location: "local" });
    await apiCaller(closed, "local").ok("POST", "/databases", { name: "a", group: "g" });
    const answer = await fetch(`${closed.databaseUrl("a")}v2/pipeline`, {
      method: "POST",
      body: JSON.stringify(select),
    });
    assert.equal(answer.status, 401);
    await closed.close();
  });

  it("knows which hosts are this machine only", () => {
    for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "a.localhost", "::1", "[::1]"])
      assert.ok(isLoopback(host), host);
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "127.0.0.1.example", "", "null"])
      assert.ok(!isLoopback(host), host);
  });
});

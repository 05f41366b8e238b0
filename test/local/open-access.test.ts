import assert from "node:assert/strict";
import { Hono } from "hono";
import { connect } from "node:net";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { isLoopback, refuseForeignPages } from "../../provider/local/foreign-page";
import { answerProblem } from "../../provider/local/problem";
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

  /** The status of a request as it is written, over a connection of its own. */
  const raw = (to: string, ...lines: string[]): Promise<number> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(to);
      const socket = connect({ host: hostname, port: Number(port) });
      let text = "";
      socket.on("data", (part) => (text += part.toString("latin1")));
      socket.on("error", reject);
      socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d+) /.exec(text)?.[1])));
      socket.write([...lines, "Connection: close", "", ""].join("\r\n"));
    });
  const body = JSON.stringify(select);
  const post = (...lines: string[]) => raw(platform.url, "POST /db/a/v2/pipeline HTTP/1.1", ...lines);

  it("refuses a page's simple request, for which no browser asks first", async () => {
    const sent = (origin: string) =>
      fetch(`${platform.url}/db/a/v2/pipeline`, {
        method: "POST",
        headers: { origin, "content-type": "text/plain" },
        body,
      });
    assert.equal((await sent("https://attacker.example")).status, 403);
    assert.equal((await sent("http://localhost:5173")).status, 200);
  });

  it("is found under names of this machine, and under none that may lead elsewhere", async () => {
    const { port } = new URL(platform.url);
    const own = ["localhost", `localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, "LOCALHOST:80", "10.1.2.3"];
    for (const host of [...own, "a-local.tenantry.localhost", "[fe80::1]:9"])
      assert.equal(await raw(platform.url, `GET ${groups} HTTP/1.1`, `Host: ${host}`), 200, host);
    const foreign = ["attacker.example", `attacker.example:${port}`, "localhost.attacker.example", "a-local.attacker"];
    for (const host of [...foreign, "127.0.0.1.nip.example", "0.0.0.0.example", "host"]) {
      assert.equal(await raw(platform.url, `GET ${groups} HTTP/1.1`, `Host: ${host}`), 403, host);
      assert.equal(await post(`Host: ${host}`, "Content-Length: 0"), 403, host);
      // Who has a token may call it what they like.
      const authorization = `Authorization: Bearer ${platform.apiToken}`;
      assert.equal(await raw(platform.url, `GET ${groups} HTTP/1.1`, `Host: ${host}`, authorization), 200, host);
    }
    for (const host of ["localhost@attacker.example", "attacker.example#localhost", ""])
      assert.equal(await raw(platform.url, `GET ${groups} HTTP/1.1`, `Host: ${host}`), 400, host);
  });

  it("is found under the name that it was told to listen on", async () => {
    const named = await startLocalPlatform({ auth: false, host: "localhost" });
    const all = await startLocalPlatform({ auth: false, host: "0.0.0.0" });
    try {
      assert.equal(await raw(named.url, `GET ${groups} HTTP/1.1`, "Host: localhost"), 200);
      assert.match(all.url, /^http:\/\/127\.0\.0\.1:\d+$/, "an address that every system can connect to");
      assert.equal(await raw(all.url, `GET ${groups} HTTP/1.1`, "Host: 192.0.2.7:7117"), 200);
      assert.equal(await raw(all.url, `GET ${groups} HTTP/1.1`, "Host: box.example:7117"), 403);
    } finally {
      await named.close();
      await all.close();
    }
    const app = new Hono().use(refuseForeignPages("Box.example")).get("/", (c) => c.text("in"));
    app.onError(answerProblem);
    const status = async (host: string) => (await app.request("/", { headers: { host } })).status;
    assert.deepEqual([await status("box.example:7117"), await status("box.example.evil")], [200, 403]);
  });

  it("takes one Host header, with and without tokens", async () => {
    const closed = await startLocalPlatform();
    try {
      for (const { url } of [platform, closed]) {
        for (const two of [
          ["Host: localhost", "Host: localhost"],
          ["Host: localhost", "hOST: attacker.example"],
        ])
          assert.equal(await raw(url, "GET /health HTTP/1.1", ...two), 400);
        assert.equal(await raw(url, "GET /health HTTP/1.1", "Host: localhost"), 200);
      }
    } finally {
      await closed.close();
    }
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

import assert from "node:assert/strict";
import { request } from "node:http";
import { startLocalPlatform } from "../../provider/local";
import type { LocalPlatform } from "../../provider/local";
import { createClient } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "./api-caller";

const selectOne = { baton: null, requests: [{ type: "execute", stmt: { sql: "SELECT 1" } }, { type: "close" }] };

describe("embedded platform: addresses of databases", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let platform: LocalPlatform;
  let token: string;
  let other: string;

  before(async () => {
    platform = await startLocalPlatform({ organizations: ["acme", "globex"] });
    for (const organization of platform.organizations) {
      const api = apiCaller(platform, organization);
      await api.ok("POST", "/groups", { name: "g", location: "local" });
      await api.ok("POST", "/databases", { name: "a", group: "g" });
    }
    token = await mint(apiCaller(platform, "acme"), "groups/g");
    other = await mint(apiCaller(platform, "globex"), "groups/g");
  });
  after(() => platform.close());

  const post = async (
    path: string,
    authorization: string,
    host?: string,
    body: unknown = selectOne,
  ): Promise<{ status: number; type: string; text: string }> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${authorization}`, ...(host === undefined ? {} : { host }) };
      const sent = request(platform.url + path, { method: "POST", headers }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", text }),
        );
      });
      sent.on("error", reject);
      sent.end(typeof body === "string" ? body : JSON.stringify(body));
    });

  const table: [string, string, () => string, string | undefined, number][] = [
    ["by path", "/db/a/v2/pipeline", () => token, undefined, 200],
    ["by path, protocol 3", "/db/a/v3/pipeline", () => token, undefined, 200],
    ["by path and default organization", "/org/acme/db/a/v2/pipeline", () => token, undefined, 200],
    ["by path and other organization", "/org/globex/db/a/v2/pipeline", () => other, undefined, 200],
    ["of another organization", "/org/globex/db/a/v2/pipeline", () => token, undefined, 401],
    ["by host", "/v2/pipeline", () => token, "a-acme.tenantry.localhost", 200],
    ["by host and port, protocol 3", "/v3/pipeline", () => other, "a-globex.tenantry.localhost:7117", 200],
    ["by unknown host", "/v2/pipeline", () => token, undefined, 404],
    ["unknown", "/db/b/v2/pipeline", () => token, undefined, 404],
    ["of an unknown organization", "/org/none/db/a/v2/pipeline", () => token, undefined, 404],
    ["out of the folder", "/db/..%2fcontrol/v2/pipeline", () => token, undefined, 404],
    ["badly encoded", "/db/%ff/v2/pipeline", () => token, undefined, 404],
  ];
  for (const [what, path, bearer, host, status] of table) {
    it(`${what}: ${status}`, async () => {
      const answer = await post(path, bearer(), host);
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.type, "application/json");
    });
  }

  it("explains a URL without its last slash, through the client too", async () => {
    const client = createClient({ url: platform.databaseUrl("a").slice(0, -1), authToken: token });
    await assert.rejects(client.execute("SELECT 1"), /must end in a slash/);
  });

  it("answers bodies that are not the protocol with 400", async () => {
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      '{"requests":1}',
      '{"requests":[{"type":"dance"}]}',
      '{"baton":7,"requests":[]}',
    ]) {
      const answer = await post("/db/a/v2/pipeline", token, undefined, body);
      // A request of unknown type may also be refused in band.
      assert.ok(answer.status === 400 || /"error"/.test(answer.text), `${body}: ${answer.status} ${answer.text}`);
    }
  });

  it("does not let a tenant's SQL reach other files", async () => {
    const client = createClient({ url: platform.databaseUrl("a"), authToken: token });
    const control = `${platform.directory}/control.db`;
    const reaching = [
      `ATTACH '${control}' AS c`,
      `ATTACH 'file:${control}?mode=ro' AS c`,
      `/* x */ ATTACH DATABASE '${control}' AS c`,
      `VACUUM INTO '${platform.directory}/stolen.db'`,
      `SELECT load_extension('x')`,
      `PRAGMA temp_store_directory = '${platform.directory}'`,
    ];
    for (const sql of reaching) await assert.rejects(client.execute(sql), Error, sql);
    for (const sql of reaching) await assert.rejects(client.executeMultiple(sql), Error, sql);
    await assert.rejects(client.executeMultiple(`SELECT 1; ATTACH '${control}' AS c; SELECT api_token FROM c.meta;`));
  });

  it("says which protocol it speaks", async () => {
    assert.equal((await fetch(`${platform.databaseUrl("a")}v2`)).status, 200);
    assert.equal((await fetch(`${platform.url}/v2`)).status, 200);
    assert.equal((await fetch(`${platform.url}/v3`)).status, 200);
  });
});

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { startLocalPlatform, type LocalPlatform } from "../provider/local";

const root = path.resolve(__dirname, "..");
const text = readFileSync(path.join(root, "SECURITY.md"), "utf8");

// Other claims of SECURITY.md are held by the tests it names, by test/local/file-modes.test.ts and test/local/fuzz-*.
describe("SECURITY.md", () => {
  let platform: LocalPlatform;
  before(async () => (platform = await startLocalPlatform()));
  after(() => platform.close());

  it("names tests that exist", () => {
    const named = [...text.matchAll(/`(test\/[\w./*-]+)`/g)].map(([, file]) => file!);
    assert.ok(named.length >= 3);
    for (const file of named) {
      const pattern = new RegExp(`^${path.basename(file).replaceAll(".", "\\.").replace("*", ".*")}$`);
      const folder = path.join(root, path.dirname(file));
      assert.ok(existsSync(folder) && readdirSync(folder).some((name) => pattern.test(name)), file);
    }
  });

  it("names every call that needs no token", async () => {
    const claimed = [
      ...(/Each call needs a token, except (.*?), which/s.exec(text)?.[1] ?? "").matchAll(/`(\/[\w/]+)`/g),
    ];
    const open = claimed.map(([, call]) => call!);
    assert.deepEqual(open, ["/health", "/version", "/v1/locations", "/tenantry/identity"]);
    for (const call of open) {
      const answer = await fetch(platform.url + call);
      assert.equal(answer.status, 200, call);
      const body = await answer.text();
      assert.ok(!body.includes(platform.apiToken) && !body.includes(platform.directory), call);
    }
    const organization = "/v1/organizations/local";
    for (const call of ["/v1/organizations", organization, `${organization}/groups`, `${organization}/databases`]) {
      assert.equal((await fetch(platform.url + call)).status, 401, call);
    }
    for (const call of ["/v1/auth/validate", "/v1/auth/api-tokens", `${organization}/plans`, `${organization}/usage`]) {
      assert.equal((await fetch(platform.url + call)).status, 401, call);
    }
  });

  it("listens on this machine only, and lets no page of a browser read its answers", async () => {
    assert.match(platform.url, /^http:\/\/127\.0\.0\.1:\d+$/);
    const answer = await fetch(`${platform.url}/v1/locations`, { headers: { origin: "http://example.invalid" } });
    const headers = [...answer.headers.keys()].filter((name) => name.startsWith("access-control"));
    assert.deepEqual(headers, []);
  });
});

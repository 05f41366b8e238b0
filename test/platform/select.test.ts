import assert from "node:assert/strict";
import { selectPlatform } from "../../provider/platform/select";
import { newSigningKey } from "../../provider/signing-key";
import { readSettings } from "../../provider/platform/settings";

describe("selectPlatform", () => {
  it("gives the Turso driver, and asks nothing for its scope", async () => {
    const platform = selectPlatform(readSettings({ platform: "turso", organization: "acme", apiToken: "t" }, {}));
    assert.equal(platform.name, "turso");
    assert.deepEqual(await platform.scope(), { platform: "turso", organization: "acme", host: "api.turso.tech" });
    assert.equal(platform.databaseUrl({ name: "a", hostname: "a-acme.turso.io" }), "libsql://a-acme.turso.io");
  });

  it("passes the address template on", () => {
    const config = {
      platform: "turso",
      organization: "acme",
      apiToken: "t",
      databaseUrl: "http://127.0.0.1:9000/db/{name}/",
    };
    const platform = selectPlatform(readSettings(config, {}));
    assert.equal(platform.databaseUrl({ name: "a", hostname: "h" }), "http://127.0.0.1:9000/db/a/");
  });

  it("gives the local driver", () => {
    const config = { platform: "local", apiUrl: "http://127.0.0.1:7117", apiToken: "t" };
    const platform = selectPlatform(readSettings(config, {}));
    assert.equal(platform.name, "local");
    assert.equal(platform.databaseUrl({ name: "a", hostname: "h" }), "http://127.0.0.1:7117/db/a/");
  });

  it("gives the libsql-server driver, which finds a database by its host's name", () => {
    const config = {
      ...{ platform: "libsql-server", apiUrl: "http://127.0.0.1:9090", signingKey: newSigningKey() },
      databaseUrl: "http://{name}.localhost:8080",
    };
    const platform = selectPlatform(readSettings(config, {}));
    assert.equal(platform.name, "libsql-server");
    assert.equal(platform.databaseUrl({ name: "a", hostname: "h" }), "http://a.localhost:8080");
  });

  it("gives the PerSQL driver, which serves SQL at the API's address", () => {
    const platform = selectPlatform(readSettings({ platform: "persql", apiToken: "t", organization: "acme" }, {}));
    assert.deepEqual(platform.knownScope(), { platform: "persql", organization: "acme", host: "api.persql.com" });
    const url = platform.databaseUrl({ name: "a", hostname: "acme/u-1" });
    assert.equal(url, "https://api.persql.com/v1/db/acme/u-1");
    platform.openSql!({ name: "a", url }, { access: "read-only" }).close();
  });

  it("refuses settings that lack what their platform needs", () => {
    const settings = readSettings({ platform: "local" }, {});
    for (const platform of ["turso", "libsql-server", "persql", "tenantsdb"] as const) {
      assert.throws(() => selectPlatform({ ...settings, platform }), { code: "not-configured" }, platform);
    }
  });
});

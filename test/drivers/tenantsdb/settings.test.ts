import assert from "node:assert/strict";
import { selectPlatform } from "../../../provider/platform/select";
import { readSettings } from "../../../provider/platform/settings";

const tenantsdb = { platform: "tenantsdb", apiToken: "tenantsdb_sk_1", organization: "tdb_1" };

describe("settings of TenantsDB", () => {
  it("are a key, a project, and perhaps the project's password", () => {
    const settings = readSettings({ ...tenantsdb, proxyPassword: "tdb_pw" }, {});
    assert.equal(settings.proxyPassword, "tdb_pw");
    assert.equal(selectPlatform(settings).name, "tenantsdb");
    assert.equal(readSettings(tenantsdb, { TENANTRY_PROXY_PASSWORD: "tdb_other" }).proxyPassword, "tdb_other");
  });

  it("are missed by name, and take no template of addresses", () => {
    assert.throws(() => readSettings({ ...tenantsdb, apiToken: undefined }, {}), {
      code: "credentials-missing",
      message: /--secret tenantry:apiToken/,
    });
    assert.throws(() => readSettings({ ...tenantsdb, organization: undefined }, {}), {
      code: "not-configured",
      message: /tenantry:organization <id>.*tdb_/,
    });
    assert.throws(() => readSettings({ ...tenantsdb, databaseUrl: "libsql://{name}" }, {}), {
      code: "invalid-input",
      message: /connection strings, which no template makes/,
    });
    // A key in place of the project is not repeated.
    assert.throws(
      () => readSettings({ ...tenantsdb, organization: "tenantsdb_sk_1234567890" }, {}),
      (error: Error) => !error.message.includes("1234567890"),
    );
  });
});

import assert from "node:assert/strict";
import { type Config } from "../../provider/platform/connections";
import { type ErrorCode, hasCode } from "../../provider/platform/errors";
import { readSettings } from "../../provider/platform/settings";

const secret = "a-token-of-turso";

describe("readSettings for PerSQL", () => {
  it("reads PerSQL's, which needs a token and never gets Turso's", () => {
    const environment = { TURSO_API_TOKEN: secret, TURSO_ORGANIZATION: "acme", TENANTRY_API_TOKEN: "psql_live_1" };
    const settings = readSettings({ platform: "persql" }, environment);
    assert.deepEqual(
      [settings.apiUrl, settings.apiToken, settings.organization],
      ["https://api.persql.com", "psql_live_1", undefined],
    );
  });

  const cases: [string, Config, ErrorCode, RegExp][] = [
    [
      "no token of PerSQL",
      { platform: "persql" },
      "credentials-missing",
      /No PerSQL API token.*--secret tenantry:apiToken.*TENANTRY_API_TOKEN/,
    ],
    [
      "another address for PerSQL's databases",
      { platform: "persql", apiToken: "t", databaseUrl: "https://proxy.example/{name}" },
      "invalid-input",
      /^tenantry:databaseUrl: PerSQL serves its databases at the API's own address/,
    ],
  ];
  for (const [what, config, code, message] of cases) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => readSettings(config, {}),
        (error) => hasCode(error, code) && message.test(error.message),
      );
    });
  }
});

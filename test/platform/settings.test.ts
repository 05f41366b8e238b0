import assert from "node:assert/strict";
import fc from "fast-check";
import { tokenVariable } from "../../provider/platform/connections";
import { type ErrorCode, TenantryError } from "../../provider/platform/errors";
import { type ConnectionSettings, readSettings } from "../../provider/platform/settings";
import { newSigningKey } from "../../provider/signing-key";

const turso = { platform: "turso", organization: "acme", apiToken: "config-token" };
const libsqlServer = {
  platform: "libsql-server",
  apiUrl: "http://127.0.0.1:9090",
  databaseUrl: "http://{name}.localhost:8080",
  signingKey: newSigningKey(),
};
const secret = "s3cret-value-of-a-token";
const jwt = `eyJhbGciOiJFZERTQSJ9.eyJpZCI6IjEifQ.${secret}`;

type Config = Record<string, string | undefined>;

function refusal(config: Config, env: NodeJS.ProcessEnv = {}, connection?: string): TenantryError {
  try {
    readSettings(config, env, connection);
  } catch (error) {
    assert.ok(error instanceof TenantryError, String(error));
    return error;
  }
  return assert.fail("it was accepted");
}

describe("readSettings", () => {
  it("fills in Turso's defaults", () => {
    const settings = readSettings(turso, {});
    assert.deepEqual(settings, {
      connection: undefined,
      platform: "turso",
      organization: "acme",
      apiUrl: "https://api.turso.tech",
      apiToken: "config-token",
      databaseUrl: undefined,
      signingKey: undefined,
      concurrency: 32,
      maxRemovals: undefined,
      sources: { platform: "tenantry:platform", organization: "tenantry:organization", apiToken: "tenantry:apiToken" },
    } satisfies ConnectionSettings);
  });

  it("needs nothing but the platform for local", () => {
    const { platform, organization, apiUrl, apiToken } = readSettings({ platform: "local" }, {});
    assert.deepEqual([platform, organization, apiUrl, apiToken], ["local", undefined, undefined, undefined]);
  });

  describe("environment", () => {
    const wins: [string, keyof ConnectionSettings, string, unknown][] = [
      ["TENANTRY_ORGANIZATION", "organization", "other", "other"],
      ["TURSO_ORGANIZATION", "organization", "other", "other"],
      ["TURSO_ORG", "organization", "other", "other"],
      ["TENANTRY_API_TOKEN", "apiToken", "t", "t"],
      ["TURSO_API_TOKEN", "apiToken", "t", "t"],
      ["TURSO_TOKEN", "apiToken", "t", "t"],
      ["TENANTRY_API_URL", "apiUrl", "https://proxy.example/", "https://proxy.example"],
      ["TURSO_API_URL", "apiUrl", "https://proxy.example/turso/", "https://proxy.example/turso"],
      ["TURSO_BASE_URL", "apiUrl", "https://api.turso.tech/v1/", "https://api.turso.tech"],
      ["TENANTRY_DATABASE_URL", "databaseUrl", "libsql://{hostname}", "libsql://{hostname}"],
      ["TENANTRY_CONCURRENCY", "concurrency", "8", 8],
      ["TENANTRY_MAX_REMOVALS", "maxRemovals", "0", 0],
    ];
    const config = {
      ...turso,
      apiUrl: "https://config.example",
      databaseUrl: "https://config.example/{name}",
      concurrency: "5",
      maxRemovals: "20",
    };
    for (const [variable, key, value, expected] of wins) {
      it(`${variable} wins over tenantry:${key}`, () => {
        const settings = readSettings(config, { [variable]: value });
        assert.equal(settings[key], expected);
        assert.equal(settings.sources[key as keyof ConnectionSettings["sources"]], variable);
      });
    }

    it("chooses the platform", () => {
      assert.equal(readSettings({ platform: "turso" }, { TENANTRY_PLATFORM: "local" }).platform, "local");
    });

    it("puts TENANTRY_API_TOKEN before TURSO_API_TOKEN before TURSO_TOKEN", () => {
      const env = { TURSO_TOKEN: "c", TURSO_API_TOKEN: "b", TENANTRY_API_TOKEN: "a" };
      assert.equal(readSettings(turso, env).apiToken, "a");
      assert.equal(readSettings(turso, { ...env, TENANTRY_API_TOKEN: undefined }).apiToken, "b");
    });

    it("counts an empty variable as none, as pipelines set it where a secret is withheld", () => {
      assert.equal(readSettings(turso, { TURSO_API_TOKEN: "", TENANTRY_API_TOKEN: "  " }).apiToken, "config-token");
    });

    it("takes a token without the line break that a shell left", () => {
      assert.equal(readSettings(turso, { TURSO_API_TOKEN: "abc\n" }).apiToken, "abc");
    });

    it("never takes TURSO_* for the local platform", () => {
      const settings = readSettings(
        { platform: "local" },
        {
          TURSO_API_TOKEN: secret,
          TURSO_TOKEN: secret,
          TURSO_ORGANIZATION: secret,
          TURSO_ORG: secret,
          TURSO_API_URL: `https://${secret}.example`,
          TURSO_BASE_URL: `https://${secret}.example`,
        },
      );
      assert.ok(!JSON.stringify(settings).includes(secret));
    });
  });

  it("asks a manifest's head last, for the stack's own connection only", () => {
    const head: Record<string, string> = { platform: "local", organization: "of-the-head" };
    const asked: string[] = [];
    const last = (name: string) => {
      asked.push(name);
      return head[name] === undefined ? undefined : { value: head[name], source: `${name} in tenants.yaml` };
    };
    const settings = readSettings({}, {}, undefined, {}, last);
    assert.deepEqual([settings.platform, settings.organization], ["local", "of-the-head"]);
    assert.equal(settings.sources.platform, "platform in tenants.yaml");
    asked.length = 0;
    const configured = readSettings({ platform: "local" }, { TENANTRY_ORGANIZATION: "of-env" }, undefined, {}, last);
    assert.deepEqual([configured.organization, asked.includes("platform")], ["of-env", false]);
    const named = { connections: '{"here":{"platform":"local"}}' };
    assert.equal(readSettings(named, {}, "here", {}, last).organization, undefined);
  });

  it("lets a command's flags win, for the stack's own connection only", () => {
    const flags = { apiUrl: " http://localhost:9000 ", organization: "" };
    const config = { ...turso, connections: JSON.stringify({ here: { platform: "local" } }) };
    const settings = readSettings(config, { TURSO_API_URL: "https://elsewhere.example" }, undefined, flags);
    assert.deepEqual([settings.apiUrl, settings.sources.apiUrl], ["http://localhost:9000", "--api-url"]);
    assert.equal(settings.sources.organization, "tenantry:organization");
    assert.equal(readSettings(config, {}, "here", flags).apiUrl, undefined);
    assert.throws(() => readSettings(config, {}, undefined, { apiUrl: "ftp://x" }), /^TenantryError: --api-url: /);
  });

  describe("refusals", () => {
    const cases: [string, Config, ErrorCode, ...RegExp[]][] = [
      ["nothing configured", {}, "not-configured", /config set tenantry:platform local/, /tenantry:platform turso/],
      ["a platform that is none", { platform: "tursso" }, "invalid-input", /did you mean "turso"/],
      ["libsql-server without its admin API", { platform: "libsql-server" }, "not-configured", /tenantry:apiUrl/],
      [
        "libsql-server without addresses",
        { ...libsqlServer, databaseUrl: "" },
        "not-configured",
        /config set tenantry:databaseUrl http:\/\/\{name\}\.localhost/,
      ],
      [
        "libsql-server without a signing key",
        { ...libsqlServer, signingKey: undefined },
        "credentials-missing",
        /tenantry keygen \| pulumi config set --secret tenantry:signingKey/,
        /TENANTRY_SIGNING_KEY\./,
      ],
      [
        "half a signing key",
        { ...libsqlServer, signingKey: secret },
        "invalid-input",
        /^tenantry:signingKey/,
        /keygen/,
      ],
      [
        "no token",
        { ...turso, apiToken: undefined },
        "credentials-missing",
        /pulumi config set --secret tenantry:apiToken/,
        /TURSO_API_TOKEN/,
      ],
      [
        "no organization",
        { ...turso, organization: "" },
        "not-configured",
        /tenantry:organization/,
        /TURSO_ORGANIZATION/,
      ],
      [
        "an unknown key",
        { ...turso, apitoken: secret },
        "invalid-input",
        /tenantry:apitoken/,
        /did you mean "apiToken"/,
      ],
      ["a far key", { ...turso, colour: "red" }, "invalid-input", /tenantry:colour/, /Known settings: platform/],
      ["an address that is none", { ...turso, apiUrl: "api.turso.tech" }, "invalid-input", /tenantry:apiUrl/],
      ["another protocol", { ...turso, apiUrl: "ftp://a.example" }, "invalid-input", /http or https/],
      ["plain http", { ...turso, apiUrl: "http://a.example" }, "invalid-input", /unencrypted to a\.example/],
      ["a password in an address", { ...turso, apiUrl: `https://u:${secret}@a.example` }, "invalid-input", /password/],
      ["a query in an address", { ...turso, apiUrl: "https://a.example?x=1" }, "invalid-input", /query/],
      ["concurrency 0", { ...turso, concurrency: "0" }, "invalid-input", /from 1 to 256/],
      ["concurrency 257", { ...turso, concurrency: "257" }, "invalid-input", /from 1 to 256/],
      ["concurrency in words", { ...turso, concurrency: "many" }, "invalid-input", /"many"/],
      ["half a removal", { ...turso, maxRemovals: "0.5" }, "invalid-input", /tenantry:maxRemovals/],
      ["a token of two words", { ...turso, apiToken: `${secret} x` }, "invalid-input", /tenantry:apiToken/],
      ["an organization with a slash", { ...turso, organization: "a/b" }, "invalid-input", /slug/],
      ["a template without a name", { ...turso, databaseUrl: "https://a.example" }, "invalid-input", /\{name\}/],
      [
        "a stray placeholder",
        { ...turso, databaseUrl: "https://{host}/{name}" },
        "invalid-input",
        /\{host\} is neither/,
      ],
      ["a template of files", { ...turso, databaseUrl: "file:{name}" }, "invalid-input", /not a libsql/],
      [
        "a token in a template",
        { ...turso, databaseUrl: `libsql://{hostname}?authToken=${secret}` },
        "invalid-input",
        /outputs/,
      ],
      ...["jwt", "token", "auth_token", "access-token", "Authorization", "apiKey"].map(
        (name): [string, Config, ErrorCode, RegExp] => [
          `${name}= in a template`,
          { ...turso, databaseUrl: `libsql://{hostname}?tls=1&${name}=${secret}` },
          "invalid-input",
          /outputs/,
        ],
      ),
      [
        "a JSON Web Token in a template's path",
        { ...turso, databaseUrl: `https://a.example/${jwt}/{name}/{${secret}}` },
        "invalid-input",
        /outputs/,
      ],
      ["a fragment in a template", { ...turso, databaseUrl: "libsql://{hostname}#x" }, "invalid-input", /fragment/],
      ["a JSON Web Token as an organization", { ...turso, organization: jwt }, "invalid-input", /token rather than/],
      [
        "a local token as an organization",
        { ...turso, organization: `local_api_${secret}` },
        "invalid-input",
        /token rather than/,
      ],
      [
        "a header as an organization",
        { ...turso, organization: `Bearer ${jwt}` },
        "invalid-input",
        /token rather than/,
      ],
      [
        "connections that are no JSON",
        { ...turso, connections: `{${secret}` },
        "invalid-input",
        /tenantry:connections/,
      ],
      ["connections as a list", { ...turso, connections: "[]" }, "invalid-input", /not an object/],
      [
        "a connection that is a text",
        { ...turso, connections: `{"eu":"${secret}"}` },
        "invalid-input",
        /connections\.eu/,
      ],
      [
        "an unknown key of a connection",
        { ...turso, connections: `{"eu":{"organisation":"${secret}"}}` },
        "invalid-input",
        /tenantry:connections\.eu\.organisation/,
        /did you mean "organization"/,
      ],
      [
        "a number in a connection",
        { ...turso, connections: '{"eu":{"apiUrl":7}}' },
        "invalid-input",
        /connections\.eu\.apiUrl/,
      ],
    ];
    for (const [title, config, code, ...patterns] of cases) {
      it(title, () => {
        const error = refusal(config);
        assert.equal(error.code, code);
        for (const pattern of patterns) assert.match(error.message, pattern);
        assert.ok(!error.message.includes(secret), "it holds a secret");
      });
    }

    it("names the variable that a bad value came from", () => {
      assert.match(refusal(turso, { TURSO_API_URL: "nonsense" }).message, /^TURSO_API_URL:/);
    });
  });

  describe("plain http", () => {
    for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "[::1]", "api.localhost"]) {
      it(`is accepted at ${host}`, () => {
        assert.equal(readSettings({ ...turso, apiUrl: `http://${host}:9000/` }, {}).apiUrl, `http://${host}:9000`);
      });
    }
    for (const host of ["127.0.0.1.example", "localhost.example", "10.0.0.1"]) {
      it(`is refused at ${host}`, () => {
        assert.equal(refusal({ ...turso, apiUrl: `http://${host}:9000` }).code, "invalid-input");
      });
    }
    it("is accepted anywhere for the local platform", () => {
      assert.equal(
        readSettings({ platform: "local", apiUrl: "http://tenantry:9000" }, {}).apiUrl,
        "http://tenantry:9000",
      );
    });
  });

  describe("connections", () => {
    const connections = {
      "eu-prod": { platform: "turso", organization: "acme-eu", apiToken: "eu-token" },
      bare: { platform: "turso", organization: "acme-us" },
      here: { platform: "local", organization: "second" },
      constructor: { platform: "local" },
      empty: {},
    };
    const config = { ...turso, concurrency: "7", maxRemovals: "3", connections: JSON.stringify(connections) };

    it("reads one by name, with the stack's limits", () => {
      const settings = readSettings(config, {}, "eu-prod");
      assert.equal(settings.connection, "eu-prod");
      assert.equal(settings.organization, "acme-eu");
      assert.equal(settings.apiToken, "eu-token");
      assert.equal(settings.sources.apiToken, "tenantry:connections.eu-prod.apiToken");
      assert.deepEqual([settings.concurrency, settings.maxRemovals], [7, 3]);
    });

    it("takes its token from a variable of its own first", () => {
      assert.equal(readSettings(config, { TENANTRY_API_TOKEN_EU_PROD: "env" }, "eu-prod").apiToken, "env");
      assert.equal(readSettings(config, { TENANTRY_API_TOKEN_BARE: "env" }, "bare").apiToken, "env");
    });

    it("takes nothing of the stack's own connection", () => {
      const env = {
        TENANTRY_API_TOKEN: secret,
        TURSO_API_TOKEN: secret,
        TENANTRY_PLATFORM: "turso",
        TENANTRY_API_URL: "https://elsewhere.example",
        TENANTRY_ORGANIZATION: "elsewhere",
        TENANTRY_DATABASE_URL: "https://elsewhere.example/{name}",
      };
      const { platform, organization, apiUrl, apiToken, databaseUrl } = readSettings(config, env, "here");
      assert.deepEqual(
        [platform, organization, apiUrl, apiToken, databaseUrl],
        ["local", "second", undefined, undefined, undefined],
      );
    });

    it("misses a token by name", () => {
      const error = refusal(config, { TENANTRY_API_TOKEN: secret }, "bare");
      assert.equal(error.code, "credentials-missing");
      assert.match(error.message, /--path --secret tenantry:connections\.bare\.apiToken/);
      assert.match(error.message, /TENANTRY_API_TOKEN_BARE/);
    });

    it("misses a platform by name", () => {
      assert.match(
        refusal(config, {}, "empty").message,
        /pulumi config set --path tenantry:connections\.empty\.platform local/,
      );
    });

    it("refuses one that is not there, with a guess", () => {
      const error = refusal(config, {}, "eu-prd");
      assert.equal(error.code, "not-configured");
      assert.match(error.message, /did you mean "eu-prod"/);
      assert.equal(refusal({ ...turso }, {}, "toString").code, "not-configured");
    });

    it("may be called like a property of every object", () => {
      assert.equal(readSettings(config, {}, "constructor").platform, "local");
    });

    it("names variables in capitals", () => assert.equal(tokenVariable("eu.prod-1"), "TENANTRY_API_TOKEN_EU_PROD_1"));
  });

  it("answers any text with settings or a refusal that holds no token", () => {
    const key = fc.constantFrom("platform", "organization", "apiUrl", "databaseUrl", "concurrency", "connections", "x");
    fc.assert(
      fc.property(fc.dictionary(key, fc.string()), (texts) => {
        try {
          readSettings({ ...turso, ...texts, apiToken: secret }, {});
        } catch (error) {
          assert.ok(error instanceof TenantryError);
          assert.ok(!error.message.includes(secret));
        }
      }),
    );
  });
});

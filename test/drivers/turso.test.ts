// Long because it is one table of the whole port: what each method sends, and what it makes of each answer.
import assert from "node:assert/strict";
import { type TursoOptions, tursoPlatform } from "../../provider/drivers/turso";
import { scopeText } from "../../provider/platform/platform";
import { type Script, type ScriptedServer, fakeJwt, freshToken, withScriptedServer } from "../support/scripted-server";

type Platform = ReturnType<typeof tursoPlatform>;

/** Runs `use` with a driver on a server that answers as `script` says. */
async function withDriver(
  script: Script,
  use: (platform: Platform, server: ScriptedServer) => Promise<void>,
  options: Partial<TursoOptions> = {},
): Promise<void> {
  await withScriptedServer(script, (server) => {
    const retry = { base: 1, longest: 2 };
    const given = { apiUrl: server.url, apiToken: freshToken(), organization: "acme corp", retry, ...options };
    return use(tursoPlatform(given), server);
  });
}

const prefix = "/v1/organizations/acme%20corp";
const wireDatabase = {
  Name: "shop",
  DbId: "11111111-2222-3333-4444-555555555555",
  Hostname: "shop-acme.aws-eu-west-1.turso.io",
  block_reads: false,
  block_writes: true,
  allow_attach: false,
  delete_protection: true,
  regions: null,
  primaryRegion: "aws-eu-west-1",
  group: "eu",
  schema: "",
  version: "x",
  archived: false,
  parent: { id: "parent-id", name: "template", branched_at: "2026-01-01T00:00:00Z" },
  invented_tomorrow: { anything: [1] },
};
const database = {
  name: "shop",
  id: wireDatabase.DbId,
  hostname: wireDatabase.Hostname,
  group: "eu",
  archived: false,
  blockReads: false,
  blockWrites: true,
  deleteProtection: true,
  parentId: "parent-id",
};

describe("turso driver", () => {
  it("knows where it is without asking", async () => {
    const platform = tursoPlatform({ apiUrl: "https://api.turso.tech", apiToken: "x", organization: "acme" });
    assert.equal(scopeText(await platform.scope()), "turso:acme@api.turso.tech");
  });

  it("builds addresses from the platform's hostname or the template, never by itself", () => {
    const options = { apiUrl: "https://api.turso.tech", apiToken: "x", organization: "acme" };
    const shop = { name: "shop", hostname: "shop-acme.aws-eu-west-1.turso.io" };
    assert.equal(tursoPlatform(options).databaseUrl(shop), "libsql://shop-acme.aws-eu-west-1.turso.io");
    const proxied = tursoPlatform({ ...options, databaseUrl: "http://127.0.0.1:9000/db/{name}/?via={hostname}" });
    assert.equal(proxied.databaseUrl(shop), `http://127.0.0.1:9000/db/shop/?via=${shop.hostname}`);
    assert.throws(() => tursoPlatform(options).databaseUrl({ name: "shop", hostname: "" }), { code: "bad-answer" });
  });

  it("lists locations without a token", async () => {
    const json = { locations: { "aws-eu-west-1": "Ireland" } };
    await withDriver(
      () => ({ json }),
      async (platform, server) => {
        assert.deepEqual(await platform.listLocations(), [{ code: "aws-eu-west-1", description: "Ireland" }]);
        assert.equal(server.requests[0]?.path, "/v1/locations");
        assert.equal(server.requests[0]?.headers.authorization, undefined);
      },
    );
  });

  describe("databases", () => {
    it("reads a database in the API's mixed casing, with fields of tomorrow", async () => {
      await withDriver(
        () => ({ json: { database: wireDatabase } }),
        async (platform, server) => {
          assert.deepEqual(await platform.getDatabase("shop"), database);
          assert.equal(server.requests[0]?.path, `${prefix}/databases/shop`);
        },
      );
    });

    it("takes null and missing fields as not told", async () => {
      const { Name, DbId, Hostname } = wireDatabase;
      const nothing = { group: null, block_reads: null, delete_protection: null, parent: null, archived: null };
      await withDriver(
        () => ({ json: { database: { Name, DbId, Hostname, ...nothing } } }),
        async (platform) => {
          const unknown = { group: undefined, blockReads: undefined, blockWrites: undefined };
          const expected = { ...database, ...unknown, deleteProtection: undefined, parentId: undefined };
          assert.deepEqual(await platform.getDatabase("shop"), expected);
        },
      );
    });

    it("lists page by page, in pages of 1,000", async () => {
      const script: Script = ({ query }) =>
        query.cursor
          ? { json: { databases: [{ ...wireDatabase, Name: "last" }], pagination: { next: null } } }
          : { json: { databases: [wireDatabase], pagination: { next: "p2" } } };
      await withDriver(script, async (platform, server) => {
        const names: string[] = [];
        for await (const { name } of platform.listDatabases({ group: "eu" })) names.push(name);
        assert.deepEqual(names, ["shop", "last"]);
        assert.deepEqual(
          server.requests.map(({ query }) => query),
          [
            { group: "eu", limit: "1000" },
            { group: "eu", limit: "1000", cursor: "p2" },
          ],
        );
      });
    });

    for (const json of [
      { databases: [] },
      { databases: [], error: null },
      { databases: [], pagination: {} },
      { databases: [], pagination: { next: "" } },
    ]) {
      it(`reads ${JSON.stringify(json)} as no databases`, async () => {
        await withDriver(
          () => ({ json }),
          async (platform) => {
            for await (const { name } of platform.listDatabases()) assert.fail(name);
          },
        );
      });
    }

    for (const json of [
      {},
      { databases: null },
      { databases: [], error: "the list is not complete" },
      { groups: [] },
      [],
    ]) {
      it(`does not take ${JSON.stringify(json)} for no databases`, async () => {
        await withDriver(
          () => ({ json }),
          async (platform) => {
            const list = async () => {
              for await (const { name } of platform.listDatabases()) assert.fail(name);
            };
            await assert.rejects(list(), { code: "bad-answer" });
          },
        );
      });
    }

    it("creates with what was asked and nothing else", async () => {
      const { Name, DbId, Hostname } = wireDatabase;
      await withDriver(
        () => ({ json: { database: { Name, DbId, Hostname, IssuedCertCount: 0 }, username: "u", password: "" } }),
        async (platform, server) => {
          const made = await platform.createDatabase({ name: "shop", group: "eu" });
          assert.equal(made.id, DbId);
          assert.equal(made.group, "eu");
          const seed = { database: "template", timestamp: "2026-01-01T00:00:00Z" };
          await platform.createDatabase({ name: "shop", group: "eu", seed, sizeLimit: "256mb" });
          assert.deepEqual(
            server.requests.map(({ body }) => body),
            [
              { name: "shop", group: "eu" },
              {
                name: "shop",
                group: "eu",
                seed: { type: "database", name: "template", timestamp: "2026-01-01T00:00:00Z" },
                size_limit: "256mb",
              },
            ],
          );
        },
      );
    });

    it("patches exactly the fields given, and asks nothing when none is", async () => {
      await withDriver(
        () => ({ json: {} }),
        async (platform, server) => {
          await platform.configureDatabase("shop", {});
          await platform.configureDatabase("shop", { blockReads: true, allowedIps: [] });
          assert.deepEqual(
            server.requests.map(({ method, path, body }) => [method, path, body]),
            [["PATCH", `${prefix}/databases/shop/configuration`, { block_reads: true, allowed_ips: [] }]],
          );
        },
      );
    });

    it("reads a configuration", async () => {
      const json = {
        size_limit: "0",
        block_reads: false,
        block_writes: false,
        delete_protection: null,
        allowed_ips: ["10.0.0.1"],
      };
      await withDriver(
        () => ({ json }),
        async (platform) => {
          assert.deepEqual(await platform.getConfiguration("shop"), {
            blockReads: false,
            blockWrites: false,
            deleteProtection: undefined,
            allowedIps: ["10.0.0.1"],
            sizeLimit: undefined,
          });
        },
      );
    });
  });

  describe("absence", () => {
    const missing = { status: 404, json: { error: "could not find database with name shop: record not found" } };
    it("is undefined for lookups and success for deletes", async () => {
      await withDriver(
        () => missing,
        async (platform) => {
          assert.equal(await platform.getDatabase("shop"), undefined);
          assert.equal(await platform.getConfiguration("shop"), undefined);
          assert.equal(await platform.getGroup("eu"), undefined);
          await platform.deleteDatabase("shop");
          await platform.deleteGroup("eu");
        },
      );
    });

    it("is an error for what needs the database", async () => {
      await withDriver(
        () => missing,
        async (platform) => {
          await assert.rejects(platform.configureDatabase("shop", { blockReads: true }), {
            code: "database-not-found",
          });
          await assert.rejects(platform.rotateTokens({ database: "shop" }), { code: "database-not-found" });
        },
      );
    });

    it("of the organization is never absence of a database", async () => {
      await withDriver(
        () => ({ status: 404, json: { error: "could not find organization with slug acme" } }),
        async (platform) => {
          await assert.rejects(platform.getDatabase("shop"), { code: "organization-not-found" });
          await assert.rejects(platform.deleteDatabase("shop"), { code: "organization-not-found" });
        },
      );
    });

    it("in the words of a proxy is not believed", async () => {
      await withDriver(
        () => ({ status: 404, text: "<html>Not Found</html>" }),
        async (platform) => {
          await assert.rejects(platform.getDatabase("shop"), { code: "bad-answer" });
          await assert.rejects(platform.deleteDatabase("shop"), { code: "bad-answer" });
        },
      );
    });
  });

  describe("groups", () => {
    const wire = {
      name: "eu",
      uuid: "g-1",
      primary: "aws-eu-west-1",
      locations: ["aws-eu-west-1"],
      delete_protection: false,
    };
    const group = { name: "eu", id: "g-1", location: "aws-eu-west-1", archived: false, deleteProtection: false };

    it("lists, reads, creates and configures", async () => {
      const script: Script = ({ method, path }) => {
        if (path.endsWith("/configuration")) return { json: { delete_protection: true } };
        return { json: method === "GET" && path.endsWith("/groups") ? { groups: [wire] } : { group: wire } };
      };
      await withDriver(script, async (platform, server) => {
        assert.deepEqual(await platform.listGroups(), [group]);
        assert.deepEqual(await platform.getGroup("eu"), group);
        assert.deepEqual(await platform.createGroup({ name: "eu", location: "aws-eu-west-1" }), group);
        await platform.configureGroup("eu", { deleteProtection: true });
        await platform.deleteGroup("eu");
        assert.deepEqual(
          server.requests.map(({ method, path, body }) => [method, path.slice(prefix.length), body]),
          [
            ["GET", "/groups", undefined],
            ["GET", "/groups/eu", undefined],
            ["POST", "/groups", { name: "eu", location: "aws-eu-west-1" }],
            ["PATCH", "/groups/eu/configuration", { delete_protection: true }],
            ["DELETE", "/groups/eu", undefined],
          ],
        );
      });
    });

    for (const json of [{}, { groups: null }, { groups: [], error: "the list is not complete" }]) {
      it(`does not take ${JSON.stringify(json)} for no groups`, async () => {
        await withDriver(
          () => ({ json }),
          async (platform) => assert.rejects(platform.listGroups(), { code: "bad-answer" }),
        );
      });
    }

    it("names the known locations when one is unknown", async () => {
      const script: Script = ({ path }) =>
        path === "/v1/locations"
          ? { json: { locations: { "aws-us-east-1": "Virginia", "aws-eu-west-1": "Ireland" } } }
          : { status: 400, json: { error: "location mars is not valid" } };
      await withDriver(script, async (platform) => {
        const error = { code: "unknown-location", message: /"mars".*Use one of: aws-eu-west-1, aws-us-east-1\./ };
        await assert.rejects(platform.createGroup({ name: "eu", location: "mars" }), error);
      });
    });
  });

  describe("tokens", () => {
    it("asks with duration and rights in the query and no body", async () => {
      const exp = 1_900_000_000;
      await withDriver(
        ({ query }) => ({ json: { jwt: fakeJwt(query.expiration === "never" ? { a: "rw" } : { a: "ro", exp }) } }),
        async (platform, server) => {
          const limited = await platform.mintToken({ database: "shop" }, { access: "read-only", lifetime: 5_400 });
          assert.deepEqual(limited.expiresAt, new Date(exp * 1000));
          const forever = await platform.mintToken({ group: "eu" }, { access: "full-access", lifetime: undefined });
          assert.equal(forever.expiresAt, undefined);
          assert.deepEqual(
            server.requests.map(({ path, query, body }) => [path.slice(prefix.length), query, body]),
            [
              ["/databases/shop/auth/tokens", { expiration: "1h30m", authorization: "read-only" }, undefined],
              ["/groups/eu/auth/tokens", { expiration: "never", authorization: "full-access" }, undefined],
            ],
          );
        },
      );
    });

    it("sends permissions only when attach is asked", async () => {
      await withDriver(
        () => ({ json: { jwt: "opaque" } }),
        async (platform, server) => {
          const spec = { access: "read-only", lifetime: 60 } as const;
          const before = Date.now();
          const { expiresAt } = await platform.mintToken({ database: "shop" }, { ...spec, attach: ["ref"] });
          await platform.mintToken({ database: "shop" }, { ...spec, attach: [] });
          assert.deepEqual(server.requests[0]?.body, { permissions: { read_attach: { databases: ["ref"] } } });
          assert.equal(server.requests[1]?.body, undefined);
          assert.ok(expiresAt && expiresAt.getTime() >= before + 60_000 && expiresAt.getTime() <= Date.now() + 60_000);
        },
      );
    });

    it("rotates with an empty answer", async () => {
      await withDriver(
        () => ({ text: "" }),
        async (platform, server) => {
          await platform.rotateTokens({ group: "eu" });
          assert.deepEqual(
            [server.requests[0]?.method, server.requests[0]?.path],
            ["POST", `${prefix}/groups/eu/auth/rotate`],
          );
        },
      );
    });

    it("refuses rights it cannot give, without a call", async () => {
      await withDriver(
        () => ({ json: {} }),
        async (platform, server) => {
          const spec = { access: "read-write", lifetime: 60 } as const;
          await assert.rejects(platform.mintToken({ database: "shop" }, spec), { code: "unsupported" });
          assert.equal(server.requests.length, 0);
        },
      );
    });

    it("shows nothing of a minted token in an error", async () => {
      await withDriver(
        () => ({ text: '{"jwt":"very-secret-token' }),
        async (platform) => {
          await assert.rejects(
            platform.mintToken({ database: "shop" }, { access: "read-only", lifetime: 60 }),
            (error: Error) => {
              assert.ok(!`${error.message}${error.stack}`.includes("very-secret"));
              return true;
            },
          );
        },
      );
    });
  });

  describe("the platform token", () => {
    const cases: [string, string, RegExp][] = [
      ["a database token", fakeJwt({ a: "rw", id: "x" }), /is a database or group token/],
      ["a group token", fakeJwt({ gid: "g", iat: 1 }), /is a database or group token/],
      ["an attach token", fakeJwt({ p: { roa: { ns: ["x"] } } }), /is a database or group token/],
      ["an expired one", fakeJwt({ sub: "me", exp: 1_600_000_000 }), /expired on 2020-09-13/],
    ];
    for (const [name, apiToken, message] of cases) {
      it(`that is ${name} is named before any call, and once`, async () => {
        const use = async (platform: Platform, server: ScriptedServer) => {
          await assert.rejects(platform.listGroups(), { code: "credentials-rejected", message });
          await assert.rejects(platform.getDatabase("a"), { code: "credentials-rejected", message: /^Not attempted/ });
          assert.equal(server.requests.length, 0);
        };
        await withDriver(() => ({ json: {} }), use, { apiToken });
      });
    }

    it("that the platform refuses is explained with a way out for refresh and destroy", async () => {
      await withDriver(
        () => ({ status: 401, json: { error: "token invalid" } }),
        async (platform) => {
          const message = /token invalid.*tenantry:apiToken.*TURSO_API_TOKEN.*config of the last `pulumi up`/s;
          await assert.rejects(platform.listGroups(), {
            code: "credentials-rejected",
            message,
            platformText: "token invalid",
          });
        },
      );
    });

    it("of an ordinary kind passes, be it a JWT or not", async () => {
      for (const apiToken of [
        fakeJwt({ sub: "me", exp: 4_000_000_000, n: Math.random() }, { alg: "RS256" }),
        freshToken(),
      ]) {
        await withDriver(
          () => ({ json: { groups: [] } }),
          async (platform) => assert.deepEqual(await platform.listGroups(), []),
          { apiToken },
        );
      }
    });
  });

  it("names call and field of an answer that has another shape", async () => {
    await withDriver(
      () => ({ json: { database: { Name: "shop", DbId: 7, Hostname: "h" } } }),
      async (platform) => {
        const message =
          /^GET 127\.0\.0\.1:\d+\/v1\/organizations\/acme%20corp\/databases\/shop answered.*database\.dbid/;
        await assert.rejects(platform.getDatabase("shop"), { code: "bad-answer", message });
      },
    );
  });
});

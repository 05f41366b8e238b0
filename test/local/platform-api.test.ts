import assert from "node:assert/strict";
import { startLocalPlatform } from "../../provider/local";
import type { LocalPlatform, RequestEntry } from "../../provider/local";
import { apiCaller } from "./api-caller";
import type { ApiCaller } from "./api-caller";

describe("embedded platform: Platform API", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let platform: LocalPlatform;
  let api: ApiCaller;
  const seen: RequestEntry[] = [];

  before(async () => {
    platform = await startLocalPlatform({ organizations: ["acme", "globex"], onRequest: (entry) => seen.push(entry) });
    api = apiCaller(platform, "acme");
    await api.ok("POST", "/groups", { name: "eu", location: "aws-eu-west-1" });
    await api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1", extensions: ["vector"] });
    await api.ok("POST", "/databases", { name: "first", group: "eu" });
  });
  after(() => platform.close());

  const refusals: [string, string, string, unknown, number, string | RegExp][] = [
    ["unknown group", "GET", "/groups/none", undefined, 404, "group not found"],
    ["unknown group to delete", "DELETE", "/groups/none", undefined, 404, "group not found"],
    [
      "group that exists",
      "POST",
      "/groups",
      { name: "eu", location: "local" },
      409,
      "group with name eu already exists",
    ],
    ["unknown location", "POST", "/groups", { name: "x", location: "moon" }, 400, "invalid location: moon"],
    [
      "location that objects inherit",
      "POST",
      "/groups",
      { name: "x", location: "constructor" },
      400,
      "invalid location: constructor",
    ],
    ["no location", "POST", "/groups", { name: "x" }, 400, /location/],
    ["bad group name", "POST", "/groups", { name: "Eu!", location: "local" }, 400, /lowercase/],
    ["unknown extension", "POST", "/groups", { name: "x", location: "local", extensions: ["zip"] }, 400, /extensions/],
    [
      "unknown database",
      "GET",
      "/databases/none",
      undefined,
      404,
      "could not find database with name none: record not found",
    ],
    [
      "unknown database to delete",
      "DELETE",
      "/databases/none",
      undefined,
      404,
      "could not find database with name none: record not found",
    ],
    [
      "database that exists",
      "POST",
      "/databases",
      { name: "first", group: "us" },
      409,
      "database with name first already exists",
    ],
    ["group of a database", "POST", "/databases", { name: "x", group: "none" }, 400, "group not found"],
    ["bad database name", "POST", "/databases", { name: "../x", group: "eu" }, 400, /lowercase/],
    ["long database name", "POST", "/databases", { name: "x".repeat(65), group: "eu" }, 400, /64/],
    ["no name", "POST", "/databases", { group: "eu" }, 400, /name is required/],
    ["not JSON", "POST", "/databases", "{", 400, "the request body is not valid JSON"],
    ["not an object", "POST", "/databases", "[1]", 400, /object/],
    [
      "unknown seed",
      "POST",
      "/databases",
      { name: "x", group: "eu", seed: { type: "database", name: "none" } },
      404,
      /none/,
    ],
    [
      "seed of another group",
      "POST",
      "/databases",
      { name: "x", group: "us", seed: { type: "database", name: "first" } },
      400,
      /not in group us/,
    ],
    [
      "seed of a past moment",
      "POST",
      "/databases",
      { name: "x", group: "eu", seed: { type: "database", name: "first", timestamp: "2026-01-01T00:00:00Z" } },
      400,
      /timestamp/,
    ],
    [
      "another seed",
      "POST",
      "/databases",
      { name: "x", group: "eu", seed: { type: "dump", url: "http://x" } },
      400,
      /dump/,
    ],
    [
      "size limit at create",
      "POST",
      "/databases",
      { name: "x", group: "eu", size_limit: "1mb" },
      400,
      "size_limit is not supported for db-api controlled databases",
    ],
    [
      "size limit",
      "PATCH",
      "/databases/first/configuration",
      { size_limit: "1mb" },
      400,
      "size_limit is not supported for db-api controlled databases",
    ],
    [
      "attach",
      "PATCH",
      "/databases/first/configuration",
      { allow_attach: true },
      400,
      "allow_attach is not supported for db-api controlled databases",
    ],
    ["bad configuration", "PATCH", "/databases/first/configuration", { block_reads: "yes" }, 400, /block_reads/],
    [
      "permissions",
      "POST",
      "/databases/first/auth/tokens",
      { permissions: { read_attach: { databases: [] } } },
      400,
      "Permissions are not supported for db-api controlled databases",
    ],
    [
      "bad expiration",
      "POST",
      "/databases/first/auth/tokens?expiration=soon",
      undefined,
      400,
      "Invalid expiration format",
    ],
    [
      "no time at all",
      "POST",
      "/databases/first/auth/tokens?expiration=0d",
      undefined,
      400,
      "Invalid expiration format",
    ],
    ["bad authorization", "POST", "/groups/eu/auth/tokens?authorization=root", undefined, 400, /authorization/],
    ["token of an unknown database", "POST", "/databases/none/auth/tokens", undefined, 404, /none/],
    ["rotation of an unknown group", "POST", "/groups/none/auth/rotate", undefined, 404, "group not found"],
    ["bad limit", "GET", "/databases?limit=none", undefined, 400, /limit/],
    ["bad cursor", "GET", "/databases?cursor=%21", undefined, 400, /cursor/],
    ["unknown call", "GET", "/nothing", undefined, 404, /no such call/],
  ];
  for (const [what, method, path, body, status, text] of refusals) {
    it(`refuses: ${what}`, async () => {
      const answer = await api(method, path, body);
      const { error } = answer.body as { error: string };
      assert.equal(answer.status, status, error);
      assert.deepEqual(Object.keys(answer.body as object), ["error"]);
      if (typeof text === "string") assert.equal(error, text);
      else assert.match(error, text);
    });
  }

  it("leaves nothing of a refused create", async () => {
    const { databases } = await api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
    assert.deepEqual(
      databases.map(({ Name }) => Name),
      ["first"],
    );
  });

  it("takes no wrong or missing API token, and needs none for locations and identity", async () => {
    assert.equal((await apiCaller(platform, "acme", "wrong")("GET", "/groups")).status, 401);
    const jwt = (await api.ok<{ jwt: string }>("POST", "/databases/first/auth/tokens")).jwt;
    assert.equal((await apiCaller(platform, "acme", jwt)("GET", "/groups")).status, 401);
    const bare = await fetch(`${platform.url}/v1/organizations`);
    assert.equal(bare.status, 401);
    assert.match(((await bare.json()) as { error: string }).error, /unauthorized/);
    const { locations } = (await (await fetch(`${platform.url}/v1/locations`)).json()) as {
      locations: Record<string, string>;
    };
    assert.ok(locations["local"] && locations["aws-eu-west-1"]);
    assert.deepEqual(await (await fetch(`${platform.url}/tenantry/identity`)).json(), { id: platform.id });
    assert.match(platform.id, /^local-/);
    assert.equal((await fetch(`${platform.url}/health`)).status, 200);
    assert.equal((await fetch(`${platform.url}/version`)).status, 200);
  });

  it("knows its organizations", async () => {
    const root = apiCaller(platform);
    assert.deepEqual(
      (await root.ok<{ slug: string }[]>("GET", "/organizations")).map(({ slug }) => slug),
      ["acme", "globex"],
    );
    const { organization } = await root.ok<{ organization: { slug: string } }>("GET", "/organizations/globex");
    assert.equal(organization.slug, "globex");
    assert.deepEqual(await root("GET", "/organizations/none/databases"), {
      status: 404,
      body: { error: "organization not found" },
    });
    assert.deepEqual(await root.ok("GET", "/auth/validate"), { exp: -1 });
    assert.equal((await root.ok<{ tokens: unknown[] }>("GET", "/auth/api-tokens")).tokens.length, 1);
  });

  it("keeps names unique in one organization only", async () => {
    const other = apiCaller(platform, "globex");
    await other.ok("POST", "/groups", { name: "eu", location: "local" });
    const { database } = await other.ok<{ database: { DbId: string; Hostname: string } }>("POST", "/databases", {
      name: "first",
      group: "eu",
    });
    assert.equal(database.Hostname, "first-globex.tenantry.localhost");
    const mine = await api.ok<{ database: { DbId: string } }>("GET", "/databases/first");
    assert.notEqual(mine.database.DbId, database.DbId);
  });

  it("gives two databases of one label two hostnames", async () => {
    const [one, two] = await Promise.all(
      [startLocalPlatform({ organizations: ["c", "b-c"] })].map(async (starting) => {
        const both = await starting;
        const hosts: string[] = [];
        for (const [organization, name] of [
          ["b-c", "a"],
          ["c", "a-b"],
        ] as const) {
          const caller = apiCaller(both, organization);
          await caller.ok("POST", "/groups", { name: "g", location: "local" });
          const { database } = await caller.ok<{ database: { Hostname: string } }>("POST", "/databases", {
            name,
            group: "g",
          });
          hosts.push(database.Hostname);
        }
        await both.close();
        return hosts;
      }),
    ).then(([hosts]) => hosts ?? []);
    assert.equal(one, "a-b-c.tenantry.localhost");
    assert.ok(two && two !== one);
  });

  it("answers create with id, hostname and name only, and GET with the rest", async () => {
    const created = await api.ok<{ database: Record<string, unknown> }>("POST", "/databases", {
      name: "second",
      group: "eu",
    });
    assert.deepEqual(Object.keys(created.database).sort(), ["DbId", "Hostname", "Name"]);
    const { database } = await api.ok<{ database: Record<string, unknown> }>("GET", "/databases/second");
    assert.equal(database["DbId"], created.database["DbId"]);
    assert.equal(database["group"], "eu");
    assert.equal(database["primaryRegion"], "aws-eu-west-1");
    assert.equal(database["block_reads"], false);
    assert.equal(database["parent"], null);
    assert.deepEqual(await api("DELETE", "/databases/second"), { status: 200, body: { database: "second" } });
    assert.equal((await api("GET", "/databases/second")).status, 404);
  });

  it("changes only what a PATCH names", async () => {
    await api.ok("PATCH", "/databases/first/configuration", { block_writes: true, allowed_ips: ["10.0.0.1"] });
    const after = await api.ok("PATCH", "/databases/first/configuration", { delete_protection: true });
    assert.deepEqual(
      [after["block_reads"], after["block_writes"], after["delete_protection"], after["allowed_ips"]],
      [false, true, true, ["10.0.0.1"]],
    );
    assert.equal((await api("DELETE", "/databases/first")).status, 403);
    assert.equal((await api("DELETE", "/groups/eu")).status, 403, "a group with a protected database");
    const cleared = await api.ok("PATCH", "/databases/first/configuration", {
      delete_protection: false,
      block_writes: false,
      allowed_ips: null,
    });
    assert.deepEqual(cleared["allowed_ips"], []);
    assert.deepEqual(await api.ok("GET", "/databases/first/configuration"), cleared);
  });

  it("protects a group, unarchives it, and deletes it with its databases", async () => {
    await api.ok("POST", "/databases", { name: "doomed", group: "us" });
    assert.deepEqual(await api.ok("PATCH", "/groups/us/configuration", { delete_protection: true }), {
      delete_protection: true,
    });
    assert.equal((await api("DELETE", "/groups/us")).status, 403);
    await api.ok("POST", "/groups/us/unarchive");
    await api.ok("PATCH", "/groups/us/configuration", { delete_protection: false });
    assert.deepEqual(await api.ok("GET", "/groups/us/configuration"), { delete_protection: false });
    const { group } = await api.ok<{ group: Record<string, unknown> }>("DELETE", "/groups/us");
    assert.equal(group["name"], "us");
    assert.equal((await api("GET", "/databases/doomed")).status, 404);
  });

  it("answers a rotation with an empty body", async () => {
    assert.deepEqual(await api("POST", "/databases/first/auth/rotate"), { status: 200, body: "" });
    assert.deepEqual(await api("POST", "/groups/eu/auth/rotate"), { status: 200, body: "" });
  });

  it("makes one database of many creates of one name at once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api("POST", "/databases", { name: "race", group: "eu" })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array<number>(7).fill(409)]);
  });

  it("reports each answer once, without its query", () => {
    assert.ok(
      seen.some(
        (entry) => entry.method === "POST" && entry.path === "/v1/organizations/acme/groups" && entry.status === 200,
      ),
    );
    assert.ok(seen.some((entry) => entry.status === 409));
    assert.ok(seen.every((entry) => !entry.path.includes("?")));
  });

  it("adds the latency asked for, and keeps none of its folder", async () => {
    const slow = await startLocalPlatform({ latency: 60 });
    const begun = performance.now();
    await fetch(`${slow.url}/v1/locations`);
    assert.ok(performance.now() - begun >= 55);
    await slow.close();
    await slow.close();
    const { existsSync } = await import("node:fs");
    assert.ok(!existsSync(slow.directory));
  });
});

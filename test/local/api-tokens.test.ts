import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { type Demand, demands, scopes } from "../../provider/local/api/scopes";
import { createApp } from "../../provider/local/app";
import { plans } from "../../provider/local/plan";
import { openControl } from "../../provider/local/store/control";
import { createUsage } from "../../provider/local/store/usage";
import { type ApiCaller, apiCaller, mint } from "./api-caller";

interface Made {
  readonly name: string;
  readonly id: string;
  readonly token: string;
}

interface Listed extends Record<string, unknown> {
  readonly name: string;
}

describe("embedded platform: API tokens", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let directory: string;
  let platform: LocalPlatform;
  let root: ApiCaller;
  let acme: ApiCaller;
  let count = 0;

  const start = async (): Promise<void> => {
    platform = await startLocalPlatform({ directory, organizations: ["acme", "globex"] });
    root = apiCaller(platform);
    acme = apiCaller(platform, "acme");
  };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenantry-test-"));
    await start();
    for (const group of ["eu", "us"]) {
      await acme.ok("POST", "/groups", { name: group, location: "local" });
      await acme.ok("POST", "/databases", { name: `in-${group}`, group });
    }
    await apiCaller(platform, "globex").ok("POST", "/groups", { name: "eu", location: "local" });
  });
  after(async () => {
    await platform.close();
    await rm(directory, { recursive: true, force: true });
  });

  const create = (body?: object): Promise<Made> => root.ok<Made>("POST", `/auth/api-tokens/t${(count += 1)}`, body);
  const ofGroup = (granted: readonly string[], group = "eu"): Promise<Made> =>
    create({ organization: "acme", group, scopes: granted });
  const as = (made: Made, organization?: string): ApiCaller => apiCaller(platform, organization, made.token);
  const refusal = async (call: Promise<{ status: number; body: unknown }>): Promise<string> => {
    const { status, body } = await call;
    assert.equal(status, 403, JSON.stringify(body));
    return (body as { error: string }).error;
  };

  it("of three kinds are made, listed without what does not limit them, and validated", async () => {
    const whole = await create();
    const organization = await create({ organization: "acme" });
    const group = await ofGroup(["db:create", "read"]);
    const full = await ofGroup(["full-access"], "us");
    const reader = await ofGroup(["read-only"]);
    const { tokens } = await root.ok<{ tokens: Listed[] }>("GET", "/auth/api-tokens");
    const listed = (made: Made): object => {
      const { created_at, ...rest } = tokens.find(({ name }) => name === made.name) ?? { name: "none" };
      assert.match(String(created_at), /^\d{4}-\d\d-\d\d$/);
      return rest;
    };
    const named = ({ name, id }: Made): object => ({ name, id });
    assert.deepEqual(listed(whole), named(whole));
    assert.deepEqual(listed(organization), { ...named(organization), organization: "acme" });
    const ofAcme = { organization: "acme", group: "eu" };
    assert.deepEqual(listed(group), { ...named(group), ...ofAcme, scopes: ["read", "db:create"] });
    assert.deepEqual(listed(full), { ...named(full), ...ofAcme, group: "us", scopes: [...scopes] });
    assert.deepEqual(listed(reader), { ...named(reader), ...ofAcme, scopes: ["read"] });
    assert.ok(!JSON.stringify(tokens).includes(group.token));
    for (const made of [whole, organization, group])
      assert.deepEqual(await as(made).ok("GET", "/auth/validate"), { exp: -1 });
  });

  const refusals: [string, string, unknown, number, RegExp][] = [
    ["unknown organization", "x", { organization: "none" }, 404, /organization not found/],
    ["unknown group", "x", { organization: "acme", group: "none", scopes: ["read"] }, 404, /group not found/],
    ["group without organization", "x", { group: "eu", scopes: ["read"] }, 400, /organization/],
    ["group without scopes", "x", { organization: "acme", group: "eu", scopes: [] }, 400, /needs scopes/],
    ["scopes without group", "x", { organization: "acme", scopes: ["read"] }, 400, /need a group/],
    ["unknown scope", "x", { organization: "acme", group: "eu", scopes: ["db:drop"] }, 400, /unknown scope.*db:create/],
    ["scopes that are no list", "x", { organization: "acme", group: "eu", scopes: "read" }, 400, /scopes/],
    ["not an object", "x", "[]", 400, /object/],
    ["not JSON", "x", "{", 400, /not valid JSON/],
    ["bad name", "a%20b", {}, 400, /name/],
    ["the platform's own name", "local", {}, 409, /local already exists/],
  ];
  for (const [what, name, body, status, text] of refusals) {
    it(`are refused: ${what}`, async () => {
      const answer = await root("POST", `/auth/api-tokens/${name}`, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match((answer.body as { error: string }).error, text);
    });
  }

  it("have one name each, and are revoked by name, after which they open nothing", async () => {
    const made = await create({ organization: "acme" });
    assert.equal((await root("POST", `/auth/api-tokens/${made.name}`)).status, 409);
    await as(made, "acme").ok("GET", "/groups");
    assert.deepEqual(await root.ok("DELETE", `/auth/api-tokens/${made.name}`), { token: made.name });
    assert.equal((await as(made, "acme")("GET", "/groups")).status, 401);
    assert.equal((await root("DELETE", `/auth/api-tokens/${made.name}`)).status, 404);
    assert.match(await refusal(root("DELETE", "/auth/api-tokens/local")), /as long as its folder/);
    await root.ok("GET", "/organizations");
  });

  it("are listed and revoked by an organization's administrators, their own organization's only", async () => {
    const [mine, theirs] = [await ofGroup(["read"]), await create({ organization: "globex" })];
    const { tokens } = await acme.ok<{ tokens: Listed[] }>("GET", "/api-tokens");
    assert.deepEqual(tokens.find(({ name }) => name === mine.name)?.["owner"], { username: "local", email: "" });
    assert.ok(!tokens.some(({ name }) => name === theirs.name));
    assert.equal((await acme("DELETE", `/api-tokens/${theirs.id}`)).status, 404);
    await acme.ok("DELETE", `/api-tokens/${mine.id}`);
    assert.equal((await as(mine, "acme")("GET", "/groups")).status, 401);
    await as(theirs, "globex").ok("GET", "/groups");
  });

  it("of an organization do everything in it, and nothing in another", async () => {
    const made = await create({ organization: "acme" });
    await as(made, "acme").ok("POST", "/groups", { name: "brief", location: "local" });
    await as(made, "acme").ok("DELETE", "/groups/brief");
    assert.match(await refusal(as(made, "globex")("GET", "/groups")), /limited to organization "acme"/);
    const organizations = await as(made).ok<{ slug: string }[]>("GET", "/organizations");
    assert.deepEqual(
      organizations.map(({ slug }) => slug),
      ["acme"],
    );
    assert.match(await refusal(as(made)("POST", "/auth/api-tokens/wider")), /tokens of it only/);
    assert.match(
      await refusal(as(made)("POST", "/auth/api-tokens/wider", { organization: "globex" })),
      /tokens of it only/,
    );
    const other = await create({ organization: "globex" });
    const { tokens } = await as(made).ok<{ tokens: Listed[] }>("GET", "/auth/api-tokens");
    assert.ok(tokens.length > 0 && tokens.every((token) => token["organization"] === "acme"));
    assert.equal((await as(made)("DELETE", `/auth/api-tokens/${other.name}`)).status, 404);
  });

  it("of a group see and touch nothing of another group", async () => {
    const made = await ofGroup(["full-access"]);
    const api = as(made, "acme");
    const { groups } = await api.ok<{ groups: { name: string }[] }>("GET", "/groups");
    assert.deepEqual(
      groups.map(({ name }) => name),
      ["eu"],
    );
    const { databases } = await api.ok<{ databases: { group: string }[] }>("GET", "/databases");
    assert.ok(databases.length > 0 && databases.every(({ group }) => group === "eu"));
    for (const [method, path, body] of [
      ["GET", "/databases?group=us"],
      ["GET", "/databases/in-us"],
      ["DELETE", "/databases/in-us"],
      ["POST", "/databases/in-us/auth/tokens"],
      ["POST", "/databases", { name: "mine", group: "us" }],
      ["GET", "/groups/us"],
      ["POST", "/groups/us/auth/rotate"],
    ] as const)
      assert.match(await refusal(api(method, path, body)), /limited to group "eu"/, `${method} ${path}`);
    assert.equal((await api("GET", "/databases/none")).status, 404);
    const { tokens } = await as(made).ok<{ tokens: Listed[] }>("GET", "/auth/api-tokens");
    assert.deepEqual(
      tokens.map(({ name }) => name),
      [made.name],
    );
    assert.match(await refusal(as(made, "globex")("GET", "/groups/eu")), /limited to organization "acme"/);
  });

  const calls = Object.entries(demands).filter(([call]) => call.includes("/:organization"));
  const scoped = (demand: Demand): boolean => demand !== "organization" && demand !== "none";
  for (const [call, demand] of calls) {
    it(`need ${demand} for ${call}`, async () => {
      const database = `d${(count += 1)}`;
      await acme.ok("POST", "/databases", { name: database, group: "eu" });
      const [method = "", path = ""] = call
        .replace("/v1/organizations/:organization", "")
        // Calls are put together after /v1/organizations/acme.
        .replace("/v2/organizations/:organization", "/../../../v2/organizations/acme")
        .replace(":group", "eu")
        .replace(":database", database)
        .replace(":instance", "local")
        .split(" ");
      const body = path === "/databases" && method === "POST" ? { name: `${database}-made`, group: "eu" } : undefined;
      const without = await ofGroup(scopes.filter((scope) => scope !== demand));
      const text = await refusal(as(without, "acme")(method, path, body));
      const elsewhere = as(await create({ organization: "globex" }), "acme");
      assert.match(await refusal(elsewhere(method, path, body)), /limited to organization "globex"/);
      assert.ok(text.includes(scoped(demand) ? `scope ${demand}` : "whole organization"), text);
      if (!scoped(demand)) return;
      const foreign = await ofGroup(["full-access"], "us");
      if (path.includes("/eu") || path.includes(database) || body)
        assert.match(await refusal(as(foreign, "acme")(method, path, body)), /limited to group "us"/);
      const { status, body: said } = await as(await ofGroup([demand]), "acme")(method, path, body);
      assert.ok(![401, 403, 404, 500].includes(status), `${status} ${JSON.stringify(said)}`);
    });
  }

  it("have a rule for every call that is served, and for no other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tenantry-test-"));
    const control = openControl(folder, undefined);
    const none = {} as never;
    const app = createApp({
      ...{ control, fleet: none, files: none, sql: new Hono(), onRequest: undefined },
      ...{ usage: createUsage(), plan: plans.local, auth: true, host: "127.0.0.1" },
      faults: { latency: 0, rate: undefined, fail: 0, seed: 0 },
    });
    const served = app.routes
      .filter(({ method, path }) => method !== "ALL" && /^\/v[12]\/(?:auth|organizations)/.test(path))
      .map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual([...new Set(served)].sort(), Object.keys(demands).sort());
    control.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("end with their group", async () => {
    await acme.ok("POST", "/groups", { name: "doomed", location: "local" });
    const made = await ofGroup(["read"], "doomed");
    await as(made, "acme").ok("GET", "/groups/doomed");
    await acme.ok("DELETE", "/groups/doomed");
    assert.equal((await as(made, "acme")("GET", "/groups")).status, 401);
    await acme.ok("POST", "/groups", { name: "doomed", location: "local" });
    assert.equal(
      (await as(made, "acme")("GET", "/groups/doomed")).status,
      401,
      "nor is a new group of that name theirs",
    );
    const { tokens } = await root.ok<{ tokens: Listed[] }>("GET", "/auth/api-tokens");
    assert.ok(!tokens.some(({ name }) => name === made.name));
  });

  it("open no database, whose tokens in turn are none of these", async () => {
    const made = await create();
    const sql = (token: string): Promise<Response> =>
      fetch(`${platform.databaseUrl("in-eu")}v2/pipeline`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ requests: [] }),
      });
    const answer = await sql(made.token);
    assert.equal(answer.status, 401);
    assert.match(await answer.text(), /API token/);
    const jwt = await mint(acme, "databases/in-eu");
    assert.equal((await sql(jwt)).status, 200);
    assert.equal((await apiCaller(platform, "acme", jwt)("GET", "/groups")).status, 401);
  });

  it("outlive a restart, and only their digests are on disk", async () => {
    const made = await ofGroup(["read"]);
    await platform.close();
    const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((file) => file.isFile());
    assert.ok(files.some(({ name }) => name === "control.db"));
    for (const file of files)
      assert.ok(!(await readFile(join(file.parentPath, file.name))).includes(made.token), file.name);
    await start();
    await as(made, "acme").ok("GET", "/groups/eu");
    await refusal(as(made, "acme")("DELETE", "/databases/in-eu"));
  });
});

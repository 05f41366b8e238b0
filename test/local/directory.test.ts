import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { type ApiCaller, apiCaller, mint } from "./api-caller";

describe("embedded platform: people and audit log", function () {
  this.timeout(60_000);
  let directory: string;
  let platform: LocalPlatform;
  let api: ApiCaller;
  const start = async (): Promise<void> => {
    platform = await startLocalPlatform({ directory, organizations: ["acme", "globex"] });
    api = apiCaller(platform, "acme");
  };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenantry-test-"));
    await start();
  });
  after(async () => {
    await platform.close();
    await rm(directory, { recursive: true, force: true });
  });

  // Calls are put together after /v1/organizations/acme.
  const invites = "/../../../v2/organizations/acme/invites";
  const people = "/../../../tenantry";
  const owner = { username: "local", email: "", role: "owner" };
  const members = async () => (await api.ok<{ members: object[] }>("GET", "/members")).members;
  const open = async () => (await api.ok<{ invites: { email: string; role: string }[] }>("GET", invites)).invites;
  const refusal = async (method: string, path: string, body?: unknown): Promise<[number, string]> => {
    const answer = await api(method, path, body);
    return [answer.status, (answer.body as { error: string }).error];
  };

  it("adds who has an account, once, with a role that can change, and removes them", async () => {
    assert.deepEqual(await refusal("POST", "/members", { username: "ada" }), [
      404,
      "user not found: nobody here has the account ada",
    ]);
    await api.ok("PUT", `${people}/users/ada`, { email: "ada@example.com" });
    assert.deepEqual(await api.ok("POST", "/members", { username: "Ada", role: "viewer" }), {
      member: "ada",
      role: "viewer",
    });
    assert.deepEqual(await refusal("POST", "/members", { username: "ada" }), [409, "user ada is already a member"]);
    const ada = { username: "ada", email: "ada@example.com", role: "viewer" };
    assert.deepEqual(await members(), [owner, ada]);
    assert.deepEqual(await apiCaller(platform, "globex").ok("GET", "/members"), { members: [owner] });
    for (const role of ["owner", "king"]) assert.equal((await refusal("PATCH", "/members/ada", { role }))[0], 400);
    assert.deepEqual(await api.ok("PATCH", "/members/ada", { role: "admin" }), { member: { ...ada, role: "admin" } });
    assert.deepEqual(await api.ok("GET", "/members/ADA"), { member: { ...ada, role: "admin" } });
    for (const [method, body] of [["DELETE"], ["PATCH", { role: "member" }]] as const)
      assert.equal((await refusal(method, "/members/local", body))[0], 403);
    assert.deepEqual(await api.ok("DELETE", "/members/ada"), { member: "ada" });
    for (const method of ["DELETE", "GET"]) assert.equal((await refusal(method, "/members/ada"))[0], 404);
    assert.deepEqual(await members(), [owner]);
  });

  it("keeps one invite for an address, until it is withdrawn or accepted", async () => {
    const wrong = [{}, { email: "a@b", username: "ada" }, { email: "nobody" }, { email: "a@b", role: "owner" }];
    for (const body of wrong) assert.equal((await refusal("POST", invites, body))[0], 400);
    assert.equal((await refusal("POST", invites, { username: "nobody" }))[0], 404);
    const grace = { email: "grace@example.com", role: "member", organization: "acme" };
    assert.deepEqual(await api.ok("POST", invites, { email: grace.email }), { invited: grace });
    await api.ok("POST", invites, { email: "Grace@example.com", role: "admin" });
    assert.deepEqual(
      (await open()).map(({ email, role }) => [email.toLowerCase(), role]),
      [[grace.email, "admin"]],
    );
    assert.equal((await api("DELETE", `${invites}/${grace.email}`)).body, "");
    assert.equal((await refusal("DELETE", `${invites}/${grace.email}`))[0], 404);
    assert.equal((await refusal("POST", `${people}/organizations/acme/invites/${grace.email}/accept`))[0], 404);

    await api.ok("POST", invites, { email: grace.email, role: "admin" });
    // Who invites, and what is open, outlives the process.
    await platform.close();
    await start();
    const accepted = await api.ok("POST", `${people}/organizations/acme/invites/${grace.email}/accept`, {
      username: "grace-h",
    });
    assert.deepEqual(accepted, { member: { username: "grace-h", email: grace.email, role: "admin" } });
    assert.deepEqual(await open(), []);
    assert.equal((await refusal("POST", invites, { email: grace.email }))[0], 409);
    assert.equal((await refusal("POST", invites, { username: "grace-h" }))[0], 409);
  });

  it("lets nobody in who has no token of the organization", async () => {
    await apiCaller(platform, "globex").ok("POST", "/groups", { name: "eu", location: "local" });
    const made = await apiCaller(platform).ok<{ token: string }>("POST", "/auth/api-tokens/narrow", {
      ...{ organization: "globex", group: "eu", scopes: ["full-access"] },
    });
    for (const [token, status] of [
      ["wrong", 401],
      [made.token, 403],
    ] as const) {
      const other = apiCaller(platform, "acme", token);
      for (const [method, path] of [
        ["PUT", `${people}/users/eve`],
        ["POST", `${people}/organizations/acme/invites/a@b/accept`],
        ["GET", "/audit-logs"],
      ] as const)
        assert.equal((await other(method, path, method === "GET" ? undefined : {})).status, status, path);
    }
  });

  it("writes down what was done and by whom, not what was refused", async () => {
    interface Logged {
      audit_logs: { code: string; author: string; origin: string; created_at: string; data: object }[];
      pagination: Record<string, number>;
    }
    const log = (query = "") => api.ok<Logged>("GET", `/audit-logs${query}`);
    const before = (await log()).pagination["total_rows"]!;
    await api.ok("POST", "/groups", { name: "eu", location: "local" });
    await api.ok("POST", "/databases", { name: "shop", group: "eu" });
    assert.equal((await api("POST", "/databases", { name: "shop", group: "eu" })).status, 409);
    await api.ok("PATCH", "/databases/shop/configuration", { delete_protection: true });
    assert.equal((await api("DELETE", "/databases/shop")).status, 403);
    await api.ok("PATCH", "/databases/shop/configuration", { delete_protection: false });
    await api.ok("PATCH", "/databases/shop/configuration", { block_reads: true });
    const token = await mint(api, "databases/shop");
    await apiCaller(platform).ok("POST", "/auth/api-tokens/deploy", { organization: "acme" });
    await api.ok("DELETE", "/databases/shop");
    const { audit_logs: entries, pagination } = await log("?page_size=7");
    assert.deepEqual(
      entries.map(({ code, data }) => [code, data]),
      [
        ["db-delete", { name: "shop" }],
        ["user-token-create", { name: "deploy" }],
        ["db-token-create", { name: "shop" }],
        ["db-unprotect", { name: "shop" }],
        ["db-protect", { name: "shop" }],
        ["db-create", { name: "shop", group: "eu" }],
        ["group-create", { name: "eu", location: "local" }],
      ],
    );
    const total = before + entries.length;
    assert.deepEqual(pagination, { page: 1, page_size: 7, total_pages: Math.ceil(total / 7), total_rows: total });
    assert.deepEqual([...new Set(entries.map(({ author, origin }) => `${author} ${origin}`))], ["local cli"]);
    assert.ok(!JSON.stringify(await log()).includes(token));
    const second = await log("?page=2&page_size=1");
    assert.equal(second.audit_logs[0]?.code, "user-token-create");
    assert.deepEqual((await log("?page=99")).audit_logs, []);
    for (const query of ["?page=0", "?page_size=x"])
      assert.equal((await api("GET", `/audit-logs${query}`)).status, 400);
    // Of people too, each organization's own.
    const codes = (await log()).audit_logs.map(({ code }) => code);
    assert.ok(codes.includes("org-member-add") && codes.includes("org-member-rm"));
    const others = await apiCaller(platform, "globex").ok<Logged>("GET", "/audit-logs");
    assert.ok(!others.audit_logs.some(({ code }) => code.startsWith("db-")));
  });

  it("has neither invites nor an audit log on the free plan", async () => {
    const free = await startLocalPlatform({ plan: "free" });
    try {
      const local = apiCaller(free, "local");
      const code = "feature_not_available_for_starter_plan";
      const invited = await local("POST", "/../../../v2/organizations/local/invites", { email: "a@b.c" });
      assert.deepEqual([invited.status, (invited.body as { code: string }).code], [400, code]);
      const logged = await local("GET", "/audit-logs");
      assert.deepEqual([logged.status, (logged.body as { code: string }).code], [402, code]);
    } finally {
      await free.close();
    }
  });
});

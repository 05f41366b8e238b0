import assert from "node:assert/strict";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { type ApiCaller, apiCaller } from "./api-caller";

interface Refusal {
  readonly error: string;
  readonly code: string;
}

describe("embedded platform: the free plan", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let platform: LocalPlatform;
  let api: ApiCaller;
  before(async () => {
    platform = await startLocalPlatform({ plan: "free", organizations: ["acme", "globex"] });
    api = apiCaller(platform, "acme");
    await api.ok("POST", "/groups", { name: "eu", location: "local" });
  });
  after(() => platform.close());

  const refusal = async (method: string, path: string, body?: unknown): Promise<Refusal> => {
    const answer = await api(method, path, body);
    assert.equal(answer.status, 402, JSON.stringify(answer.body));
    assert.deepEqual(Object.keys(answer.body as object), ["error", "code"]);
    return answer.body as Refusal;
  };

  it("is what the organization subscribes to, with its limits", async () => {
    const { subscription } = await api.ok<{ subscription: { plan: string } }>("GET", "/subscription");
    const { plans } = await api.ok<{ plans: { name: string; quotas: Record<string, number> }[] }>("GET", "/plans");
    const { organization } = await api.ok<{ organization: { plan_id: string } }>("GET", "");
    assert.deepEqual([subscription.plan, organization.plan_id], ["free", "free"]);
    assert.deepEqual([plans[0]?.name, plans[0]?.quotas["databases"], plans[0]?.quotas["groups"]], ["free", 100, 1]);
  });

  it("has one group in each organization", async () => {
    const { error, code } = await refusal("POST", "/groups", { name: "us", location: "local" });
    assert.match(error, /limit of 1 groups in the free plan/);
    assert.equal(code, "groups_quota_exceeded");
    assert.equal((await api("POST", "/groups", { name: "eu", location: "local" })).status, 409);
    await apiCaller(platform, "globex").ok("POST", "/groups", { name: "eu", location: "local" });
  });

  it("has a hundred databases, also where many are asked for at once", async () => {
    const create = (i: number) => api("POST", "/databases", { name: `t${i}`, group: "eu" });
    const answers = await Promise.all(Array.from({ length: 110 }, (_, i) => create(i)));
    const refused = answers.filter(({ status }) => status !== 200);
    assert.equal(refused.length, 10);
    for (const { status, body } of refused) {
      assert.equal(status, 402);
      assert.equal((body as Refusal).code, "databases_quota_exceeded");
    }
    const { databases } = await api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
    const taken = databases[0]?.Name ?? "";
    assert.equal(databases.length, 100);
    assert.equal((await api("POST", "/databases", { name: taken, group: "eu" })).status, 409, "a name that is taken");
    assert.equal((await create(500)).status, 402);
    await api.ok("DELETE", `/databases/${taken}`);
    assert.equal((await api("POST", "/databases", { name: "../x", group: "eu" })).status, 400);
    assert.equal((await create(500)).status, 200, "room again, which a refused create did not take");
    assert.equal((await create(501)).status, 402);
  });

  it("lacks what only paid plans have", async () => {
    const { databases } = await api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
    const one = databases[0]?.Name ?? "";
    for (const [method, path, body, text] of [
      ["PATCH", `/databases/${one}/configuration`, { allowed_ips: ["192.0.2.1"] }, /allow-list/],
      ["PATCH", `/databases/${one}/configuration`, { allowed_aws_vpc_ids: ["vpce-1"] }, /allow-list/],
      ["PATCH", "", { overages: true }, /overages/],
      ["PATCH", "", { restore_enabled: true }, /restoring/],
      [
        "POST",
        "/databases",
        { name: "old", group: "eu", seed: { type: "database", name: one, timestamp: "2026-01-01T00:00:00Z" } },
        /24 hours/,
      ],
    ] as const) {
      const { error, code } = await refusal(method, path, body);
      assert.match(error, text);
      assert.equal(code, "feature_not_available_for_starter_plan");
    }
    await api.ok("PATCH", `/databases/${one}/configuration`, { allowed_ips: [], block_writes: true });
    await api.ok("PATCH", "", { overages: false });
  });
});

describe("embedded platform: settings of an organization", () => {
  let platform: LocalPlatform;
  let api: ApiCaller;
  before(async () => {
    platform = await startLocalPlatform({ organizations: ["acme", "globex"] });
    api = apiCaller(platform, "acme");
  });
  after(() => platform.close());

  it("change one by one, for that organization only", async () => {
    interface Body {
      organization: Record<string, unknown>;
    }
    const { organization: before } = await api.ok<Body>("GET", "");
    assert.deepEqual([before["overages"], before["require_mfa"], before["restore_enabled"]], [false, false, false]);
    await api.ok("PATCH", "", { overages: true });
    await api.ok("PATCH", "", { restore_enabled: true });
    const { organization } = await api.ok<Body>("PATCH", "", { require_mfa: true, overages: false });
    assert.deepEqual(organization, { ...before, require_mfa: true, restore_enabled: true });
    assert.deepEqual(await api.ok("GET", ""), { organization });
    const other = await apiCaller(platform, "globex").ok<Body>("GET", "");
    assert.equal(other.organization["restore_enabled"], false);
    await api.ok("PATCH", "", { overages: true });
    const { subscription } = await api.ok<{ subscription: { overages: boolean } }>("GET", "/subscription");
    assert.equal(subscription.overages, true);
  });

  for (const body of [{ restore_enabled: true, overages: true }, { overages: "yes" }, "[]", "{"]) {
    it(`refuse ${JSON.stringify(body)}`, async () => {
      assert.equal((await api("PATCH", "", body)).status, 400);
    });
  }

  it("do not add places to a group", async () => {
    await api.ok("POST", "/groups", { name: "eu", location: "aws-eu-west-1" });
    for (const method of ["POST", "DELETE"]) {
      assert.deepEqual(await api(method, "/groups/eu/locations/aws-us-east-1"), {
        status: 400,
        body: { error: "replication is not supported" },
      });
      assert.equal((await api(method, "/groups/none/locations/aws-us-east-1")).status, 404);
    }
  });
});

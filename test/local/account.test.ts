import assert from "node:assert/strict";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { type ApiCaller, apiCaller } from "./api-caller";

describe("embedded platform: plan and usage", () => {
  let platform: LocalPlatform;
  let api: ApiCaller;
  before(async () => {
    platform = await startLocalPlatform({ organizations: ["acme", "globex"] });
    api = apiCaller(platform, "acme");
  });
  after(() => platform.close());

  it("has one plan, without limits, and everybody subscribes to it", async () => {
    const { subscription } = await api.ok<{ subscription: { plan: string; overages: boolean } }>(
      "GET",
      "/subscription",
    );
    const { plans } = await api.ok<{ plans: { name: string; quotas: Record<string, unknown> }[] }>("GET", "/plans");
    const { organization } = await api.ok<{ organization: { plan_id: string } }>("GET", "");
    assert.deepEqual(
      [subscription.plan, plans[0]?.name, subscription.overages],
      [organization.plan_id, "local", false],
    );
    assert.equal(plans.length, 1);
    assert.ok(Object.values(plans[0]?.quotas ?? {}).every((limit) => limit === null));
  });

  it("counts what the organization has, and the bytes on disk", async () => {
    interface Usage {
      organization: { usage: Record<string, number>; databases: { uuid: string; total: Record<string, number> }[] };
    }
    const usage = async (): Promise<Usage["organization"]> => (await api.ok<Usage>("GET", "/usage")).organization;
    assert.deepEqual((await usage()).databases, []);
    await apiCaller(platform, "globex").ok("POST", "/groups", { name: "eu", location: "local" });
    for (const name of ["eu", "eu-2"]) await api.ok("POST", "/groups", { name, location: "aws-eu-west-1" });
    const made = await api.ok<{ database: { DbId: string } }>("POST", "/databases", { name: "shop", group: "eu" });
    const { usage: whole, databases } = await usage();
    assert.deepEqual([whole["databases"], whole["groups"], whole["locations"]], [1, 2, 1]);
    assert.deepEqual(
      databases.map(({ uuid }) => uuid),
      [made.database.DbId],
    );
    assert.ok((whole["storage_bytes"] ?? 0) > 0);
    assert.equal(whole["storage_bytes"], databases[0]?.total["storage_bytes"]);
    await api.ok("DELETE", "/databases/shop");
    const after = (await usage()).usage;
    assert.deepEqual([after["databases"], after["storage_bytes"]], [0, 0]);
  });

  it("refuses an organization that it does not serve, and a caller without the token", async () => {
    for (const path of ["/usage", "/subscription", "/plans"]) {
      assert.deepEqual(await apiCaller(platform, "nobody")("GET", path), {
        status: 404,
        body: { error: "organization not found" },
      });
      assert.equal((await apiCaller(platform, "acme", "wrong")("GET", path)).status, 401);
    }
  });
});

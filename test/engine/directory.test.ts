import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { startLocalPlatform } from "../../provider/local";
import { apiCaller } from "../local/api-caller";
import { withProject } from "../support/engine";
import { peopleOf } from "../support/people";

const program = (rotate: string): string => `
const { ApiToken, Invite, Member } = require("tenantry");
new Member("ada", { username: "ada", role: "admin" });
exports.invite = new Invite("grace", { email: "grace@example.com" }).status;
exports.token = new ApiToken("deploy", { group: "eu", scopes: ["read", "db:create"], rotate: "${rotate}" }).token;
`;
const nowhere = `
const { Group } = require("tenantry");
new Group("mars", { location: "aws-mars-1" });
`;
const tooMany = `
const { TenantDatabase } = require("tenantry");
for (let i = 0; i < 101; i++) new TenantDatabase("tenant-" + i, { group: "eu" });
`;
const fleet = (...tenants: string[]): string => `
const { TenantFleet } = require("tenantry");
new TenantFleet("prod", { group: "eu", tenants: ${JSON.stringify(tenants)} });
`;

describe("the organization, on the engine", function () {
  this.timeout(290_000);

  it("has its people and tokens made, accepted without drift, rotated, revoked at once and removed", async () => {
    const platform = await startLocalPlatform();
    const api = apiCaller(platform, "local");
    const people = peopleOf(platform);
    const env = { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: platform.url, TENANTRY_API_TOKEN: platform.apiToken };
    const members = async () => {
      const listed = await api.ok<{ members: { username: string; role: string }[] }>("GET", "/members");
      return listed.members.map(({ username, role }) => `${username} ${role}`);
    };
    const invites = async () =>
      (await api.ok<{ invites: object[] }>("GET", "/../../../v2/organizations/local/invites")).invites.length;
    try {
      await api.ok("POST", "/groups", { name: "eu", location: "local" });
      await people.signUp("ada", "ada@example.com");
      await withProject({ files: { "index.js": program("1") }, env }, async (project) => {
        const tokenNow = async () => String((await project.outputs({ showSecrets: true }))["token"]);
        const made = await project.up();
        assert.deepEqual(made.counts, { create: 3 });
        assert.deepEqual([await members(), await invites()], [["local owner", "ada admin"], 1]);
        const first = await tokenNow();
        assert.equal(await people.isTaken(first), true);

        await people.accept("grace@example.com", "grace");
        await project.refresh();
        await project.write({ "index.js": program("2") });
        const second = await project.up();
        assert.deepEqual(second.counts, { same: 2, update: 1 }, "an accepted invite is not drift");
        assert.match(second.output, /deploy-\w{8}-\w{8} stops working as soon as its successor is made/);
        assert.deepEqual([await members(), await invites()], [["local owner", "ada admin", "grace member"], 0]);
        assert.equal((await project.outputs())["invite"], "accepted");
        const successor = await tokenNow();
        assert.deepEqual([await people.isTaken(first), await people.isTaken(successor)], [false, true]);

        const destroyed = await project.destroy();
        assert.deepEqual(destroyed.counts, { delete: 3 });
        assert.match(destroyed.output, /grace has accepted, and stays a member of local:/);
        assert.deepEqual(await members(), ["local owner", "grace member"]);
        assert.equal(await people.isTaken(successor), false, "refused at once");

        const { text } = await project.stateFile();
        for (const secret of [first, successor]) {
          for (const where of [text, made.output, second.output, destroyed.output])
            assert.ok(!where.includes(secret), "a token in clear");
        }
      });
    } finally {
      await platform.close();
    }
  });

  it("says in the preview what there is no place and no room for", async () => {
    const platform = await startLocalPlatform({ plan: "free" });
    const api = apiCaller(platform, "local");
    const env = { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: platform.url, TENANTRY_API_TOKEN: platform.apiToken };
    try {
      await api.ok("POST", "/groups", { name: "eu", location: "local" });
      await withProject({ files: { "index.js": nowhere }, env }, async (project) => {
        const placed = await project.preview({ fails: true });
        assert.match(placed.output, /mars: location: there is no location "aws-mars-1"\. Known: .*aws-eu-west-1/);
        await project.write({ "index.js": tooMany });
        const full = await project.preview({ fails: true });
        assert.match(
          full.output,
          /tenant-0, tenant-1, tenant-2 and 98 more: 101 databases, and 1 of Tenantry's own, would be made, and the plan "free" has room for 100: 0 of 100 are used\./,
        );
        assert.doesNotMatch(full.output, /^\s+at .+:\d+:\d+\)?$/m, "a stack trace");
        const { databases } = await api.ok<{ databases: object[] }>("GET", "/databases");
        assert.deepEqual(databases, []);

        await project.write({ "index.js": fleet("a") });
        await project.up();
        for (let i = 0; i < 98; i++) await api.ok("POST", "/databases", { name: `other-${i}`, group: "eu" });
        await project.write({ "index.js": fleet("a", "b", "c") });
        const grown = await project.preview({ fails: true });
        assert.match(
          grown.output,
          /prod: tenants: 2 databases would be made, and the plan "free" has room for 0: 100 of 100 are used\./,
        );
      });
    } finally {
      await platform.close();
    }
  });
});

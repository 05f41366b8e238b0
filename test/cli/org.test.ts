import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { startLocalPlatform } from "../../provider/local";
import { type ApiCaller, apiCaller } from "../local/api-caller";
import { peopleOf } from "../support/people";
import { runCli } from "./run-cli";

describe("tenantry org", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);
  let close: () => Promise<void>;
  let api: ApiCaller;
  let env: NodeJS.ProcessEnv;
  let secret: string;
  before(async () => {
    const platform = await startLocalPlatform();
    close = () => platform.close();
    env = { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: platform.url, TENANTRY_API_TOKEN: platform.apiToken };
    api = apiCaller(platform, "local");
    await peopleOf(platform).signUp("ada", "ada@example.com");
    await api.ok("POST", "/members", { username: "ada", role: "admin" });
    await api.ok("POST", "/../../../v2/organizations/local/invites", { email: "grace@example.com", role: "viewer" });
    await api.ok("POST", "/groups", { name: "eu", location: "aws-eu-west-1" });
    for (const name of ["a", "b"]) await api.ok("POST", "/databases", { name, group: "eu" });
    const body = { organization: "local", group: "eu", scopes: ["read", "db:create"] };
    secret = (await apiCaller(platform).ok<{ token: string }>("POST", "/auth/api-tokens/deploy", body)).token;
  });
  after(() => close());

  async function org(rest: string, code = 0, more: NodeJS.ProcessEnv = {}): Promise<string> {
    const args = ["org", ...rest.split(" ").filter(Boolean)];
    const ended = await runCli(args, { cwd: tmpdir(), env: { ...env, ...more } });
    assert.equal(ended.code, code, ended.stdout + ended.stderr);
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes(secret), "it shows a token");
    return code === 0 ? ended.stdout : ended.stderr;
  }
  const json = async (rest: string): Promise<Record<string, unknown>> =>
    JSON.parse(await org(`${rest} --json`)) as Record<string, unknown>;

  it("says at a glance who is there, and what is used of the plan", async () => {
    const text = await org("");
    assert.match(text, /^Platform local:local-\w+\/local \(TENANTRY_PLATFORM\)\.$/m);
    assert.match(text, /^2 members \(1 owner, 1 admin\), 1 open invite, 1 API token\.$/m);
    assert.match(text, /^Plan: local\.$/m);
    assert.match(text, /^databases +2 +no limit$/m);
    const { members, invites, tokens, format } = await json("");
    assert.deepEqual([members, invites, tokens, format], [2, 1, 1, 1]);
  });

  it("lists members, invites and tokens, without the tokens themselves", async () => {
    assert.match(await org("members"), /^ada +admin +ada@example\.com$/m);
    assert.deepEqual((await json("members"))["members"], [
      { username: "local", role: "owner" },
      { username: "ada", email: "ada@example.com", role: "admin" },
    ]);
    assert.match(await org("invites"), /^grace@example\.com +viewer +20/m);
    assert.match(await org("tokens"), /^deploy +local +group eu +read, db:create +20\d\d-\d\d-\d\d$/m);
  });

  it("shows the audit log, as much and of what is asked for", async () => {
    const text = await org("audit --limit 3");
    assert.match(text, /^20\S+Z +user-token-create +local +cli +\{"name":"deploy","group":"eu",/m);
    assert.equal(text.trimEnd().split("\n").length, 2 + 3);
    const { audit } = (await json("audit --code db-create")) as { audit: { data: { name: string } }[] };
    assert.deepEqual(
      audit.map(({ data }) => data.name),
      ["b", "a"],
    );
    assert.match(await org("audit --limit none", 1), /^tenantry: --limit: "none" is not a whole number/);
  });

  it("shows usage, plan and locations", async () => {
    const { usage } = (await json("usage")) as { usage: { what: string; used: number; limit: string }[] };
    assert.deepEqual(usage.slice(0, 2), [
      { what: "databases", limit: "unlimited", used: 2 },
      { what: "groups", limit: "unlimited", used: 1 },
    ]);
    assert.match(await org("plan"), /^LIMIT +LOCAL \*\ndatabases +no limit$/m);
    assert.match(await org("locations"), /^aws-eu-west-1 +AWS EU West \(Ireland\)$/m);
  });

  it("says of a limited plan how much of it is left, and what it does not have", async () => {
    const free = await startLocalPlatform({ plan: "free" });
    try {
      const more = { TENANTRY_API_URL: free.url, TENANTRY_API_TOKEN: free.apiToken };
      await apiCaller(free, "local").ok("POST", "/groups", { name: "eu", location: "local" });
      assert.match(await org("usage", 0, more), /^groups +1 +1 +100 %$/m);
      assert.match(await org("audit", 1, more), /audit log is not available on the free plan/);
    } finally {
      await free.close();
    }
  });

  it("shows a token of one group what it may see, and says of the rest that it may not", async () => {
    const narrow = { TENANTRY_API_TOKEN: secret };
    const text = await org("", 0, narrow);
    assert.match(text, /^Who belongs to it, this token may not read\.$/m);
    assert.match(text, /^databases +- +no limit$/m);
    assert.match(await org("members", 1, narrow), /limited to group "eu" \(403\)/);
  });

  it("says what there is in place of a verb that is not", async () => {
    assert.match(await org("memers", 1), /There is no `tenantry org memers`\. Did you mean "members"\?/);
  });

  it("says where there is nothing to be read", async () => {
    const more = {
      ...{ TENANTRY_PLATFORM: "tenantsdb", TENANTRY_ORGANIZATION: "tdb_2abf90d3" },
      ...{ TENANTRY_API_URL: undefined, TENANTRY_API_TOKEN: "tenantsdb_sk_none" },
    };
    assert.match(await org("members", 1, more), /tenantsdb has no directory that could be read\. See its console/);
  });
});

import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { serveDatabase, type ServedDatabase } from "./served-database";

type Api = ReturnType<typeof import("@tursodatabase/api", { with: { "resolution-mode": "import" } }).createClient>;

describe("@tursodatabase/api on the embedded platform", function () {
  this.timeout(120_000);
  let served: ServedDatabase;
  let turso: Api;

  before(async () => {
    const { createClient } = await import("@tursodatabase/api");
    served = await serveDatabase();
    turso = createClient({ org: "local", token: served.platform.apiToken, baseUrl: `${served.platform.url}/v1/` });
  });
  after(() => served.close());

  const refused = async (work: Promise<unknown>): Promise<{ status?: number; message: string }> => {
    try {
      await work;
    } catch (error) {
      assert.equal((error as Error).name, "TursoClientError", String(error));
      return error as Error & { status?: number };
    }
    return assert.fail("nothing failed");
  };

  it("lists locations", async () => {
    const found = await turso.locations.list();
    assert.ok(found.some(({ code, description }) => code === "local" && description === "This machine"));
  });

  it("creates, gets, lists and deletes groups", async () => {
    const made = await turso.groups.create("other", "aws-eu-west-1", { extensions: ["vector"] });
    assert.deepEqual([made.name, made.primary, made.locations], ["other", "aws-eu-west-1", ["aws-eu-west-1"]]);
    assert.deepEqual(await turso.groups.get("other"), made);
    assert.deepEqual((await turso.groups.list()).map(({ name }) => name).sort(), ["g", "other"]);
    assert.equal((await turso.groups.delete("other")).name, "other");
    assert.equal((await refused(turso.groups.get("other"))).status, 404);
  });

  it("creates, gets, lists, seeds and deletes databases", async () => {
    const made = await turso.databases.create("acme", { group: "g" });
    assert.deepEqual(Object.keys(made).sort(), ["hostname", "id", "name"]);
    const found = await turso.databases.get("acme");
    assert.deepEqual([found.id, found.hostname, found.name, found.group], [made.id, made.hostname, "acme", "g"]);
    assert.deepEqual([found.block_reads, found.block_writes, found.is_schema], [false, false, false]);
    await turso.databases.create("copy", { group: "g", seed: { type: "database", name: "acme" } });
    const names = (await turso.databases.list({ group: "g" })).map(({ name }) => name);
    assert.ok(names.includes("acme") && names.includes("copy"));
    assert.deepEqual(await turso.databases.list({ group: "nowhere" }), []);
    assert.deepEqual(await turso.databases.delete("copy"), { database: "copy" });
  });

  it("shows instances and usage, and takes an update to the version that there is", async () => {
    const { id } = await turso.databases.get("acme");
    const [instance, ...others] = await turso.databases.listInstances("acme");
    assert.deepEqual([instance?.uuid, instance?.type, others.length], [id, "primary", 0]);
    assert.deepEqual(await turso.databases.getInstance("acme", instance?.name ?? ""), instance);
    assert.equal((await refused(turso.databases.getInstance("acme", "moon"))).status, 404);
    const used = await turso.databases.usage("acme", { from: new Date(0), to: new Date() });
    assert.deepEqual([used.uuid, used.instances.map(({ uuid }) => uuid)], [id, [id]]);
    assert.ok((used.instances[0]?.usage.storage_bytes ?? 0) > 0);
    assert.equal((await refused(turso.databases.usage("acme", { from: "yesterday" }))).status, 400);
    await turso.databases.updateVersion("acme");
    assert.equal((await refused(turso.databases.updateVersion("nowhere"))).status, 404);
  });

  it("creates, lists, uses and revokes API tokens", async () => {
    const { createClient } = await import("@tursodatabase/api");
    const made = await turso.apiTokens.create("deploy");
    assert.equal(made.name, "deploy");
    const other = createClient({ org: "local", token: made.token, baseUrl: `${served.platform.url}/v1/` });
    assert.ok((await other.groups.list()).length > 0);
    assert.deepEqual((await turso.apiTokens.list()).map(({ name }) => name).sort(), ["deploy", "local"]);
    assert.deepEqual(await turso.apiTokens.revoke("deploy"), { token: "deploy" });
    assert.equal((await refused(other.groups.list())).status, 401);
    assert.equal((await refused(other.apiTokens.validate(made.token))).status, 401);
    assert.equal((await refused(turso.apiTokens.revoke("deploy"))).status, 404);
  });

  it("changes the organization, and does not delete what the platform was started with", async () => {
    assert.equal((await turso.organizations.update({ overages: true })).overages, true);
    assert.equal((await turso.organizations.update({ overages: false })).overages, false);
    const { status, message } = await refused(turso.organizations.delete());
    assert.equal(status, 403);
    assert.match(message, /--organization/);
    assert.ok((await turso.groups.list()).length > 0);
  });

  /** What people do for themselves; calls are put together after /v1/organizations/local. */
  const people = "/../../../tenantry";

  it("has members: its owner, and whoever was added or accepted an invite; and no invoices", async () => {
    const { organizations } = turso;
    const owner = { username: "local", email: "", role: "owner" };
    assert.deepEqual(await organizations.members(), [owner]);
    assert.equal((await refused(organizations.addMember("ada", "admin"))).status, 404);
    assert.equal((await refused(organizations.addMember("local"))).status, 409);
    assert.equal((await refused(organizations.removeMember("ada"))).status, 404);
    assert.equal((await refused(organizations.removeMember("local"))).status, 403);
    assert.deepEqual(await organizations.listInvites(), []);
    await organizations.inviteUser("ada@example.com", "member");
    assert.deepEqual(
      (await organizations.listInvites()).map(({ email, role }) => [email, role]),
      [["ada@example.com", "member"]],
    );
    await served.api.ok("POST", `${people}/organizations/local/invites/ada@example.com/accept`);
    assert.deepEqual(await organizations.listInvites(), []);
    const ada = { username: "ada", email: "ada@example.com", role: "member" };
    assert.deepEqual(await organizations.members(), [owner, ada]);
    await organizations.removeMember("ada");
    await organizations.addMember("ada", "admin");
    assert.deepEqual(await organizations.members(), [owner, { ...ada, role: "admin" }]);
    await organizations.removeMember("ada");
    assert.equal((await refused(organizations.deleteInvite("ada@example.com"))).status, 404);
    assert.deepEqual(await organizations.invoices(), []);
    // As Turso documents them, which the client does not ask.
    assert.deepEqual(await served.api.ok("GET", "/members/local"), {
      member: { username: "local", email: "", role: "owner" },
    });
    for (const [username, expected] of Object.entries({ grace: 404, local: 409 }))
      assert.equal((await served.api("POST", "/members", { username, role: "member" })).status, expected);
    assert.equal((await served.api("POST", "/members", {})).status, 400);
    for (const [username, expected] of Object.entries({ grace: 404, local: 403 }))
      assert.equal((await served.api("PATCH", `/members/${username}`, { role: "admin" })).status, expected);
    await served.api.ok("POST", "/groups/g/update");
    assert.equal((await served.api("POST", "/groups/nowhere/update")).status, 404);
  });

  it("adds and removes no places: there is one", async () => {
    for (const change of [turso.groups.addLocation("g", "aws-eu-west-1"), turso.groups.removeLocation("g", "local")]) {
      const { status, message } = await refused(change);
      assert.deepEqual([status, message], [400, "replication is not supported"]);
    }
  });

  it("tells refusals with status and text", async () => {
    assert.equal((await refused(turso.databases.create("acme", { group: "g" }))).status, 409);
    const absent = await refused(turso.databases.get("nowhere"));
    assert.deepEqual(
      [absent.status, absent.message],
      [404, "could not find database with name nowhere: record not found"],
    );
    assert.equal((await refused(turso.databases.create("x", { group: "nowhere" }))).status, 400);
    assert.equal((await refused(turso.databases.create("x", { group: "g", useTursoDb: true }))).status, 400);
    assert.equal((await refused(turso.groups.create("x", "moon"))).status, 400);
    const { createClient } = await import("@tursodatabase/api");
    const baseUrl = `${served.platform.url}/v1/`;
    assert.equal((await refused(createClient({ org: "local", token: "wrong", baseUrl }).groups.list())).status, 401);
    const elsewhere = createClient({ org: "nowhere", token: served.platform.apiToken, baseUrl });
    assert.equal((await refused(elsewhere.groups.list())).status, 404);
  });

  // Deviations of the client from the API as documented: each is the client's, and would be met on Turso too.
  describe("where the client leaves the documented API", () => {
    it("cannot mint a token: it always sends permissions, which current databases refuse", async () => {
      const answer = /^Permissions are not supported/;
      for (const mint of [turso.databases.createToken("acme"), turso.groups.createToken("g")]) {
        const { status, message } = await refused(mint);
        assert.equal(status, 400);
        assert.match(message, answer);
      }
    });

    it("rotates, and then fails on the documented empty answer", async () => {
      const token = await served.api.ok<{ jwt: string }>("POST", "/databases/acme/auth/tokens");
      await assert.rejects(turso.databases.rotateTokens("acme"), SyntaxError);
      await assert.rejects(turso.groups.rotateTokens("g"), SyntaxError);
      const used = await fetch(`${served.platform.databaseUrl("acme")}v2/pipeline`, {
        method: "POST",
        headers: { authorization: `Bearer ${token.jwt}` },
        body: JSON.stringify({ requests: [{ type: "close" }] }),
      });
      assert.equal(used.status, 401, "the rotation took place");
    });

    it("lists no organizations: it reads the answer of version 2 at the path of version 1", async () => {
      assert.deepEqual(await turso.organizations.list(), []);
    });

    it("hides what it does not know: delete protection and parent are not in its answers", async () => {
      const found = await turso.databases.get("acme");
      assert.ok(!("delete_protection" in found) && !("parent" in found));
    });

    it("looks for a database's whole usage in `usage`; the documented name is `total`", async () => {
      const used = await turso.databases.usage("acme");
      assert.equal(used.usage, undefined);
      assert.ok((used as unknown as { total: { storage_bytes: number } }).total.storage_bytes > 0);
    });

    it("validates always its own token, and takes one that never ends for invalid", async () => {
      assert.deepEqual(await turso.apiTokens.validate("wrong"), { valid: false, expiry: -1 });
      assert.deepEqual(await served.api.ok("GET", "/../../auth/validate"), { exp: -1 });
    });

    it("cannot create a database by a group's id: the documented call takes its name", async () => {
      const { status, message } = await refused(turso.databases.create("x", { groupId: "g" }));
      assert.equal(status, 400);
      assert.match(message, /group/);
    });
  });
});

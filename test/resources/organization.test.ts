import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { persqlCapabilities } from "../../provider/drivers/persql/capabilities";
import { tursoCapabilities } from "../../provider/drivers/turso/capabilities";
import { type ApiTokenInputs, apiToken } from "../../provider/resources/api-token";
import { type InviteInputs, invite } from "../../provider/resources/invite";
import { type MemberInputs, member } from "../../provider/resources/member";
import { respond } from "../../provider/response";
import { addressOf, withBench } from "../support/bench";
import type { Fate } from "../support/faulty-line";
import { loseOnce, peopleOf, withPeople } from "../support/people";

const ada = (more: Partial<MemberInputs> = {}): MemberInputs => ({
  self: addressOf("ada"),
  username: "ada",
  role: "member",
  ...more,
});
const grace = (more: Partial<InviteInputs> = {}): InviteInputs => ({
  self: addressOf("grace"),
  email: "grace@example.com",
  role: "member",
  ...more,
});
const deploy = (more: Partial<ApiTokenInputs> = {}): ApiTokenInputs => ({
  self: addressOf("deploy"),
  name: "deploy",
  ...more,
});

const roleOf = async (context: Context, username = "ada") =>
  (await context.platform.directory!.getMember(username))?.role;
const openInvites = async (context: Context) =>
  (await context.platform.directory!.listInvites()).map(({ email, role }) => `${email} ${role}`);

describe("Member, Invite, ApiToken: check", () => {
  const turso = { olds: undefined, capabilities: tursoCapabilities, platform: "turso" };
  const wrong: [string, readonly string[], RegExp][] = [
    [
      "an unknown key",
      member.check({ news: { ...ada(), rol: "x" } as never, ...turso }).failures,
      /^rol: .*did you mean "role"\?/,
    ],
    [
      "a role that is none",
      member.check({ news: ada({ role: "admn" as never }), ...turso }).failures,
      /^role: .*did you mean "admin"\?/,
    ],
    [
      "an owner",
      member.check({ news: ada({ role: "owner" as never }), ...turso }).failures,
      /^role: an owner is not made by a role; use "admin", "member" or "viewer"\.$/,
    ],
    ["nobody", member.check({ news: ada({ username: "" }), ...turso }).failures, /^username: must be the username/],
    ["no address", invite.check({ news: grace({ email: "grace" }), ...turso }).failures, /^email: must be an address/],
    [
      "two addressees",
      invite.check({ news: grace({ username: "grace" }), ...turso }).failures,
      /^email: give an email or a username/,
    ],
    [
      "an end",
      apiToken.check({ news: { ...deploy(), expiresIn: "7d" } as never, ...turso }).failures,
      /^expiresIn: there is no such property/,
    ],
    [
      "scopes without a group",
      apiToken.check({ news: deploy({ scopes: ["read"] }), ...turso }).failures,
      /^scopes: they come with a group/,
    ],
    [
      "an unknown scope",
      apiToken.check({ news: deploy({ group: "eu", scopes: ["read", "db:creat"] }), ...turso }).failures,
      /^scopes\.1: there is no scope "db:creat"; did you mean "db:create"\?/,
    ],
    [
      "no scopes",
      apiToken.check({ news: deploy({ group: "eu", scopes: [] }), ...turso }).failures,
      /^scopes: must name at least one/,
    ],
    [
      "a long name",
      apiToken.check({ news: deploy({ name: "a".repeat(51) }), ...turso }).failures,
      /^name: it has 51 characters/,
    ],
    [
      "a bad name",
      apiToken.check({ news: deploy({ name: "De ploy" }), ...turso }).failures,
      /^name: .*"de-ploy" would be/,
    ],
  ];
  for (const [what, failures, message] of wrong) {
    it(`refuses ${what}, once, with its path`, () => {
      assert.equal(failures.length, 1, failures.join("\n"));
      assert.match(failures[0]!, message);
    });
  }

  it("fills in the role, and refuses all three where there is no directory", () => {
    assert.deepEqual(member.check({ news: { self: "a/b/c/d", username: "ada" }, ...turso }).inputs.role, "member");
    const persql = { olds: undefined, capabilities: persqlCapabilities, platform: "persql" };
    for (const { failures } of [
      member.check({ news: ada(), ...persql }),
      invite.check({ news: grace(), ...persql }),
      apiToken.check({ news: deploy(), ...persql }),
    ])
      assert.match(failures.join(), /^\w+: persql has no .* that a program could manage; leave it out/);
  });
});

describe("Member", function () {
  this.timeout(60_000);

  it("adds, changes the role, shows drift, adds who was removed by hand, and removes", async () => {
    await withPeople(async (bench, context) => {
      const made = await member.create({ inputs: ada(), context });
      assert.equal(await roleOf(context), "member");
      const change = await member.diff({ id: made.id, olds: made.outputs, news: ada({ role: "admin" }), context });
      assert.deepEqual(change, { changes: true });
      let outputs = await member.update({ id: made.id, olds: made.outputs, news: ada({ role: "admin" }), context });
      assert.equal(await roleOf(context), "admin");
      await bench.api.ok("PATCH", "/members/ada", { role: "viewer" });
      outputs = (await member.read({ id: made.id, outputs, context }))!;
      assert.equal(outputs.role, "viewer");
      await bench.api.ok("DELETE", "/members/ada");
      assert.equal(await member.read({ id: made.id, outputs, context }), undefined);
      outputs = await member.update({ id: made.id, olds: outputs, news: ada(), context });
      assert.equal(await roleOf(context), "member");
      assert.equal(await member.delete({ id: made.id, outputs, context }), undefined);
      assert.equal(await member.delete({ id: made.id, outputs, context }), undefined);
      assert.equal(await roleOf(context), undefined);
    });
  });

  it("takes who is as declared as they are, and leaves them; changes others only when told to", async () => {
    await withPeople(async (bench, context) => {
      await bench.api.ok("POST", "/members", { username: "ada", role: "viewer" });
      await assert.rejects(member.create({ inputs: ada(), context }), {
        code: "already-exists",
        message: /"ada" is a member already, as viewer\. Declare them with role: "viewer", or .* adopt: "unowned"/,
      });
      assert.equal(await roleOf(context), "viewer");
      const same = await member.create({ inputs: ada({ role: "viewer" }), context });
      assert.match(String(await member.delete({ ...same, context })), /^ada stays a member of local:.*, as they were/);
      const taken = await member.create({ inputs: ada({ adopt: "unowned", deletionPolicy: "delete" }), context });
      assert.equal(await roleOf(context), "member");
      await member.delete({ ...taken, context });
      assert.equal(await roleOf(context), undefined);
    });
  });

  it("takes who was added in the same moment as they are, and leaves them", async () => {
    await withPeople(async (bench) => {
      const { context } = await bench.contextOn(async ({ method, path }): Promise<Fate> => {
        if (method === "POST" && path.endsWith("/members"))
          await bench.api.ok("POST", "/members", { username: "ada", role: "member" });
        return "pass";
      });
      const made = await member.create({ inputs: ada(), context });
      assert.equal(made.outputs.adopted, true);
      assert.match(String(await member.delete({ ...made, context })), /^ada stays a member/);
    });
  });

  it("belongs to its organization: another connection's has another one, and a wrong one is refused", async () => {
    await withBench(
      async (bench) => {
        const context = bench.context();
        await peopleOf(bench.platform).signUp("ada", "ada@example.com");
        const made = await member.create({ inputs: ada(), context });
        const other = bench.context({ organization: "globex" });
        await other.scope();
        const olds = made.outputs;
        const moved = await member.diff({ id: made.id, olds, news: ada({ connection: "globex" }), context: other });
        assert.deepEqual(moved, { changes: true, replaces: ["connection"], deleteBeforeReplace: true });
        await assert.rejects(async () => member.diff({ id: made.id, olds, news: ada(), context: other }), {
          code: "wrong-scope",
        });
        for (const refused of [
          member.read({ ...made, context: other }),
          member.update({ id: made.id, olds, news: ada(), context: other }),
          member.delete({ ...made, context: other }),
        ])
          await assert.rejects(refused, { code: "wrong-scope" });
        // A renamed connection to the same place is written down, no more.
        const renamed = await member.diff({ id: made.id, olds, news: ada({ connection: "ours" }), context });
        assert.deepEqual(renamed, { changes: true });
        assert.equal(await roleOf(context), "member");
      },
      { organizations: ["local", "globex"] },
    );
  });

  it("never changes or removes the owner", async () => {
    await withPeople(async (bench, context) => {
      const local = ada({ username: "local", role: "admin", adopt: "unowned" });
      await assert.rejects(member.create({ inputs: local, context }), { code: "protected" });
      const made = await member.create({ inputs: ada(), context });
      const outputs = { ...made.outputs, username: "local" };
      await assert.rejects(member.update({ id: "1", olds: outputs, news: local, context }), { code: "protected" });
      assert.match(String(await member.delete({ id: "1", outputs, context })), /^local owns local:.*, and stays/);
      assert.equal(await roleOf(context, "local"), "owner");
      assert.equal((await bench.api.ok<{ members: object[] }>("GET", "/members")).members.length, 2);
    });
  });

  it("is ours after a lost reply, and is replaced by another person's", async () => {
    await withPeople(async (bench) => {
      const { context, line } = await bench.contextOn(loseOnce("/members"));
      const made = await member.create({ inputs: ada(), context });
      assert.equal(line.calls.filter(({ method }) => method === "POST").length, 2);
      assert.equal(made.outputs.adopted, undefined, "our own attempt added them");
      assert.deepEqual(await member.diff({ ...made, olds: made.outputs, news: ada({ username: "Ada" }), context }), {
        changes: true,
      });
      const other = await member.diff({ ...made, olds: made.outputs, news: ada({ username: "linus" }), context });
      assert.deepEqual(other.replaces, ["username"]);
    });
  });
});

describe("Invite", function () {
  this.timeout(60_000);

  it("is accepted without drift and without another one, and its removal leaves the member", async () => {
    await withPeople(async (bench, context) => {
      const made = await invite.create({ inputs: grace(), context });
      assert.equal(made.outputs.status, "open");
      const seen = (await invite.read({ ...made, context }))!;
      assert.deepEqual(respond(seen), respond(made.outputs));
      await peopleOf(bench.platform).accept("grace@example.com", "grace-h");
      const outputs = (await invite.read({ ...made, context }))!;
      assert.equal(outputs.status, "accepted");
      assert.deepEqual((await invite.diff({ id: made.id, olds: outputs, news: grace(), context })).changes, false);
      const admin = grace({ role: "admin" });
      const changed = await invite.diff({ id: made.id, olds: outputs, news: admin, context });
      assert.match(changed.note ?? "", /a Member resource is what changes their role now/);
      await invite.update({ id: made.id, olds: outputs, news: admin, context });
      assert.deepEqual([await openInvites(context), await roleOf(context, "grace-h")], [[], "member"]);
      // Also where state has not seen it, and once they have left again.
      assert.match(String(await invite.delete({ ...made, context })), /^grace-h has accepted, and stays a member/);
      assert.equal(await roleOf(context, "grace-h"), "member");
      await bench.api.ok("DELETE", "/members/grace-h");
      assert.equal((await invite.read({ id: made.id, outputs, context }))?.status, "accepted");
      assert.deepEqual(await openInvites(context), []);
    });
  });

  it("that is open is withdrawn, replaced by another role, found again, and sent anew after it was withdrawn by hand", async () => {
    await withPeople(async (bench, context) => {
      const made = await invite.create({ inputs: grace(), context });
      const again = await invite.create({ inputs: grace(), context });
      assert.equal(again.outputs.status, "open");
      assert.deepEqual(await openInvites(context), ["grace@example.com member"]);
      const viewer = grace({ role: "viewer" });
      assert.equal((await invite.diff({ ...made, olds: made.outputs, news: viewer, context })).changes, true);
      const outputs = await invite.update({ id: made.id, olds: made.outputs, news: viewer, context });
      assert.deepEqual(await openInvites(context), ["grace@example.com viewer"]);
      await bench.api.ok("DELETE", "/../../../v2/organizations/local/invites/grace@example.com");
      assert.equal(await invite.read({ id: made.id, outputs, context }), undefined);
      await invite.create({ inputs: viewer, context });
      await invite.delete({ id: made.id, outputs, context });
      assert.deepEqual(await openInvites(context), []);
      await invite.delete({ id: made.id, outputs, context });
    });
  });

  it("of who is a member already is accepted, by address or by name, and sends nothing", async () => {
    await withPeople(async (bench, context) => {
      await bench.api.ok("POST", "/members", { username: "ada" });
      for (const more of [{ email: "Ada@example.com" }, { email: undefined, username: "ada" }]) {
        const { outputs } = await invite.create({ inputs: grace(more), context });
        assert.equal(outputs.status, "accepted");
      }
      assert.deepEqual(await openInvites(context), []);
      const byName = await invite.create({ inputs: grace({ email: undefined, username: "linus" }), context });
      assert.deepEqual([byName.outputs.address, byName.outputs.status], ["linus@example.com", "open"]);
      assert.equal((await invite.read({ ...byName, context }))?.status, "open");
    });
  });
});

import assert from "node:assert/strict";
import { apiToken } from "../../provider/resources/api-token";
import type { Failure } from "../../provider/resources/handler";
import { invite } from "../../provider/resources/invite";
import { member } from "../../provider/resources/member";
import { type Stage, fresh } from "./driver";
import type { Proof } from "./driver-capabilities";
import { refusesAtCheck, self, surroundings } from "./refusals";

const apiTokenFailuresOf = (stage: Stage, more: object): Failure[] =>
  apiToken.check({ news: { self, name: "deploy", ...more }, ...surroundings(stage) }).failures;

/** An organization beside its databases: who belongs to it, what may call its API, what was done, what its plan allows. */
export const directoryProofs = {
  directory: {
    can: ({ platform }) => platform.capabilities.directory,
    async works(stage) {
      const { platform, people, group } = stage;
      const directory = platform.directory!;
      assert.ok(people, "somebody has to sign up and accept");
      const [ada, grace] = [fresh("ada"), fresh("grace")];
      const address = (name: string) => `${name}@example.com`;

      await assert.rejects(directory.addMember(ada, "member"), { code: "user-not-found" });
      assert.equal(await directory.getMember(ada), undefined);
      await people.signUp(ada, address(ada));
      await directory.addMember(ada, "viewer");
      await assert.rejects(directory.addMember(ada, "viewer"), { code: "already-exists" });
      await directory.setRole(ada, "admin");
      const found = await directory.getMember(ada);
      assert.deepEqual([found?.username, found?.role, found?.email], [ada, "admin", address(ada)]);
      assert.ok((await directory.listMembers()).some(({ role }) => role === "owner"));
      await directory.removeMember(ada);
      await directory.removeMember(ada);
      assert.equal(await directory.getMember(ada), undefined);
      await assert.rejects(directory.setRole(ada, "admin"), { code: "user-not-found" });

      const open = async (): Promise<string[]> =>
        (await directory.listInvites()).filter(({ email }) => email === address(grace)).map(({ role }) => role);
      assert.deepEqual(await directory.invite({ email: address(grace) }, "member"), { email: address(grace) });
      await directory.invite({ email: address(grace) }, "viewer");
      assert.deepEqual(await open(), ["viewer"], "the second replaces the first");
      await directory.revokeInvite(address(grace));
      await directory.revokeInvite(address(grace));
      assert.deepEqual(await open(), []);
      assert.deepEqual(await directory.invite({ username: ada }, "member"), { email: address(ada) });
      await directory.revokeInvite(address(ada));
      await directory.invite({ email: address(grace) }, "member");
      await people.accept(address(grace), grace);
      assert.deepEqual([await open(), (await directory.getMember(grace))?.role], [[], "member"]);
      await directory.removeMember(grace);

      const name = fresh("token");
      const made = await directory.createApiToken({ name, limit: undefined });
      assert.equal(await people.isTaken(made.token), true);
      await assert.rejects(directory.createApiToken({ name, limit: undefined }), { code: "already-exists" });
      const [listed, ...more] = (await directory.listApiTokens()).filter(({ id }) => id === made.id);
      assert.deepEqual([listed?.name, listed?.group, listed?.scopes, more], [name, undefined, undefined, []]);
      await directory.revokeApiToken(made.id);
      await directory.revokeApiToken(made.id);
      assert.equal(await people.isTaken(made.token), false);
      const nowhere = { group: fresh("nowhere"), scopes: ["read"] };
      await assert.rejects(directory.createApiToken({ name, limit: nowhere }), { code: "group-not-found" });

      const entries = [];
      for await (const entry of directory.auditLog()) entries.push(entry);
      assert.ok(
        entries.some(({ code, author, data }) => code === "user-token-create" && author && data["name"] === name),
      );
      assert.deepEqual(
        entries.map(({ at }) => at),
        entries.map(({ at }) => at).sort((a, b) => Date.parse(b) - Date.parse(a)),
      );

      const plan = await directory.plan();
      const databases = plan.limits.find(({ what }) => what === "databases")!;
      const before = databases.used!;
      assert.ok(plan.name && databases.limit !== undefined && before >= 0);
      assert.ok(plan.offered.some(({ isPresent, name: offered }) => isPresent && offered === plan.name));
      await stage.create();
      const after = (await directory.plan()).limits.find(({ what }) => what === "databases")!;
      assert.ok(after.used! > before, `${after.used} of ${group}`);
    },
    async refused(stage) {
      assert.equal(stage.platform.directory, undefined);
      const around = surroundings(stage);
      refusesAtCheck(stage, member.check({ news: { self, username: "ada" }, ...around }).failures, "username");
      refusesAtCheck(stage, invite.check({ news: { self, email: "a@b.c" }, ...around }).failures, "email");
      refusesAtCheck(stage, apiTokenFailuresOf(stage, {}), "name");
    },
  },

  apiTokenScopes: {
    can: ({ platform }) => platform.capabilities.apiTokenScopes.length > 0,
    async works(stage) {
      const { platform, people, group } = stage;
      const directory = platform.directory!;
      for (const scope of platform.capabilities.apiTokenScopes) {
        assert.deepEqual(apiTokenFailuresOf(stage, { group, scopes: [scope] }), []);
        const limit = { group, scopes: [scope] };
        const { id, token } = await directory.createApiToken({ name: fresh("token"), limit });
        const listed = (await directory.listApiTokens()).find((one) => one.id === id);
        assert.deepEqual([listed?.group, listed?.scopes], [group, [scope]]);
        assert.equal(await people!.isTaken(token), true);
        await directory.revokeApiToken(id);
      }
      assert.match(apiTokenFailuresOf(stage, { group, scopes: ["db:drop"] }).join(), /^scopes\.0: there is no scope/);
    },
    refused: async (stage) =>
      refusesAtCheck(stage, apiTokenFailuresOf(stage, { group: "eu", scopes: ["read"] }), "name"),
  },
} satisfies Record<string, Proof>;

import assert from "node:assert/strict";
import { tursoPlatform } from "../../provider/drivers/turso";
import type { Directory } from "../../provider/platform/directory";
import { type Script, type ScriptedServer, freshToken, withScriptedServer } from "../support/scripted-server";

const withDirectory = (script: Script, use: (directory: Directory, server: ScriptedServer) => Promise<void>) =>
  withScriptedServer(script, (server) => {
    const retry = { base: 1, longest: 2 };
    const platform = tursoPlatform({ apiUrl: server.url, apiToken: freshToken(), organization: "acme corp", retry });
    return use(platform.directory!, server);
  });
const sent = ({ requests }: ScriptedServer) =>
  requests.map(({ method, path, body }) => `${method} ${path}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`);
const v1 = "/v1/organizations/acme%20corp";
const v2 = "/v2/organizations/acme%20corp";

describe("turso driver: directory", () => {
  it("sends what Turso documents", async () => {
    const token = { name: "deploy", id: "t-1", token: "secret" };
    await withDirectory(
      ({ path }) => ({ json: path.includes("/auth/") ? token : { invited: { email: "grace@example.com" } } }),
      async (directory, server) => {
        await directory.addMember("ada", "admin");
        await directory.setRole("a/b", "viewer");
        await directory.removeMember("ada");
        await directory.invite({ email: "grace@example.com" }, "member");
        assert.deepEqual(await directory.invite({ username: "grace" }, "viewer"), { email: "grace@example.com" });
        await directory.revokeInvite("grace+a@example.com");
        const limit = { group: "eu", scopes: ["read"] };
        assert.deepEqual(await directory.createApiToken({ name: "deploy", limit }), { id: "t-1", token: "secret" });
        await directory.createApiToken({ name: "deploy", limit: undefined });
        await directory.revokeApiToken("t-1");
        assert.deepEqual(sent(server), [
          `POST ${v1}/members {"username":"ada","role":"admin"}`,
          `PATCH ${v1}/members/a%2Fb {"role":"viewer"}`,
          `DELETE ${v1}/members/ada`,
          `POST ${v2}/invites {"email":"grace@example.com","role":"member"}`,
          `POST ${v2}/invites {"username":"grace","role":"viewer"}`,
          `DELETE ${v2}/invites/grace%2Ba%40example.com`,
          'POST /v1/auth/api-tokens/deploy {"organization":"acme corp","group":"eu","scopes":["read"]}',
          'POST /v1/auth/api-tokens/deploy {"organization":"acme corp"}',
          `DELETE ${v1}/api-tokens/t-1`,
        ]);
      },
    );
  });

  it("reads both shapes of a new API token, and refuses one of another name", async () => {
    for (const [json, expected] of [
      [{ token: { name: "deploy", id: "t-1", value: "secret" } }, { id: "t-1", token: "secret" }],
      [
        { id: "t-1", token: "secret" },
        { id: "t-1", token: "secret" },
      ],
      [{ id: "t-1", token: "secret", name: "other" }, "bad-answer"],
    ] as const) {
      await withDirectory(
        () => ({ json }),
        async (directory) => {
          const made = directory.createApiToken({ name: "deploy", limit: undefined });
          if (expected === "bad-answer") await assert.rejects(made, { code: expected });
          else assert.deepEqual(await made, expected);
        },
      );
    }
  });

  it("finds and revokes the user's own tokens where an organization has no list of its own", async () => {
    const own = { name: "deploy", id: "t-1", organization: "acme corp", created_at: "2026-01-01" };
    await withDirectory(
      ({ method, path }) => {
        if (path.startsWith(v1)) return { status: 404, json: { error: "not found" } };
        return { json: method === "GET" ? { tokens: [own] } : { token: "deploy" } };
      },
      async (directory, server) => {
        const [token, ...others] = await directory.listApiTokens();
        assert.deepEqual([token?.id, token?.name, token?.owner, others], ["t-1", "deploy", undefined, []]);
        await directory.revokeApiToken("t-1");
        await directory.revokeApiToken("t-2");
        assert.deepEqual(
          sent(server).filter((call) => call.startsWith("DELETE /v1/auth")),
          ["DELETE /v1/auth/api-tokens/deploy"],
        );
      },
    );
  });

  it("reads the audit log page by page, to the last one only", async () => {
    const entry = (page: string) => ({ code: `page-${page}`, author: null, created_at: "2026-01-01T00:00:00Z" });
    await withDirectory(
      ({ query }) => ({ json: { audit_logs: [entry(query["page"]!)], pagination: { total_pages: 3 } } }),
      async (directory, server) => {
        const codes = [];
        for await (const { code, data } of directory.auditLog()) codes.push(code, Object.keys(data).length);
        assert.deepEqual([codes, server.requests.length], [["page-1", 0, "page-2", 0, "page-3", 0], 3]);
      },
    );
  });

  it("compares the plan in whatever case, with null for no limit, and without what a token may not read", async () => {
    const quotas = { databases: 500, groups: null, rowsRead: 7, invented: 1 };
    const replies =
      (isAllowed: boolean): Script =>
      (request) => {
        const { path } = request;
        if (path.endsWith("/plans"))
          return {
            json: {
              plans: [
                { name: "Scaler", quotas },
                { name: "pro", quotas: {} },
              ],
            },
          };
        if (path.endsWith("/subscription")) return { json: { subscription: { plan: "scaler", overages: true } } };
        if (!isAllowed) return { status: 403, json: { error: "not for this token" } };
        return { json: { organization: { usage: { databases: 12, groups: 1, rows_read: 3 } } } };
      };
    for (const isAllowed of [true, false]) {
      await withDirectory(replies(isAllowed), async (directory) => {
        const { name, overages, limits, offered } = await directory.plan();
        assert.deepEqual([name, overages, offered.map(({ isPresent }) => isPresent)], ["scaler", true, [true, false]]);
        assert.deepEqual(
          limits.map(({ what, used, limit }) => [what, used, limit]).filter(([, , limit]) => limit !== undefined),
          [
            ["databases", isAllowed ? 12 : undefined, 500],
            ["groups", isAllowed ? 1 : undefined, "unlimited"],
            ["rows read", isAllowed ? 3 : undefined, 7],
          ],
        );
      });
    }
  });

  it("names what is refused, and does not take a missing organization for a missing member", async () => {
    const refusals = [
      [404, { error: "organization not found" }, "organization-not-found"],
      [404, { error: "user not found" }, "user-not-found"],
      [409, { error: "user is already a member" }, "already-exists"],
      [400, { error: "no", code: "feature_not_available_for_starter_plan" }, "plan-refused"],
      [403, { error: "only owners and admins" }, "forbidden"],
      [400, { error: "invalid role" }, "invalid-input"],
    ] as const;
    for (const [status, json, code] of refusals) {
      await withDirectory(
        () => ({ status, json }),
        async (directory) => {
          await assert.rejects(directory.addMember("ada", "member"), { code });
          if (code === "organization-not-found") await assert.rejects(directory.getMember("ada"), { code });
        },
      );
    }
  });
});

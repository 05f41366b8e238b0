import assert from "node:assert/strict";
import { tursoPlatform } from "../../provider/drivers/turso";
import type { Account } from "../../provider/platform/account";
import { type ScriptedReply, fakeJwt, freshToken, withScriptedServer } from "../support/scripted-server";

const org = "/v1/organizations/acme";
const usual: Record<string, unknown> = {
  "/v1/auth/validate": { exp: 1_900_000_000 },
  "/v1/auth/api-tokens": {
    tokens: [
      { id: "t-0", name: "other", organization: "", group: "", scopes: [], created_at: "2026-01-01T00:00:00Z" },
      { id: "t-1", name: "ci", organization: "acme", group: null, scopes: ["read"], invented_tomorrow: 1 },
    ],
  },
  [`${org}/usage`]: { organization: { uuid: "u", usage: { databases: 12, groups: 2, rows_read: 5 }, databases: [] } },
  [`${org}/subscription`]: { subscription: { name: "Acme", plan: "Scaler", overages: true, timeline: "yearly" } },
  [`${org}/plans`]: {
    plans: [
      { name: "starter", price: "0", quotas: { databases: 100, groups: 1 } },
      { name: "scaler", price: "25", quotas: { databases: null, groups: 6, rowsRead: 1 } },
    ],
  },
};

/** The account as read from a server that answers as usual but for `other`. */
async function accountOf(
  other: Record<string, ScriptedReply> = {},
  apiToken = freshToken(),
): Promise<{ account: Account; asked: string[] }> {
  return withScriptedServer(
    ({ path }) =>
      other[path] ?? (path in usual ? { json: usual[path] } : { status: 404, json: { error: "not found" } }),
    async ({ url, requests }) => {
      const retry = { base: 1, longest: 2 };
      const account = await tursoPlatform({ apiUrl: url, apiToken, organization: "acme", retry }).account();
      return { account, asked: requests.map(({ method, path }) => `${method} ${path}`) };
    },
  );
}

describe("turso driver: account", () => {
  it("reads expiry, plan and quotas in five calls", async () => {
    const { account, asked } = await accountOf();
    assert.deepEqual(account, {
      tokenExpiry: new Date(1_900_000_000_000),
      grant: undefined,
      plan: "Scaler",
      quotas: [
        { what: "databases", used: 12, limit: "unlimited" },
        { what: "groups", used: 2, limit: 6 },
      ],
    });
    assert.deepEqual(
      asked.sort(),
      Object.keys(usual)
        .map((path) => `GET ${path}`)
        .sort(),
    );
  });

  it("knows -1 as never", async () => {
    assert.equal((await accountOf({ "/v1/auth/validate": { json: { exp: -1 } } })).account.tokenExpiry, "never");
  });

  it("finds the token in use by the id that it carries, and by nothing else", async () => {
    for (const claim of ["id", "jti", "tid"]) {
      const { grant } = (await accountOf({}, fakeJwt({ [claim]: "t-1" }))).account;
      assert.deepEqual(
        [grant?.name, grant?.scopes, grant?.organization, grant?.group],
        ["ci", ["read"], "acme", undefined],
      );
    }
    assert.equal((await accountOf({}, fakeJwt({ id: "t-0" }))).account.grant?.scopes, "unrestricted");
    assert.equal((await accountOf({}, fakeJwt({ id: "t-2" }))).account.grant, undefined);
  });

  describe("what rights are enough for", () => {
    const always = ["read", "db:create", "db:delete", "db:configure", "db:mint-token", "group:mint-token"];
    const all = [...always, "db:rotate-creds", "group:configure", "group:rotate-creds"];
    const cases: [string, object, string, string[]][] = [
      ["none are named", { scopes: [] }, "every deploy", []],
      ["all, in one organization", { scopes: all, organization: "acme" }, "every deploy", []],
      ["all, in one group", { scopes: all, group: "eu" }, "deploys into existing groups", ["creating groups"]],
      ["no rotation", { scopes: all.slice(0, -1) }, "deploys into existing groups", ["group:rotate-creds"]],
      ["reading", { scopes: ["read"] }, "no deploy", all.slice(1)],
    ];
    for (const [what, facts, enoughFor, missing] of cases) {
      it(what, async () => {
        const json = { tokens: [{ id: "t-1", name: "ci", ...facts }] };
        const { grant } = (await accountOf({ "/v1/auth/api-tokens": { json } }, fakeJwt({ id: "t-1" }))).account;
        assert.deepEqual([grant?.enoughFor, grant?.missing], [enoughFor, missing]);
      });
    }
  });

  const silences: [string, ScriptedReply][] = [
    ["forbids", { status: 403, json: { error: "forbidden" } }],
    ["does not have", { status: 404, json: { error: "not found" } }],
    ["fails at", { status: 500, json: { error: "oops" } }],
    ["has another shape for", { json: { surprise: [] } }],
    ["says nothing at", { text: "" }],
  ];
  for (const [what, reply] of silences) {
    it(`leaves out what the platform ${what}`, async () => {
      const parts = Object.keys(usual).filter((path) => path !== "/v1/auth/validate");
      const { account } = await accountOf(
        Object.fromEntries(parts.map((path) => [path, reply])),
        fakeJwt({ id: "t-1" }),
      );
      const nothing = { used: undefined, limit: undefined };
      const quotas = [
        { what: "databases", ...nothing },
        { what: "groups", ...nothing },
      ];
      assert.deepEqual(account, {
        tokenExpiry: new Date(1_900_000_000_000),
        grant: undefined,
        plan: undefined,
        quotas,
      });
    });
  }

  it("does without validity where it may not be asked, or tells it in another shape", async () => {
    for (const reply of [
      { status: 403, json: { error: "no" } },
      { status: 404, json: { error: "no" } },
      { json: {} },
    ]) {
      const { account } = await accountOf({ "/v1/auth/validate": reply });
      assert.deepEqual([account.tokenExpiry, account.plan], [undefined, "Scaler"]);
    }
  });

  it("fails with the explanation of a rejected token, after one call", async () => {
    const apiToken = freshToken();
    const script = () => ({ status: 401, json: { error: "invalid token" } });
    await withScriptedServer(script, async ({ url, requests }) => {
      const platform = tursoPlatform({ apiUrl: url, apiToken, organization: "acme" });
      await assert.rejects(platform.account(), {
        code: "credentials-rejected",
        message: /invalid token.*TURSO_API_TOKEN/,
      });
      assert.equal(requests.length, 1);
    });
  });
});

import assert from "node:assert/strict";
import type { Account, Quota, TokenGrant } from "../../provider/platform/account";
import { quotaCheck, scopesCheck, tokenCheck } from "../../sdk/cli/doctor/account";
import { lineOf } from "../../sdk/cli/doctor/check";
import { unrestricted } from "../../provider/drivers/turso/grant";

const now = Date.parse("2026-01-01T00:00:00Z");
const day = 86_400_000;

describe("tenantry doctor: token, scopes and quotas", () => {
  const expiries: [string, Account["tokenExpiry"], RegExp][] = [
    ["never", "never", /^ok .*never expires$/],
    ["not told", undefined, /^ok .*does not say when/],
    ["past", new Date(now - 1), /^problem .*expired on 2025-12-31.*Mint another/],
    ["hours away", new Date(now + day / 4), /^warning .*less than 2 days.*Mint another/],
    ["six days away", new Date(now + 6.5 * day), /^warning .*in 6 days\. Mint/],
    ["months away", new Date(now + 90 * day), /^ok .*in 90 days$/],
  ];
  for (const [what, tokenExpiry, expected] of expiries) {
    it(`judges an expiry that is ${what}`, () => {
      const account = { tokenExpiry, grant: undefined, plan: undefined, quotas: [] };
      assert.match(lineOf(tokenCheck(account, now)), expected);
    });
  }

  const grants: [string, Partial<TokenGrant> | undefined, RegExp][] = [
    ["unknown", undefined, /^ok .*does not tell.*A deploy needs full access to the organization, because/],
    ["unrestricted", {}, /^ok .*unrestricted: enough for every deploy$/],
    [
      "of the organization",
      { scopes: ["read"], organization: "acme" },
      /^ok .*\(read\), limited to organization "acme"/,
    ],
    ["of another organization", { organization: "globex" }, /^problem .*"globex", not "acme"\. Use a token for "acme"/],
    [
      "of one group",
      { group: "eu", missing: ["creating groups"], enoughFor: "deploys into existing groups" },
      /^warning .*group "eu": enough for deploys into existing groups; lacking: creating groups\. Name existing/,
    ],
    [
      "too narrow",
      { scopes: ["read"], missing: ["db:create"], enoughFor: "no deploy" },
      /^problem .*enough for no deploy; lacking: db:create\. Use a token with more/,
    ],
  ];
  for (const [what, grant, expected] of grants) {
    it(`judges rights that are ${what}`, () => {
      assert.match(lineOf(scopesCheck(grant && { ...unrestricted, ...grant }, "acme")), expected);
    });
  }

  const quotas: [Omit<Quota, "what">, RegExp][] = [
    [{ used: 3, limit: "unlimited" }, /^ok .*: 3 used; no limit in plan "p"$/],
    [{ used: 3, limit: undefined }, /^ok .*the limit is not known$/],
    [{ used: undefined, limit: 100 }, /^ok .*: 7 used of 100 of plan "p"$/],
    [{ used: 79, limit: 100 }, /^ok .*: 79 used of 100/],
    [{ used: 80, limit: 100 }, /^warning .*: 20 left\. Free some/],
    [{ used: 100, limit: 100 }, /^warning .*: none left\. The next create may be refused/],
    [{ used: 101, limit: 100 }, /^warning .*none left/],
    [{ used: 0, limit: 0 }, /^warning .*none left/],
  ];
  for (const [quota, expected] of quotas) {
    it(`judges ${quota.used ?? "an untold number"} of ${quota.limit ?? "an untold limit"}`, () => {
      assert.match(lineOf(quotaCheck({ what: "databases", ...quota }, 7, 0, "p")), expected);
    });
  }

  it("says how many databases are Tenantry's own", () => {
    assert.match(
      lineOf(quotaCheck({ what: "databases", used: 9, limit: 500 }, 7, 2)),
      /9 used of 500, 2 of them Tenantry's/,
    );
  });
});

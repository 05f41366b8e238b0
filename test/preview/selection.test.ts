import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { libsqlServerCapabilities } from "../../provider/drivers/libsql-server/capabilities";
import { persqlCapabilities } from "../../provider/drivers/persql/capabilities";
import { tenantsdbCapabilities } from "../../provider/drivers/tenantsdb/capabilities";
import { tursoCapabilities } from "../../provider/drivers/turso/capabilities";
import type { Platform } from "../../provider/platform/platform";
import { branchName } from "../../provider/preview/branch-name";
import type { PreviewOrder } from "../../provider/preview/order";
import { requireSound } from "../../provider/preview/requirements";
import { previewAddress, previewPlace } from "../../provider/registry/preview-address";
import { pullRequestOf } from "../../sdk/cli/preview/flags";
import { type Candidate, select } from "../../sdk/cli/preview/selection";

const all: Candidate[] = Array.from({ length: 200 }, (_, i) => ({
  ...{ id: `t${i}`, name: `tenant-t${i}`, group: i % 2 ? "eu" : "us" },
  labels: (i % 10 === 0 ? { ring: "beta" } : {}) as Record<string, string>,
}));
const pull = (number: number) => ({ repository: "shop/app", number });
const ids = (chosen: readonly Candidate[]): string[] => chosen.map(({ id }) => id).sort();

describe("Tenants for a pull request", () => {
  it("are a sample that stays the same from push to push, and with a fleet that changes", () => {
    const five = ids(select(all, { names: [], sample: 5 }, pull(42)));
    assert.equal(five.length, 5);
    assert.deepEqual(ids(select([...all].reverse(), { names: [], sample: 5 }, pull(42))), five);
    assert.notDeepEqual(ids(select(all, { names: [], sample: 5 }, pull(43))), five);
    const without = all.filter(({ id }) => id !== five[0]);
    const after = ids(select(without, { names: [], sample: 5 }, pull(42)));
    assert.deepEqual(
      five.slice(1).filter((id) => after.includes(id)),
      five.slice(1),
      "one gone is one replaced",
    );
  });

  it("are those named and labelled", () => {
    assert.equal(select(all, { names: [], where: { labels: { ring: "beta" } } }, pull(1)).length, 20);
    assert.equal(select(all, { names: [], where: { group: "eu" }, sample: 7 }, pull(1)).length, 7);
    assert.deepEqual(ids(select(all, { names: ["t3", "t5", "t3"] }, pull(1))), ["t3", "t5"]);
    assert.throws(() => select(all, { names: [] }, pull(1)), /all of them are seldom meant/);
    assert.throws(
      () => select(all, { names: ["t3"], where: { labels: { ring: "beta" } } }, pull(1)),
      /No tenant is meant/,
    );
  });
});

describe("A branch's name", () => {
  const place = { repository: "Group/Sub Group/app", pullRequest: 7, tenant: "Ümläut & Söhne/42", isSnapshot: false };

  it("is one that each platform takes, and its address says whose it is", () => {
    for (const can of [tursoCapabilities, libsqlServerCapabilities]) {
      for (const tenant of [place.tenant, "-", "a".repeat(300), "acme-".repeat(40)]) {
        for (const pullRequest of [1, 123_456_789]) {
          const name = branchName({ ...place, tenant, pullRequest }, can);
          assert.match(name, can.names.pattern);
          assert.ok(name.length <= can.names.maxLength, name);
        }
      }
    }
    for (const isSnapshot of [false, true]) {
      assert.deepEqual(previewPlace(previewAddress({ ...place, isSnapshot })), { ...place, isSnapshot });
    }
    for (const address of [
      "organization/shop/dev/acme",
      "runtime//s/acme",
      "preview/x/7/acme",
      "preview/a%2Fb/0/acme",
    ]) {
      assert.equal(previewPlace(address), undefined, address);
    }
  });
});

describe("Whose branches are meant", () => {
  it("is said by flags, else by GitHub's and GitLab's jobs", () => {
    const of = (env: NodeJS.ProcessEnv, flags = {}) => pullRequestOf(flags, env);
    assert.deepEqual(of({ GITHUB_REPOSITORY: "shop/app", GITHUB_REF: "refs/pull/42/merge" }), pull(42));
    assert.deepEqual(of({ CI_PROJECT_PATH: "shop/app", CI_MERGE_REQUEST_IID: "42" }), pull(42));
    assert.deepEqual(of({ GITHUB_REPOSITORY: "x/y" }, { repository: "shop/app", pullRequest: 42 }), pull(42));
    assert.throws(
      () => of({ GITHUB_REPOSITORY: "shop/app", GITHUB_REF: "refs/heads/main" }),
      /Pass --pull-request NUMBER/,
    );
  });
});

describe("A platform that cannot have branches", () => {
  const order: PreviewOrder = {
    ...{ repository: "shop/app", pullRequest: 42, group: "eu", tenants: [{ tenant: "acme", source: "acme" }] },
    ...{ data: "schema-only", expiresAt: null, fleetTenants: 1 },
  };
  const judge = (name: Platform["name"], capabilities: Platform["capabilities"], more: Partial<PreviewOrder> = {}) =>
    requireSound({ ...order, ...more }, { name, capabilities } as Platform);

  it("is told by its flags, with what to do instead", () => {
    assert.throws(
      () => judge("persql", persqlCapabilities),
      /persql deletes no database for a program, so that a branch could not go/,
    );
    assert.throws(
      () => judge("tenantsdb", tenantsdbCapabilities),
      /tenantsdb has no SQLite databases that could be branched/,
    );
    assert.throws(
      () =>
        judge(
          "turso",
          { ...tursoCapabilities, seedAtTime: false },
          { data: "copy", sourceTimestamp: "2026-01-01T00:00:00.000Z" },
        ),
      /keeps no past moment/,
    );
    assert.throws(
      () => judge("turso", { ...tursoCapabilities, seedFromDatabase: false }, { data: "copy" }),
      /makes no copies of a database\. Say "schema-only"/,
    );
    assert.throws(() => judge("turso", tursoCapabilities, { access: "read-write" }), /has no "read-write" tokens/);
    judge("turso", tursoCapabilities, { data: "copy", sourceTimestamp: "2026-01-01T00:00:00.000Z" });
    judge("libsql-server", libsqlServerCapabilities, { data: "copy" });
  });

  it("is not asked at all for an order that is wrong by itself", () => {
    for (const [more, why] of [
      [{ repository: "app" }, /"app" is no repository/],
      [{ pullRequest: 0 }, /0 is no pull request's number/],
      [{ tenants: [] }, /there are none to be branched/],
      [{ tenants: [...order.tenants, ...order.tenants] }, /"acme" is named twice/],
      [{ expiresAt: "2020-01-01T00:00:00Z" }, /is not a moment to come/],
      [{ data: "masked" }, /"masked" needs rules/],
      [{ mask: {} }, /there are rules for masking, and the data is "schema-only"/],
      [{ sourceTimestamp: "2026-01-01T00:00:00.000Z" }, /without rows is of no moment/],
    ] as const) {
      assert.throws(() => judge("turso", tursoCapabilities, more), why);
    }
  });
});

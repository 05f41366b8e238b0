import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { hasCode } from "../../provider/platform/errors";
import type { Rules } from "../../sdk/manifest/definition";
import { placement } from "../../sdk/manifest/placement";

const rules: Rules = {
  defaults: { plan: "free", group: "us", labels: { from: "defaults" } },
  groups: { eu: { location: "aws-eu-west-1" }, us: {} },
  residency: { eu: { groups: ["eu"] } },
  plans: { free: { sizeLimit: "1gb", tokens: { ttl: "1h" } }, pro: { group: "eu", schema: "app" } },
};

describe("where a tenant may be", () => {
  it("follows from geo, plan and group, as at a deploy", () => {
    const free = { sizeLimit: "1gb", tokens: { ttl: "1h" }, labels: { from: "defaults" } };
    assert.deepEqual(placement(rules, {}), { group: "us", plan: "free", geo: undefined, settings: free });
    assert.deepEqual(placement(rules, { geo: "eu" }), { group: "eu", plan: "free", geo: "eu", settings: free });
    const pro = placement(rules, { plan: "pro", labels: { of: "its own" } });
    const settings = { schema: "app", labels: { from: "defaults", of: "its own" } };
    assert.deepEqual(pro, { group: "eu", plan: "pro", geo: undefined, settings });
  });

  it("refuses what is not allowed, and what is not there", () => {
    const refused = (request: object, text: RegExp) =>
      assert.throws(
        () => placement(rules, request),
        (error: Error) => {
          assert.ok(hasCode(error, "invalid-input"));
          assert.match(error.message, text);
          return true;
        },
      );
    refused({ geo: "eu", group: "us" }, /^group: group "us" is not allowed for geo "eu"; allowed: eu\.$/);
    refused({ plan: "prro" }, /^plan: there is no plan "prro"; did you mean "pro"\?$/);
    refused({ plan: "constructor" }, /^plan: there is no plan "constructor"; declared: free, pro\.$/);
    refused({ geo: "eU1" }, /^geo: there is no residency rule "eU1"/);
    refused({ group: "uss" }, /^group: there is no group "uss"; did you mean "us"\?$/);
  });

  it("has no group where nothing names one", () => {
    const open: Rules = { defaults: {}, groups: undefined, residency: { eu: { groups: ["a", "b"] } }, plans: {} };
    assert.throws(() => placement(open, {}), /^TenantryError: group: no group is named/);
    assert.throws(() => placement(open, { geo: "eu" }), /group: geo "eu" allows several groups \(a, b\): name one\./);
    assert.equal(placement({ ...open, groups: { only: {} } }, {}).group, "only");
  });
});

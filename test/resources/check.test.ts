import assert from "node:assert/strict";
import { tursoCapabilities } from "../../provider/drivers/turso/capabilities";
import { databaseToken } from "../../provider/resources/database-token";
import { group as groups } from "../../provider/resources/group";
import type { Failure } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { judgeTenantDatabase } from "../../provider/resources/tenant-database/inputs";
import { unknownValue } from "../../provider/resources/unknown";
import { group, tenant } from "../support/bench";

const surroundings = { olds: undefined, capabilities: tursoCapabilities, platform: "turso" };
const ofTenant = (more: object): Failure[] =>
  tenantDatabase.check({ news: { ...tenant("acme"), ...more }, ...surroundings }).failures;
const ofGroup = (more: object): Failure[] =>
  groups.check({ news: { ...group("eu"), ...more }, ...surroundings }).failures;

const wrong: [string, (more: object) => Failure[], object, RegExp][] = [
  ["an unknown key", ofTenant, { deletionpolicy: "retain" }, /^deletionpolicy: .*did you mean "deletionPolicy"\?/],
  [
    "a choice that is none",
    ofTenant,
    { deletionPolicy: "retian" },
    /^deletionPolicy: must be one of "delete", "retain", "soft"; did you mean "retain"\?$/,
  ],
  ["a key of ours that is unknown to users", ofTenant, { selve: 1 }, /^selve: there is no such property\.$/],
  [
    "an unknown nested key",
    ofTenant,
    { seed: { database: "a", time: "now" } },
    /^seed\.time: there is no such property/,
  ],
  ["a bad name", ofTenant, { name: "Acme Inc." }, /^name: "Acme Inc\." is not a valid name.*"acme-inc" would be/],
  ["a name that is too long", ofTenant, { name: "a".repeat(65) }, /^name: .*at most 64 characters/],
  ["a reserved name", ofTenant, { name: "tenantry-registry-eu" }, /^name: .*begins with "tenantry-"/],
  ["a wrong type", ofTenant, { blockReads: "yes" }, /^blockReads: /],
  ["a bad choice", ofTenant, { onReplace: "move" }, /^onReplace: .*"error".*"copy".*"destroy"/],
  ["a bad address", ofTenant, { allowedIps: ["10.0.0.1", "10.0.0.300"] }, /^allowedIps\.1: must be an IP address/],
  ["a bad size", ofTenant, { sizeLimit: "1 GB" }, /^sizeLimit: must be a size such as "256mb"/],
  ["a bad lifetime", ofTenant, { expiresIn: "tomorrow" }, /^expiresIn: "tomorrow" is not a duration/],
  ["a bad moment", ofTenant, { expiresAt: "2030-13-01" }, /^expiresAt: /],
  ["a bad timeout", ofTenant, { timeouts: { create: "60" } }, /^timeouts\.create: "60" is not a duration/],
  ["two ends", ofTenant, { expiresIn: "1d", expiresAt: "2030-01-01T00:00:00Z" }, /^expiresIn: expiresAt is given too/],
  ["open and suspended", ofTenant, { suspended: true, blockReads: false }, /^suspended: /],
  [
    "what the platform cannot do",
    ofTenant,
    { region: "eu" },
    /^region: turso cannot do that; put the tenant into a group/,
  ],
  ["a trash without an end", ofTenant, { gracePeriod: "never" }, /^gracePeriod: it must end; deletionPolicy: "retain"/],
  ["a schema that is none", ofTenant, { schema: "app" }, /^schema: must be a SchemaTemplate/],
  ["a missing group", ofTenant, { group: undefined }, /^group: must be a Group/],
  ["a missing location", ofGroup, { location: undefined }, /^location: must be the code of a location/],
  ["an unknown extension", ofGroup, { extensions: ["sql"] }, /^extensions/],
  ["a reserved group name", ofGroup, { name: "tenantry-x" }, /^name: /],
  ["an unknown key of a group", ofGroup, { loction: "x" }, /^loction: .*did you mean "location"\?/],
];

describe("check", () => {
  it("refuses soft deletion and suspension where nothing can be closed, and takes them where either way is there", () => {
    const none = { ...tursoCapabilities, block: false };
    const soft = tenant("acme", { deletionPolicy: "soft", suspended: true });
    assert.deepEqual(judgeTenantDatabase(soft, none, "some-platform"), [
      "suspended: some-platform cannot do that; leave it out.",
      'deletionPolicy: some-platform has no soft delete; use "retain" or "delete".',
    ]);
    assert.deepEqual(judgeTenantDatabase(soft, { ...none, suspend: true }, "some-platform"), []);
    assert.deepEqual(judgeTenantDatabase(soft, tursoCapabilities, "turso"), []);
  });

  for (const [what, check, more, message] of wrong) {
    it(`refuses ${what}, once, with its path`, () => {
      const failures = check(more);
      assert.equal(failures.length, 1, failures.join("\n"));
      assert.match(failures[0]!, message);
    });
  }

  it("refuses a token for a group where none opens a whole group", () => {
    const news = { self: "a/b/c/d", group: "eu" };
    const capabilities = { ...tursoCapabilities, groupTokens: false };
    assert.deepEqual(databaseToken.check({ ...surroundings, news }).failures, []);
    const { failures } = databaseToken.check({ ...surroundings, news, capabilities });
    assert.deepEqual(failures, ["group: turso has no tokens for a whole group; declare one for each database."]);
  });

  it("tells all that is wrong at once", () => {
    assert.equal(ofTenant({ name: "A", expiresIn: "x", sizeLimit: "y", adopt: "z", other: 1 }).length, 5);
  });

  it("does not judge what is not known yet", () => {
    const unknown = { name: unknownValue, group: unknownValue, schema: unknownValue, expiresIn: unknownValue };
    assert.deepEqual(ofTenant({ ...unknown, blockReads: unknownValue, allowedIps: [unknownValue] }), []);
    assert.deepEqual(ofGroup({ name: unknownValue, location: unknownValue }), []);
  });

  it("holds a token's lifetime to what the platform has, which is the default where it is shorter", () => {
    const capabilities = { ...tursoCapabilities, longestToken: 86_400 };
    const ofToken = (more: object): Failure[] =>
      databaseToken.check({ ...surroundings, capabilities, news: { self: "a/b/c/d", database: "acme", ...more } })
        .failures;
    for (const fine of [{}, { expiresIn: "1d" }, { expiresIn: unknownValue }]) assert.deepEqual(ofToken(fine), []);
    for (const expiresIn of ["1d1s", "never"]) {
      assert.deepEqual(ofToken({ expiresIn }), ["expiresIn: tokens of turso live 1d at most; use that or less."]);
    }
    assert.match(ofToken({ renewBefore: "2d" })[0]!, /^renewBefore: .*\(1d\)/);
    assert.match(ofToken({ expiresIn: "soon" })[0]!, /^expiresIn: "soon" is not a duration/);
  });

  it("keeps a default name when the resource's name changes, and a given one not", () => {
    const named = (news: object, olds: object) =>
      tenantDatabase.check({
        ...surroundings,
        news: { ...tenant("new"), ...news },
        olds: { ...tenant("old"), ...olds },
      }).inputs.name;
    const byDefault = { nameIsDefault: true };
    assert.equal(named(byDefault, byDefault), "old");
    assert.equal(named({}, byDefault), "new");
    assert.equal(named(byDefault, {}), "new");
  });
});

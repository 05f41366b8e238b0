import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, it } from "mocha";
import { packFleet, unpackFleet } from "../../provider/resources/tenant-fleet/pack";
import { type FleetRecord, createProfiles, fleetStates } from "../../provider/resources/tenant-fleet/record";
import { TenantryError } from "../../provider/platform/errors";
import { randomId } from "../../provider/random-id";

const text = fc.string({ minLength: 1, unit: "grapheme" });
const instant = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom("2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000+02:00"),
);
const record: fc.Arbitrary<FleetRecord> = fc
  .record(
    {
      id: text,
      name: text,
      profile: fc.record({
        group: fc.constantFrom("eu", "us"),
        labels: fc.dictionary(fc.constantFrom("a", "b"), text, { noNullPrototype: true }),
      }),
      state: fc.constantFrom(...fleetStates),
      databaseId: fc.oneof(fc.uuid(), text),
      hostname: text,
      incarnation: text,
      owner: text,
      schemaVersion: fc.constantFrom("0001_init", "0002, more; and=more"),
      expiresAt: instant,
      adopted: fc.constant(true as const),
    },
    { requiredKeys: ["id", "name", "profile", "state"] },
  )
  .map((one) => ({ ...one, profile: createProfiles().of(one.profile) }));

/** As Turso names them: 1,000 tenants with a name by a pattern, one template, a few plans. */
const realistic = (count: number): FleetRecord[] => {
  const profiles = createProfiles();
  return Array.from({ length: count }, (_, i) => {
    const id = `org_${randomBytes(10).toString("hex")}`;
    const name = `tenant-${id}`;
    return {
      id,
      name,
      profile: profiles.of({
        group: i % 4 === 0 ? "us" : "eu",
        labels: { plan: ["free", "team", "enterprise"][i % 3]! },
        schema: "app@0042_more 3f786850e387550fdab836ed7e6dc881 copy+rollout migrations",
      }),
      state: "ready" as const,
      databaseId: randomUUID(),
      hostname: `${name}-acme-corp.aws-eu-west-1.turso.io`,
      incarnation: randomId(),
      schemaVersion: "0042_more",
    };
  });
};

describe("a fleet's packed tenants", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(fc.array(record), (records) => assert.deepEqual(unpackFleet(packFleet(records)), records)),
      { numRuns: 500 },
    );
  });

  it("take at most 100 bytes each with names as on Turso, as state holds them", () => {
    const packed = packFleet(realistic(1_000));
    const bytes = JSON.stringify(packed).length / 1_000;
    assert.ok(bytes < 100, `${bytes} bytes a tenant`);
  });

  it("are refused clearly where they are nonsense", () => {
    const good = packFleet(realistic(3));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 3 }), fc.boolean(), (at, put, cuts) => {
        const spoiled = cuts ? good.slice(0, at) : good.slice(0, at) + put + good.slice(at + 1);
        try {
          unpackFleet(spoiled);
        } catch (error) {
          assert.ok(error instanceof TenantryError, String(error));
          assert.match(error.message, /^packed: this fleet's state /);
        }
      }),
      { numRuns: 1_000 },
    );
    assert.throws(() => unpackFleet("2\n{}\n"), /has the format "2"\. This release of tenantry reads format 1/);
    assert.throws(() => unpackFleet(""), /has the format ""/);
    assert.throws(() => unpackFleet("1\n{}\n"), /damaged: its tables cannot be read/);
    assert.throws(() => unpackFleet(`${good};a,,,,zz,,,r`), /tenant 4: it has no profile "zz"/);
    assert.throws(() => unpackFleet(`${good};a,,,,0,,,?`), /tenant 4: there is no state "\?"/);
  });
});

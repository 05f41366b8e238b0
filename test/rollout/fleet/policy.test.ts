import assert from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { type PolicyInputs, allowedFailures, policyOf } from "../../../provider/rollout/fleet/policy";

describe("policyOf", () => {
  it("has its defaults, and durations in ms", () => {
    assert.deepEqual(policyOf({}), {
      canary: 1,
      waves: [1],
      concurrency: 16,
      maxFailures: { count: 0 },
      pauseBetween: 0,
      onFailure: "stop",
      timeout: 300_000,
      lockTimeout: 30_000,
      allowDestructive: [],
      verify: true,
    });
    const { pauseBetween, timeout, lockTimeout } = policyOf({
      pauseBetween: "1h30m",
      timeout: "45s",
      lockTimeout: "0s",
    });
    assert.deepEqual([pauseBetween, timeout, lockTimeout], [5_400_000, 45_000, 0]);
  });

  it("reads how many may fail as a number or as a share", () => {
    const read = (maxFailures: number | string) => policyOf({ maxFailures }).maxFailures;
    assert.deepEqual(read(3), { count: 3 });
    assert.deepEqual(read("3"), { count: 3 });
    assert.deepEqual(read("5%"), { share: 0.05 });
    assert.deepEqual(read("2.5 %"), { share: 0.025 });
  });

  const durations = ["soon", "10", "-1s", "1.5h", "", "0x"];
  const refused: [keyof PolicyInputs, unknown, RegExp][] = [
    ["canary", -1, /^canary: -1 is no whole number from 0 on\./],
    ["canary", 0.5, /^canary: 0\.5 is no whole number from 0 on\./],
    ["canary", NaN, /^canary: NaN is no whole number/],
    ["concurrency", 0, /^concurrency: 0 is no whole number from 1 on\./],
    ["concurrency", 2.5, /^concurrency: 2\.5 is no whole number/],
    ["concurrency", Infinity, /^concurrency: Infinity is no whole number/],
    ["waves", [0], /^waves\[0\]: 0 is no share of the fleet that goes on from 0\. Shares grow/],
    ["waves", [10, 1], /^waves\[0\]: 10 is no share/],
    ["waves", [0.5, 0.1, 1], /^waves\[1\]: 0\.1 is no share of the fleet that goes on from 0\.5\./],
    ["waves", [0.5, { ring: "a" }, 0.5], /^waves\[2\]: 0\.5 is no share/],
    ["waves", [NaN], /^waves\[0\]: NaN is no share/],
    ["maxFailures", -1, /^maxFailures: "-1" is neither a number of tenants nor a share\. Write 3, or "5%"\./],
    ["maxFailures", 0.05, /^maxFailures: "0\.05" is neither/],
    ["maxFailures", "101%", /^maxFailures: "101%" is neither/],
    ["maxFailures", "-5%", /^maxFailures: "-5%" is neither/],
    ["maxFailures", "", /^maxFailures: "" is neither/],
    ["maxFailures", "some", /^maxFailures: "some" is neither/],
    ...durations.flatMap((text): [keyof PolicyInputs, unknown, RegExp][] => [
      ["pauseBetween", text, new RegExp(`^pauseBetween: "${text}" is not a duration\\.`)],
      ["timeout", text, new RegExp(`^timeout: "${text}" is not a duration\\.`)],
      ["lockTimeout", text, new RegExp(`^lockTimeout: "${text}" is not a duration\\.`)],
    ]),
    // It would end every tenant before its beginning.
    ["timeout", "0s", /^timeout: "0s" is not a duration\./],
    ["timeout", "never", /^timeout: it must have an end\./],
    ["lockTimeout", "never", /^lockTimeout: it must have an end\./],
    ["pauseBetween", "never", /^pauseBetween: it must have an end\./],
  ];
  for (const [key, value, message] of refused) {
    it(`refuses ${key}: ${inspect(value)}`, () => {
      assert.throws(() => policyOf({ [key]: value }), { code: "invalid-input", message });
    });
  }
});

describe("allowedFailures", () => {
  it("is the number, or the share of those to be migrated, rounded down with whole numbers", () => {
    assert.equal(allowedFailures({ maxFailures: { count: 3 } }, 100), 3);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), fc.nat(20_000), (percent, planned) => {
        const { maxFailures } = policyOf({ maxFailures: `${percent}%` });
        assert.equal(allowedFailures({ maxFailures }, planned), Math.floor((percent * planned) / 100));
      }),
    );
    for (let percent = 0; percent <= 100; percent++) {
      const { maxFailures } = policyOf({ maxFailures: `${percent}%` });
      assert.equal(allowedFailures({ maxFailures }, 100), percent);
    }
  });
});

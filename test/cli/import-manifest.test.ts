import assert from "node:assert/strict";
import fc from "fast-check";
import type { PlatformDatabase } from "../../provider/platform/platform";
import { manifestText } from "../../sdk/cli/import/manifest-text";
import { type ImportedTenant, planImport } from "../../sdk/cli/import/plan";
import { requireSame } from "../../sdk/cli/import/write";
import { globs, parseNamePattern } from "../../sdk/cli/name-pattern";

const head = { platform: "local", organization: "acme", namePattern: "{id}" };
const database = (name: string, group = "eu"): PlatformDatabase => ({
  ...{ name, group, id: `id-${name}`, hostname: `${name}.test`, archived: false, parentId: undefined },
  ...{ blockReads: undefined, blockWrites: undefined, deleteProtection: undefined },
});
const tenant = (id: string, more: Partial<ImportedTenant> = {}): ImportedTenant => ({
  ...{ id, name: id, group: "eu", labels: {}, standing: "unmanaged", address: undefined },
  ...more,
});
const unclaimed = { claimOf: () => undefined, groups: new Set(["eu", "us"]) };
const all = { fits: () => true, group: undefined, pattern: undefined, claimed: false };

describe("a manifest of what exists", function () {
  this.timeout(60_000);

  it("of 10,000 databases is complete, holds together and fits into one file", () => {
    const databases = Array.from({ length: 10_000 }, (_, i) => database(`tenant-${i}-pro`, i % 3 ? "eu" : "us"));
    const pattern = parseNamePattern("tenant-{id}-{label:tier}", "--pattern", ["id", "label:"]);
    const { tenants, skipped } = planImport({ databases, ...unclaimed }, { ...all, pattern });
    assert.deepEqual([tenants.length, skipped], [10_000, []]);
    assert.deepEqual(tenants[0]!.labels, { tier: "pro" });
    const text = manifestText(tenants, head);
    assert.ok(Buffer.byteLength(text) < 1_000_000, `${Buffer.byteLength(text)} bytes`);
    requireSame("tenants.yaml", text, tenants);
  });

  it("says whatever ids, names, groups and labels there are", () => {
    const word = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);
    const free = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }).filter((text) => !/\p{Cc}/u.test(text));
    const yaml = fc.constantFrom(
      "yes",
      "no",
      "null",
      "~",
      "1",
      "0x1f",
      "1e3",
      "true",
      "a: b",
      "# c",
      "- d",
      "'",
      "{",
      "&x",
      "*x",
      "!t",
    );
    // A manifest refuses the one key that is none for an object.
    const id = fc.oneof(word, free, yaml).filter((text) => text !== "__proto__");
    const one = fc.record({
      id,
      name: word,
      group: fc.constantFrom("eu", "us", "null"),
      labels: fc.dictionary(id, id, { maxKeys: 3 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ({ id: its }) => its, maxLength: 8, minLength: 1 }), (given) => {
        const names = new Set<string>();
        const tenants = given
          .map((its) => tenant(its.id, its))
          .filter(({ name }) => {
            const isFree = !names.has(name) && !name.startsWith("tenantry-");
            names.add(name);
            return isFree;
          });
        if (tenants.length > 0) requireSame("tenants.yaml", manifestText(tenants, head), tenants);
      }),
      { numRuns: 200 },
    );
  });

  it("names a database only where the pattern does not say it, and a group only where it is not the usual one", () => {
    const tenants = [
      tenant("acme", { name: "tenant-acme" }),
      tenant("a--b", { name: "tenant-a--b", group: "us", labels: { tier: "gold" } }),
      tenant("bolt", { name: "bolt", standing: "runtime" }),
    ];
    const text = manifestText(tenants, { ...head, namePattern: "tenant-{id}" });
    const lines = text.slice(text.indexOf("tenants:\n")).split("\n");
    assert.deepEqual(lines, [
      "tenants:",
      "  acme:",
      "  a--b: { name: tenant-a--b, group: us, labels: { tier: gold } }",
      "  bolt: { name: bolt } # made by an application at run time",
      "",
    ]);
    assert.match(text, /^defaults:\n {2}group: eu\n {2}adopt: unowned/m);
    assert.match(text, /^groups:\n {2}eu:\n {2}us:\n$/m);
    requireSame("tenants.yaml", text, tenants);
    assert.throws(
      () => requireSame("tenants.yaml", text, [tenant("acme", { name: "other" })]),
      /cannot say this database/,
    );
  });

  it("leaves out Tenantry's own, and says of each other one why it was left out", () => {
    const databases = [
      ...["tenant-a", "tenant-b", "other", "tenantry-registry-eu", "tenant-c"].map((name) => database(name)),
      database("tenant-a-2", "us"),
      database("tenant-asleep", "archived"),
      { ...database("tenant-late"), archived: true },
      { ...database("tenant-where"), group: undefined },
    ];
    const pattern = parseNamePattern("tenant-{id}", "--pattern", ["id", "label:"]);
    const { tenants, skipped } = planImport({ databases, ...unclaimed }, { ...all, pattern });
    assert.deepEqual(
      tenants.map(({ id }) => id),
      ["a", "a-2", "b", "c"],
    );
    assert.deepEqual(
      skipped.map(({ name, why }) => `${name}: ${why}`),
      [
        "other: its name does not fit --pattern",
        "tenant-asleep: it, or its group, is archived: wake it first",
        "tenant-late: it, or its group, is archived: wake it first",
        "tenant-where: the platform does not say in which group it is",
      ],
    );
    const few = planImport({ databases, ...unclaimed }, { ...all, fits: globs(["tenant-?", "oth*"]), group: "eu" });
    assert.deepEqual(
      [few.tenants.map(({ name }) => name), few.skipped],
      [["other", "tenant-a", "tenant-b", "tenant-c"], []],
    );
  });
});

describe("a pattern of names", () => {
  it("takes as little as it can, the last part all there is, and nothing where a name does not fit", () => {
    const read = parseNamePattern("t-{id}-{label:tier}.x", "--pattern", ["id", "label:"]);
    assert.deepEqual(read("t-a-b-c.x"), { id: "a", "label:tier": "b-c" });
    assert.equal(read("t-a-bxx"), undefined);
    assert.equal(read("t--b.x"), undefined);
  });

  it("is refused where it could mean several things, or nothing", () => {
    for (const [pattern, why] of [
      ["tenant", /it has no \{id\}/],
      ["{id}{label:a}", /two parts touch/],
      ["{id}-{id}", /\{id\} is in it twice/],
      ["{id}-{tier}", /\{tier\} is nothing that a name can say; there is \{id\}, \{label:\.\.\.\}/],
      ["{id}-{label:}", /\{label:\} is nothing/],
    ] as const) {
      assert.throws(() => parseNamePattern(pattern, "--pattern", ["id", "label:"]), why);
    }
  });
});

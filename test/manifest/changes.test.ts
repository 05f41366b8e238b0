import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Context } from "../../provider/context";
import { removalLimit } from "../../provider/resources/tenant-fleet/removal-limit";
import { changesBetween, removalsAllowed } from "../../sdk/manifest/changes";
import { changeLines } from "../../sdk/cli/manifest/changes-drawing";
import { resolved } from "./scene";

const head = `
namePattern: t-{id}
groups: { eu: { location: local }, us: }
plans: { free: { sizeLimit: 1gb }, pro: { sizeLimit: 2gb, deletionPolicy: retain } }
defaults: { plan: free, group: eu }
`;
const style = { width: 80, colours: false };
const many = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => `  t${String(i + from).padStart(3, "0")}:\n`).join("");

function drawn(before: string, after: string): string[] {
  return changeLines(changesBetween(resolved(before), resolved(after)), "new against old", style);
}

describe("what a change of a manifest means", () => {
  it("nothing, where it is only written in another way", () => {
    const [one, other] = [`${head}tenants: { a: , b: { plan: pro } }`, `${head}tenants: [{ id: b, plan: pro }, a]`];
    assert.deepEqual(drawn(one, other), ["new against old: nothing changes for 2 tenants."]);
  });

  it("who is added, removed and changed, and what becomes of each", () => {
    const before = `${head}tenants:
  a: { plan: pro }
  b:
  c: { deletionPolicy: delete }
  d: { deleteProtection: true }
  e: { labels: { ring: beta } }
  f:
`;
    const after = `${head}rollout: { canary: 2 }
tenants:
  e: { plan: pro, labels: { ring: stable } }
  f: { group: us }
  g: { plan: pro }
  h: { adopt: unowned }
`;
    assert.deepEqual(drawn(before, after), [
      "new against old: 2 added, 4 removed, 2 changed, 0 unchanged.",
      "+ added to eu, plan pro: g",
      "+ added to eu, plan free, adopt unowned: h",
      "- removed: its database stays as it is: a",
      "- removed: its database is deleted with its data, or stays where it was adopted: b",
      "- removed: its database is deleted with its data: c",
      "- removed: a deploy fails, since its database is protected from deletion: d",
      "~ deletionPolicy none -> retain, labels.ring beta -> stable, plan free -> pro, sizeLimit 1gb -> 2gb: e",
      "~ group eu -> us (needs another database: refused, unless its onReplace says what to do): f",
      "  the manifest's rollout.canary none -> 2",
    ]);
  });

  it("those to whom the same happens stand together", () => {
    const before = `${head}tenants:\n${many(100)}`;
    assert.deepEqual(drawn(before, `${head.replace("1gb", "5gb")}tenants:\n${many(100)}`), [
      "new against old: 0 added, 0 removed, 100 changed, 0 unchanged.",
      "~ 100 tenants sizeLimit 1gb -> 5gb: t000, t001, t002, t003, t004 and 95 more",
    ]);
  });

  it("more removals than one deploy may do are pointed out", () => {
    const warning = (before: number, after: number, extra = "") =>
      drawn(`${head}tenants:\n${many(before)}`, `${head}${extra}tenants:\n${many(after)}`).filter((line) =>
        line.startsWith("!"),
      );
    assert.deepEqual(warning(20, 10), []);
    assert.deepEqual(warning(20, 9), ["! 11 tenants are removed at once, and a deploy removes 10 at most."]);
    assert.deepEqual(warning(400, 380), []);
    assert.deepEqual(warning(400, 379), ["! 21 tenants are removed at once, and a deploy removes 20 at most."]);
    assert.deepEqual(warning(20, 9, "maxRemovals: 11\n"), []);
    assert.equal(warning(20, 18, "maxRemovals: 1\n").length, 1);
    const nobody = drawn(`${head}tenants: { a: }`, `${head}tenants: {}`);
    assert.deepEqual(nobody.slice(-2), [
      "! 1 tenant is removed at once, and a deploy removes 0 at most.",
      "  If they are to go: TENANTRY_MAX_REMOVALS=1 in the environment of that deploy.",
    ]);
    for (const tenants of [1, 199, 200, 201, 400, 10_000]) {
      const context = { settings: {} } as Context;
      assert.equal(removalsAllowed(tenants, 1), removalLimit({}, context, tenants), "as a fleet's own");
    }
  });

  it("says every property of every tenant, for programs", () => {
    const changes = changesBetween(
      resolved(`${head}tenants: { a: { labels: { ring: x } }, b: }`),
      resolved(`${head}tenants: { a: { plan: pro, tokens: { ttl: 2h } }, c: }`),
    );
    assert.deepEqual(changes, {
      added: [
        {
          ...{ id: "c", name: "t-c" },
          properties: [
            { property: "group", before: undefined, after: "eu" },
            { property: "name", before: undefined, after: "t-c" },
            { property: "plan", before: undefined, after: "free" },
            { property: "sizeLimit", before: undefined, after: "1gb" },
          ],
        },
      ],
      removed: [
        {
          ...{ id: "b", name: "t-b" },
          properties: [
            { property: "group", before: "eu", after: undefined },
            { property: "name", before: "t-b", after: undefined },
            { property: "plan", before: "free", after: undefined },
            { property: "sizeLimit", before: "1gb", after: undefined },
          ],
        },
      ],
      changed: [
        {
          ...{ id: "a", name: "t-a" },
          properties: [
            { property: "deletionPolicy", before: undefined, after: "retain" },
            { property: "labels.ring", before: "x", after: undefined },
            { property: "plan", before: "free", after: "pro" },
            { property: "sizeLimit", before: "1gb", after: "2gb" },
            { property: "tokens.ttl", before: undefined, after: "2h" },
          ],
        },
      ],
      ...{ unchanged: 0, settings: [], maxRemovals: 10 },
    });
  });
});

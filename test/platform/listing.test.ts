import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createListing } from "../../provider/platform/listing";
import type { Platform, PlatformDatabase } from "../../provider/platform/platform";

const database = (name: string): PlatformDatabase => ({
  name,
  id: `id of ${name}`,
  hostname: `${name}.example`,
  group: "eu",
  archived: false,
  blockReads: undefined,
  blockWrites: undefined,
  deleteProtection: undefined,
  parentId: undefined,
});

/** A platform whose listings are answered, or fail, when the test says so. */
function scene() {
  let time = 0;
  const asked: { answer(names: string[]): void; fail(): void }[] = [];
  const listDatabases = async function* (): AsyncIterable<PlatformDatabase> {
    const names = await new Promise<string[]>((answer, reject) => {
      asked.push({ answer, fail: () => reject(new Error("no answer")) });
    });
    yield* names.map(database);
  };
  const listing = createListing({ listDatabases } as Partial<Platform> as Platform, () => time);
  return {
    listing,
    asked,
    at: (moment: number) => (time = moment),
    names: async (maxAge?: number) => [...(await listing.databases(maxAge)).byName.keys()].sort(),
  };
}

describe("a listing", () => {
  it("that is getting old is taken anew beside its use, and nobody waits for it", async () => {
    const { listing, asked, at, names } = scene();
    const first = names(5_000);
    asked[0]!.answer(["a"]);
    assert.deepEqual(await first, ["a"]);
    at(2_500);
    await names(5_000);
    assert.equal(asked.length, 1);
    at(2_501);
    assert.deepEqual(await names(5_000), ["a"]);
    assert.deepEqual(await names(5_000), ["a"]);
    assert.equal(asked.length, 2, "one new listing is under way");
    // What is made meanwhile is in both, though the platform did not list it yet.
    listing.made(database("b"));
    assert.deepEqual(await names(5_000), ["a", "b"]);
    asked[1]!.answer(["a", "c"]);
    await new Promise(setImmediate);
    assert.deepEqual(await names(5_000), ["a", "b", "c"]);
    assert.equal((await listing.databases(5_000)).takenAt, 2_501);
  });

  it("that is too old is waited for, also where it is under way already", async () => {
    const { asked, at, names } = scene();
    const first = names(5_000);
    asked[0]!.answer(["a"]);
    await first;
    at(4_000);
    await names(5_000);
    at(6_000);
    const waited = names(5_000);
    assert.equal(asked.length, 2);
    asked[1]!.answer(["b"]);
    assert.deepEqual(await waited, ["b"]);
    at(20_000);
    const anew = names(5_000);
    asked[2]!.answer(["c"]);
    assert.deepEqual(await anew, ["c"]);
  });

  it("that fails is not kept: beside its use nobody is told, and the next one asks again", async () => {
    const { asked, at, names } = scene();
    const failed = names(5_000);
    asked[0]!.fail();
    await assert.rejects(failed, /no answer/);
    const first = names(5_000);
    asked[1]!.answer(["a"]);
    await first;
    at(3_000);
    await names(5_000);
    asked[2]!.fail();
    await new Promise(setImmediate);
    assert.deepEqual(await names(5_000), ["a"]);
    assert.equal(asked.length, 4);
    at(9_000);
    const again = names(5_000);
    asked[4]!.answer(["b"]);
    assert.deepEqual(await again, ["b"]);
  });
});

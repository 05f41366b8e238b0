import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { subjectName } from "../../sdk/client";

const published = path.resolve(__dirname, "..", "fixtures", "subject-names.json");
const vectors = JSON.parse(readFileSync(published, "utf8")) as { subject: string; name: string }[];

/** The same rule in other words: one long number, taken apart from its end. */
function byNumber(subject: string): string {
  let number = BigInt(`0x${createHash("sha256").update("tenantry-subject-v1\0").update(subject).digest("hex")}`) >> 96n;
  let name = "";
  for (let count = 0; count < 32; count++, number >>= 5n) {
    name = "0123456789abcdefghjkmnpqrstvwxyz"[Number(number & 31n)]! + name;
  }
  return `t-${name}`;
}

describe("the name of a subject's database", () => {
  it("is the published one, for ever", async () => {
    assert.ok(vectors.length >= 10);
    for (const { subject, name } of vectors) assert.equal(await subjectName(subject), name, JSON.stringify(subject));
  });

  it("follows from the bytes by the published rule", async () => {
    for (const { subject } of vectors) assert.equal(await subjectName(subject), byNumber(subject));
  });

  it("is another one for every other bytes: nothing is trimmed, lowered or normalised", async () => {
    const near = ["user-1", "User-1", "user-1 ", " user-1", "user-1\0", "\u00e9", "e\u0301", "1", "01"];
    const names = await Promise.all(near.map(subjectName));
    assert.equal(new Set(names).size, near.length);
    for (const name of names) assert.match(name, /^t-[0-9a-hj-km-np-tv-z]{32}$/);
  });

  it("has 1 to 256 characters to come from, whatever a character's size", async () => {
    await subjectName("x".repeat(256));
    await subjectName("\u{1f600}".repeat(256));
    for (const wrong of ["", "x".repeat(257), "\u{1f600}".repeat(257), "\ud800", "a\udc00b"]) {
      await assert.rejects(subjectName(wrong), { code: "invalid-input", message: /^subject: / });
    }
    await assert.rejects(subjectName(7 as unknown as string), { code: "invalid-input", message: /not a string/ });
  });
});

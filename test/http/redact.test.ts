import assert from "node:assert/strict";
import fc from "fast-check";
import { excerpt, redact } from "../../provider/http/redact";
import { fakeJwt } from "../support/scripted-server";

describe("redaction", () => {
  const jwt = fakeJwt({ id: "x" });
  const hidden: [string, string, string][] = [
    ["a JSON member", `{"jwt":"s3cret-value"}`, "s3cret-value"],
    ["a JSON member cut off", `{"jwt": "s3cret-val`, "s3cret-val"],
    ["a token member", `{"token":"s3cret-value","name":"a"}`, "s3cret-value"],
    ["a password", `{"Password":"s3cret-value"}`, "s3cret-value"],
    ["a bearer header", "Authorization: Bearer s3cret-value-long", "s3cret-value-long"],
    ["a query parameter", "libsql://h?authToken=s3cret-value&x=1", "s3cret-value"],
    ["a password in an address", "https://user:s3cret@host/", "s3cret"],
    ["a JWT anywhere", `refused ${jwt}.`, jwt.slice(0, 30)],
    ["a token of PerSQL", `refused psql_live_s0_${"s3cret".repeat(5)}.`, "s3cret"],
    ["an API token of the embedded platform", `refused local_api_${"s3cret".repeat(5)}.`, "s3cret"],
    ["a JWT cut off", `refused ${jwt.slice(0, 40)}`, jwt.slice(5, 40)],
  ];
  for (const [name, text, secret] of hidden) {
    it(`hides ${name}`, () => assert.ok(!redact(text).includes(secret), redact(text)));
  }

  it("hides values it is told, wherever they stand", () => {
    const secret = fc.string({ minLength: 8, maxLength: 40, unit: fc.constantFrom(..."abcdefghijkXYZ0123456789-_") });
    fc.assert(
      fc.property(fc.string(), secret, fc.string(), (before, value, after) => {
        assert.ok(!redact(before + value + after, [value]).includes(value));
      }),
    );
  });

  it("leaves ordinary words alone", () => {
    const text = "database with name token-service already exists";
    assert.equal(redact(text), text);
  });

  it("redacts before it shortens", () => {
    const text = `{"jwt":"${"a".repeat(200)}"}`;
    assert.ok(!excerpt(text, 80).includes("aaa"));
    assert.equal(excerpt("one\n two\t three", 80), "one two three");
    assert.equal(excerpt("x ".repeat(100), 10), `${"x ".repeat(5)}...`);
  });

  it("makes an excerpt of the longest answer in no time, and shows no half of a secret where it stops looking", () => {
    const began = performance.now();
    excerpt("<a b='c'>".repeat(3_000_000));
    assert.ok(performance.now() - began < 1_000);
    const secret = "s".repeat(1_000);
    const text = `start ${" ".repeat(2 ** 16 - 500)}${secret}`;
    assert.equal(excerpt(text, 400, [secret]), "start...");
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { TenantryError } from "../../provider/platform/errors";
import { decodePreview, encodePreview, type PreviewValue } from "../../provider/preview/value";

const value: PreviewValue = {
  v: 1,
  repository: "shop/app",
  pullRequest: 42,
  tenants: {
    acme: {
      url: "libsql://tenantry-pr-42-acme.example.test",
      token: "secret-token-of-acme",
      databaseId: "3f2a",
      expiresAt: "2027-01-01T00:00:00.000Z",
    },
  },
};

const refusal = (text: string): TenantryError => {
  try {
    decodePreview(text);
  } catch (error) {
    assert.ok(error instanceof TenantryError);
    assert.equal(error.code, "invalid-input");
    return error;
  }
  throw new Error("it was taken");
};

describe("TENANTRY_PREVIEW", () => {
  it("is one line that every shell and workflow file carries as it is", () => {
    assert.match(encodePreview(value), /^[\w-]+$/);
    assert.deepEqual(decodePreview(encodePreview(value)), value);
    assert.deepEqual(decodePreview(` ${encodePreview(value)}\n`), value);
  });

  it("carries any name and text", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, text, (tenant, token, url) => {
        const of = { ...value, tenants: Object.fromEntries([[tenant, { ...value.tenants["acme"]!, token, url }]]) };
        assert.deepEqual(decodePreview(encodePreview(of)), of);
      }),
      { numRuns: 40 },
    );
  }).timeout(20_000);

  it("refuses what it did not write, and shows none of it", () => {
    const whole = encodePreview(value);
    for (const [text, why] of [
      ["", "it cannot be read"],
      ["secret-token-of-acme", "it cannot be read"],
      [whole.slice(0, whole.length - 20), "it cannot be read"],
      [Buffer.from(JSON.stringify({ v: 1, token: "secret-token-of-acme" })).toString("base64url"), "parts of it"],
      [Buffer.from(JSON.stringify({ ...value, v: 2 })).toString("base64url"), "it is of format 2"],
    ] as const) {
      const { message } = refusal(text);
      assert.ok(message.includes(why), message);
      assert.ok(!message.includes("secret-token"), message);
    }
  });
});

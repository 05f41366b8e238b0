import assert from "node:assert/strict";
import { retryAfter } from "../../provider/http/retry-after";

describe("Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const table: [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ["", undefined],
    ["2", 2_000],
    [" 0 ", 0],
    ["1.5", 1_500],
    ["Thu, 01 Jan 2026 00:00:05 GMT", 5_000],
    ["Wed, 31 Dec 2025 23:59:00 GMT", 0],
    ["-5", undefined],
    ["soon", undefined],
    ["7 bananas", undefined],
  ];
  for (const [header, expected] of table) {
    it(`${JSON.stringify(header)} is ${expected === undefined ? "nonsense" : `${expected} ms`}`, () => {
      assert.equal(retryAfter(header, now), expected);
    });
  }
});

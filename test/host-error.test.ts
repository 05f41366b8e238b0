import assert from "node:assert/strict";
import { HostError } from "../provider/host-error";
import { SqlError } from "../provider/platform/sql";

describe("HostError", () => {
  it("tells what SQLite refused without a stack, a defect of our own with it", () => {
    const refused = new HostError(new SqlError("no such table: t", "SQLITE_ERROR", undefined));
    assert.equal(refused.message, "A database refused: no such table: t (SQLITE_ERROR).");
    assert.match(
      new HostError(new TypeError("oops")).message,
      /^Internal error, please report it: TypeError: oops\n +at /,
    );
  });

  it("tells no secret that a defect of our own has in its text", () => {
    const token = "eyJhbGciOiJFZERTQSJ9.eyJpZCI6IjEifQ.c2lnbmF0dXJl";
    for (const text of [`cannot read ${token}`, `{"authToken":"${token}"}`, `libsql://a.example?authToken=${token}`]) {
      for (const thrown of [new TypeError(text), text]) {
        const { message } = new HostError(thrown);
        assert.ok(message.includes("[redacted]") && !message.includes("c2lnbmF0dXJl"), message);
      }
    }
  });
});

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
});

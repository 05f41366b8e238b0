import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { shownPlatforms } from "../../tools/capabilities/platforms";
import { withTable } from "../../tools/capabilities/table";

const readme = readFileSync(path.resolve(__dirname, "..", "..", "README.md"), "utf8");

describe("the README's table of capabilities", () => {
  it("is what the drivers' flags say: else run `npm run capabilities`", () => {
    assert.equal(withTable(readme), readme);
  });

  it("follows a flag that changes", () => {
    const [first, ...rest] = shownPlatforms;
    const changed = { ...first!, capabilities: { ...first!.capabilities, block: !first!.capabilities.block } };
    assert.notEqual(withTable(readme, [changed, ...rest]), readme);
  });
});

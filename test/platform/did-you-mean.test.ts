import assert from "node:assert/strict";
import { didYouMean } from "../../provider/platform/did-you-mean";

describe("didYouMean", () => {
  const settings = ["platform", "organization", "apiToken", "apiUrl", "databaseUrl", "concurrency", "connections"];
  const cases: [string, string | undefined][] = [
    ["plattform", "platform"],
    ["organisation", "organization"],
    ["api_token", "apiToken"],
    ["apitoken", "apiToken"],
    ["apiUlr", "apiUrl"],
    ["connection", "connections"],
    ["token", undefined],
    ["colour", undefined],
    ["", undefined],
  ];
  for (const [word, expected] of cases) {
    it(`takes "${word}" for ${expected ?? "nothing known"}`, () => assert.equal(didYouMean(word, settings), expected));
  }

  it("guesses nothing among no candidates", () => assert.equal(didYouMean("platform", []), undefined));

  it("prefers the nearest", () => assert.equal(didYouMean("blockWrite", ["blockReads", "blockWrites"]), "blockWrites"));
});

import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { sections } from "../../sdk/manifest/definition";
import { readRows } from "../../sdk/manifest/rows";
import { Problems } from "../../sdk/manifest/problems";
import { problemsOf } from "./scene";

/** Whatever is wrong is told with its place; nothing is thrown. */
function judged(text: string): string[] {
  const problems = problemsOf(text);
  for (const problem of problems) assert.match(problem, /^tenants\.yaml(?::\d+:\d+)?: ./, problem);
  return problems;
}

describe("nonsense in a manifest", () => {
  it("in the place of any section ends in problems", () => {
    const words = fc.constantFrom(
      "eu",
      "app",
      "pro",
      "{id}",
      "7d",
      "canary",
      "constructor",
      "__proto__",
      "toString",
      "",
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.oneof(words, fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.oneof(words, fc.constantFrom(...sections, "group", "labels", "tokens")), tie("any"), {
          maxKeys: 4,
        }),
      ),
    })).any;
    const manifest = fc
      .dictionary(fc.constantFrom(...sections), value, { minKeys: 1 })
      .map((all) => ({ ...all, version: 1, tenants: all["tenants"] ?? {} }));
    fc.assert(
      fc.property(manifest, (all) => void judged(JSON.stringify(all))),
      { numRuns: 1_000 },
    );
  });

  it("as text ends in problems", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "version: 1\n",
        "tenants:\n",
        "  a:\n",
        "- ",
        "? ",
        ": ",
        "&a ",
        "*a",
        "|\n",
        ">-\n",
        "{",
        "}",
        "[",
        "]",
      ),
      fc.constantFrom("'", '"', "#", "%", "!", "\t", "\r\n", "...\n", "---\n", "\u0000", "\ufeff", "\u2028", "\ud800"),
      fc.string({ maxLength: 8 }),
    );
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (one) => assert.ok(judged(one).length > 0 || /tenants/.test(one))),
      { numRuns: 2_000 },
    );
  });

  it("in rows ends in problems", () => {
    const cell = fc.oneof(
      fc.constantFrom("id", "group", "label:a", '"', ",", "\n", "\r", " ", "acme"),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 40 }), (cells) => {
        const problems = new Problems();
        const text = cells.join("");
        const rows = readRows("t.csv", text, problems);
        assert.ok(rows.length > 0 || problems.all.length > 0);
        const lines = text.split(/\r\n|\r|\n/);
        const places = [...rows.map(({ placeOf }) => placeOf(["id"])), ...problems.all];
        for (const { line = 1, column = 1 } of places) {
          assert.ok(line >= 1 && column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, `${line}:${column}`);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

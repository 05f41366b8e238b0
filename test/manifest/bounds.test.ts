import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { loadManifest } from "../../sdk/manifest/load";
import { resolveManifest } from "../../sdk/manifest/resolve";
import { filesOf, problemsOf } from "./scene";

/** As large as a manifest may be. */
const most = 4 * 1024 * 1024;
const filled = (part: string): string => part.repeat(Math.floor((most - 100) / part.length));

describe("a manifest of any size", () => {
  it("of 20,000 tenants with six settings each is read", function () {
    this.timeout(60_000);
    const one = (i: number): string =>
      `  customer-${String(i).padStart(6, "0")}:\n    plan: pro\n    geo: eu\n    labels: { ring: stable, tier: gold }\n` +
      "    blockWrites: false\n    expiresAt: 2030-01-01T00:00:00Z\n";
    const head = "version: 1\nresidency: { eu: { groups: [eu] } }\nplans: { pro: {} }\ntenants:\n";
    const text = head + Array.from({ length: 20_000 }, (_, i) => one(i)).join("");
    const { tenants } = resolveManifest(loadManifest("t.yaml", { files: filesOf({ "t.yaml": text }) }));
    assert.equal(tenants.length, 20_000);
    assert.deepEqual(tenants[19_999], {
      ...{ id: "customer-019999", name: "customer-019999", group: "eu", blockWrites: false },
      ...{ labels: { ring: "stable", tier: "gold" }, expiresAt: "2030-01-01T00:00:00Z" },
    });
  });

  it("that is larger than a fleet can be is refused before it is parsed", () => {
    const files = filesOf({ "t.yaml": "#".repeat(most + 1) });
    assert.throws(() => loadManifest("t.yaml", { files }), /t\.yaml: the manifest is larger than 4 MB\./);
    const rows = filesOf({ "t/a.csv": "id\na\n", "t/b.csv": "x".repeat(most) });
    assert.throws(() => loadManifest("t", { files: rows }), /t\/b\.csv: the manifest is larger than 4 MB\./);
  });

  /** What each does to a parser that trusts its input: minutes, gigabytes, or a stack that overflows. */
  const bombs: [string, string, RegExp][] = [
    ["brackets", filled("["), /:1:65: it is nested too deeply\.$/],
    ["braces", filled("{"), /:1:65: it is nested too deeply\.$/],
    ["dashes", filled("- "), /:1:129: it is nested too deeply\.$/],
    ["closed brackets", filled("]"), /:1:1: a bracket is closed that was not opened\.$/],
    [
      "indents",
      Array.from({ length: 2800 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""),
      /: it is nested too deeply\.$/,
    ],
    ["directives", filled("%x\n"), /:11:1: it has too many lines that begin with %\.$/],
    ["tags", filled("- !x a\n"), /:1:3: a tag such as !text has no meaning here; leave it out\.$/],
    ["empty lists", `a: [${filled("[],")}`, /: there is too much in it to be a manifest\.$/],
    ["aliases", `a: &a 1\nb: [${filled("*a,")}`, /: there is too much in it to be a manifest\.$/],
    ["comments", filled("#\n"), /: there is too much in it to be a manifest\.$/],
    ["an alias of itself", "version: 1\nplans: &a { b: *a }\n", /: it is nested too deeply\.$/],
    ["laughs", laughs(), /: its aliases make too much of it\.$/],
  ];
  for (const [what, text, problem] of bombs) {
    it(`that is a bomb of ${what} ends with one clear error, soon`, function () {
      // On a machine that has nothing else to do half a second each.
      this.timeout(20_000);
      const problems = problemsOf(text);
      assert.equal(problems.length, 1, problems.slice(0, 3).join("\n"));
      assert.match(problems[0]!, problem);
    });
  }

  it("with everything wrong: so many problems are counted, no more", function () {
    this.timeout(20_000);
    const text = `version: 1\ntenants:\n${Array.from({ length: 12_000 }, (_, i) => `  t${i}: { x: 1 }\n`).join("")}`;
    assert.throws(
      () => loadManifest("t.yaml", { files: filesOf({ "t.yaml": text }) }),
      (error: Error) => {
        const lines = error.message.split("\n");
        assert.equal(lines[0], "at least 10000 problems:");
        assert.equal(lines.at(-1), "and at least 9980 more.");
        return true;
      },
    );
  });
});

function laughs(): string {
  const line = (i: number): string => `a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(", ")}]\n`;
  return `a0: &a0 [x, x, x]\n${Array.from({ length: 30 }, (_, i) => line(i + 1)).join("")}`;
}

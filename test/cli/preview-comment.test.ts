import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { BranchReport, PreviewReport } from "../../provider/preview/report";
import { commentText, markerOf } from "../../sdk/cli/preview/comment-text";
import { endText, type PreviewEnd } from "../../sdk/cli/preview/end";
import { block, code } from "../../sdk/cli/preview/markdown";
import { runCli } from "./run-cli";

const snapshotsIn = path.join(__dirname, "preview-comment");

const branch = (tenant: string, more: Partial<BranchReport> = {}): BranchReport => ({
  tenant,
  source: `tenant-${tenant}`,
  branch: `pr-42-${tenant}-1f2e3d`,
  url: `libsql://pr-42-${tenant}-1f2e3d-acme.aws-eu-west-1.turso.io`,
  databaseId: `id-of-${tenant}`,
  state: "ready",
  created: true,
  from: "0001_init",
  to: "0003_tags",
  applied: [
    { id: "0002_paid", ms: 1_240, rowsWritten: 1_204, lockedMs: 1_100 },
    { id: "0003_tags", ms: 80, rowsWritten: 0, lockedMs: 70 },
  ],
  error: null,
  ...more,
});

const report = (branches: readonly BranchReport[], more: Partial<PreviewReport> = {}): PreviewReport => ({
  version: 1,
  repository: "acme/shop",
  pullRequest: 42,
  data: "masked",
  expiresAt: "2026-12-04T10:00:00.000Z",
  branches,
  fleet: { tenants: 200, projectedMs: 260_000 },
  ...more,
});

const failing = branch("globex", {
  created: false,
  state: "migration-failed",
  to: "0002_paid",
  applied: [{ id: "0002_paid", ms: 62_000, rowsWritten: 48_113, lockedMs: 61_400 }],
  error: {
    migration: "0003_tags",
    message:
      "migrations/0003_tags.sql, line 2: SQLite error: UNIQUE constraint failed: notes.text\n  CREATE UNIQUE INDEX once ON notes (text)",
  },
});

const snapshots: Record<string, PreviewReport> = {
  ready: report([branch("acme"), branch("bolt", { created: false, applied: [], from: "0003_tags" })]),
  failed: report(
    [
      branch("acme"),
      failing,
      branch("initech", {
        ...{ state: "failed", url: "", databaseId: "", to: null, from: null, applied: [] },
        error: { migration: null, message: 'There is no database "tenant-initech".' },
      }),
    ],
    { data: "copy", expiresAt: null, fleet: { tenants: 1, projectedMs: null } },
  ),
  nothing: report([], { data: "schema-only", fleet: { tenants: 0, projectedMs: null } }),
};

const end = (more: Partial<PreviewEnd> = {}): PreviewEnd => ({
  ...{ format: 1, repository: "acme/shop", pullRequest: 42, deleted: ["pr-42-acme-1f2e3d"], left: [], ...more },
});

const ends: Record<string, PreviewEnd> = {
  ended: end(),
  "ended-in-part": end({ left: [{ name: "pr-42-bolt-1f2e3d", why: "it carries | another @stack's mark" }] }),
};

/** The lines that a reader of markdown takes for a table, as cells. */
const cells = (text: string): number[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").length);

describe("the comment about a pull request's branches", () => {
  const texts = [
    ...Object.entries(snapshots).map(([name, of]) => [name, commentText(of)] as const),
    ...Object.entries(ends).map(([name, of]) => [name, endText(of)] as const),
  ];
  for (const [name, text] of texts) {
    it(`is as in test/cli/preview-comment/${name}.md`, async () => {
      const file = path.join(snapshotsIn, `${name}.md`);
      if (process.env["UPDATE_SNAPSHOTS"]) await writeFile(file, text);
      assert.equal(text, await readFile(file, "utf8"));
    });
  }

  it("says the same when the end is said again, on the line that finds the comment", () => {
    assert.equal(endText(end({ deleted: [] })), endText(end()));
    assert.equal(endText(end()).split("\n")[0], markerOf({ repository: "acme/shop", pullRequest: 42 }));
    const many = Array.from({ length: 2_000 }, (_, i) => ({
      name: `${i}-${"w|".repeat(4_000)}`,
      why: "w|".repeat(4_000),
    }));
    const text = endText(end({ left: many }));
    assert.ok(text.length < 65_000, `${text.length} characters`);
    assert.match(text, /^\*\*2000 databases could not be deleted\.\*\*.*\n[^]*^And \d+ more\.$/m);
  });

  it("is the same for two runs whose clocks differ a little, and after a journey as JSON", () => {
    const slower = branch("acme", {
      applied: branch("acme").applied.map((one) => ({ ...one, ms: one.ms + 9, lockedMs: one.lockedMs + 9 })),
    });
    const first = report([branch("acme")]);
    assert.equal(commentText(report([slower], { fleet: { tenants: 200, projectedMs: 263_000 } })), commentText(first));
    assert.equal(commentText(JSON.parse(JSON.stringify(first)) as PreviewReport), commentText(first));
  });

  it("begins with the same line for each push to a pull request, and with another for any other", () => {
    const first = commentText(snapshots["ready"]!).split("\n")[0];
    assert.equal(first, "<!-- tenantry-preview acme/shop#42 -->");
    assert.equal(commentText(snapshots["failed"]!).split("\n")[0], first);
    const others = [
      { repository: "acme/shop", pullRequest: 4 },
      { repository: "acme/shop-2", pullRequest: 42 },
      { repository: "acme/shop%2D2", pullRequest: 42 },
      { repository: "acme/--> **x**", pullRequest: 42 },
    ].map(markerOf);
    assert.equal(new Set([first, ...others]).size, 5);
    for (const one of others) assert.match(one, /^<!-- tenantry-preview [^\s<>-]+ -->$/);
  });

  it("shows what others wrote, and lets none of it be markup, a link, a mention or a cell's end", () => {
    const nasty = [
      "a|b",
      "a\\|b",
      "`code`",
      "``",
      "**bold**",
      "[a](https://evil.example)",
      "![a](https://evil.example/x.png)",
      "<img src=x onerror=alert(1)>",
      "<!-- tenantry-preview acme/shop#42 -->",
      "-->",
      "@everyone",
      "#1",
      "a\nb\n# c",
      "```\n# out\n```",
      "</code></td>",
      "\u202egnp.exe",
      "&lt;b&gt;",
      "<details>",
      "",
    ];
    for (const text of nasty) {
      const message = `${text}\n\n\`\`\`\`\n# out of the block\n\`\`\`\``;
      const of = branch(text, {
        ...{ source: text, branch: text, from: text, to: text, state: "migration-failed" },
        ...{ applied: [{ id: text, ms: 1, rowsWritten: 1, lockedMs: 1 }], error: { migration: text, message } },
      });
      const comment = commentText(report([of]));
      const [outside, inside] = partsOf(comment);
      assert.deepEqual([...new Set(cells(comment))].sort(), [4, 7], text);
      const prose = outside.join("\n").replace(/^<!-- tenantry-preview acme\/shop#42 -->/, "");
      const left = prose.replace(/`[^`\n]*`/g, "").replace(/<code>(?:[\p{L}\p{N} ]|&#\d+;)*<\/code>/gu, "");
      assert.doesNotMatch(left, /[<>@`[\]]|https?:|bold|evil|# out/, text);
      assert.doesNotMatch(comment, /[\u202e\u0000]/);
      assert.ok(
        inside.some((line) => line.includes("# out of the block")),
        text,
      );
    }
    assert.equal(code("plain-name_1.2"), "`plain-name_1.2`");
    assert.equal(code("a|b"), "<code>a&#124;b</code>");
    assert.equal(code("x".repeat(100)), `\`${"x".repeat(80)}…\``);
    assert.deepEqual(block("a\n````\nb"), ["`````text", "a\n````\nb", "`````"]);
  });

  it("shows no token, whoever put it there", () => {
    const jwt = `eyJhbGciOiJFZERTQSJ9.${"a".repeat(40)}.${"b".repeat(40)}`;
    const comment = commentText(
      report([
        branch(jwt, { url: `libsql://user:${jwt}@host.example/db?authToken=${jwt}#${jwt}` }),
        { ...failing, error: { migration: jwt, message: `HTTP 401 for Bearer ${jwt}` } },
        branch("odd", { url: `no address authToken=${jwt}` }),
      ]),
    );
    assert.doesNotMatch(comment, /eyJ|aaaa|bbbb/);
    assert.match(comment, /`libsql:\/\/host\.example\/db`/);
  });

  it("fits where comments are kept, however many branches and however long what they say", () => {
    const long = "w|".repeat(4_000);
    const many = Array.from({ length: 2_000 }, (_, i) =>
      branch(`${i}-${long}`, {
        ...{
          source: long,
          branch: long,
          url: `https://${long}`,
          from: `a${long}`,
          to: long,
          state: "migration-failed",
        },
        ...{ applied: [{ id: long, ms: 1, rowsWritten: 1, lockedMs: 1 }], error: { migration: long, message: long } },
      }),
    );
    const comment = commentText(report(many));
    assert.ok(comment.length < 65_000, `${comment.length} characters`);
    const more = [...comment.matchAll(/^And (\d+) more\.$/gm)].map(([, count]) => Number(count));
    assert.equal(more.length, 4, "plan, addresses, migrations, failures");
    assert.ok(more.every((count) => count >= 1_960 && count < 2_000));
    assert.match(
      commentText(report(many.slice(0, 50).map(({ tenant }) => branch(tenant.slice(0, 2))))),
      /^And 10 more/m,
    );
  });
});

/** Lines outside and inside of fenced blocks. */
function partsOf(comment: string): [string[], string[]] {
  const parts: [string[], string[]] = [[], []];
  let fence: string | undefined;
  for (const line of comment.split("\n")) {
    const run = /^(`{3,})(.*)$/.exec(line);
    if (fence === undefined && run) fence = run[1]!;
    else if (fence !== undefined && run && run[2] === "" && run[1]!.length >= fence.length) fence = undefined;
    else parts[fence === undefined ? 0 : 1].push(line);
  }
  assert.equal(fence, undefined, "a block that does not end");
  return parts;
}

describe("tenantry preview comment", function () {
  this.timeout(120_000);

  it("reads a file or standard input, asks nobody, and says what is wrong with a report", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "tenantry-comment-"));
    try {
      const file = path.join(folder, "preview.json");
      await writeFile(file, JSON.stringify(snapshots["failed"]));
      const printed = await runCli(["preview", "comment", "preview.json", "--format", "markdown"], { cwd: folder });
      const expected = await readFile(path.join(snapshotsIn, "failed.md"), "utf8");
      assert.deepEqual(printed, { code: 0, stdout: expected, stderr: "" });
      assert.deepEqual(await piped(["preview", "comment"], await readFile(file, "utf8")), expected);

      const ended = { scope: "local", notes: [], ...ends["ended"]! };
      const last = await readFile(path.join(snapshotsIn, "ended.md"), "utf8");
      assert.equal(await piped(["preview", "comment"], JSON.stringify(ended)), last);

      const wrong: [string, RegExp][] = [
        ["", /^tenantry: preview\.json: it is empty\. .*its error says why\.$/m],
        ["{", /^tenantry: preview\.json: this is not a report of a preview: it is not JSON\./],
        ['{"version":2}', /^tenantry: preview\.json: this is not a report of a preview: version: /],
      ];
      for (const [text, message] of wrong) {
        await writeFile(file, text);
        const refused = await runCli(["preview", "comment", "preview.json"], { cwd: folder });
        assert.equal(refused.code, 1);
        assert.match(refused.stderr, message);
      }
      const missing = await runCli(["preview", "comment", "none.json"], { cwd: folder });
      assert.match(missing.stderr, /^tenantry: none\.json: it cannot be read \(ENOENT\)\./);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** What the command prints of what it is given on standard input. */
function piped(args: string[], text: string): Promise<string> {
  const main = path.join(__dirname, "..", "..", "dist", "sdk", "cli", "main.js");
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [main, ...args], (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
    child.stdin!.end(text);
  });
}

import assert from "node:assert/strict";
import { openSql } from "../../provider/platform/sql";
import { sameContents } from "../../provider/resources/tenant-database/contents";
import { mint } from "../local/api-caller";
import { type Bench, withBench } from "../support/bench";

const rows = (from: number, to: number, of: string): string =>
  `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) SELECT ${of} FROM n`;

/** More than two pages, in each kind of table. */
const contents = [
  "CREATE TABLE plain (a, b)",
  `INSERT INTO plain ${rows(1, 1_200, "'a' || i, i * 1.5")}`,
  "CREATE TABLE numbered (id INTEGER PRIMARY KEY, rowid TEXT)",
  `INSERT INTO numbered ${rows(-600, 600, "i, CASE WHEN i % 2 THEN zeroblob(3) END")}`,
  // Two for one in the column's collation, at the end of a page.
  'CREATE TABLE "with""out" (a TEXT COLLATE NOCASE, b, PRIMARY KEY (a COLLATE BINARY)) WITHOUT ROWID',
  `INSERT INTO "with""out" ${rows(1, 600, "printf('%04d', i), i")}`,
  `INSERT INTO "with""out" ${rows(1, 600, "char(97 + i % 26, 65 + i / 26), i")}`,
  `INSERT INTO "with""out" ${rows(1, 600, "char(65 + i % 26, 65 + i / 26), i")}`,
  "CREATE TABLE big (n INTEGER PRIMARY KEY AUTOINCREMENT, length)",
  "INSERT INTO big VALUES (9007199254740993, 'x')",
  'CREATE TABLE hidden (a, b AS (a + 1), "__proto__")',
  "INSERT INTO hidden VALUES (1, 2)",
  "CREATE VIEW seen AS SELECT * FROM plain",
  "CREATE VIRTUAL TABLE words USING fts5(text)",
  "INSERT INTO words VALUES ('one two')",
];

async function withTwins(bench: Bench, use: (same: () => Promise<boolean>) => Promise<void>): Promise<void> {
  await bench.api.ok("POST", "/databases", { name: "one", group: "eu" });
  for (const statement of contents) await bench.sql("one", statement);
  await bench.api.ok("POST", "/databases", { name: "other", group: "eu", seed: { type: "database", name: "one" } });
  const opened = await Promise.all(
    ["one", "other"].map(async (name) => {
      const token = await mint(bench.api, `databases/${name}`);
      return openSql({ url: bench.platform.databaseUrl(name), token: async () => token });
    }),
  );
  try {
    await use(() => sameContents(opened[0]!, opened[1]!));
  } finally {
    for (const sql of opened) sql.close();
  }
}

describe("sameContents", () => {
  it("sees the same in a copy, whatever the kind of table", async () => {
    await withBench((bench) => withTwins(bench, async (same) => assert.equal(await same(), true)));
  });

  it("sees every difference", async () => {
    await withBench((bench) =>
      withTwins(bench, async (same) => {
        const differences: [change: string, back: string][] = [
          ["UPDATE plain SET b = 0 WHERE a = 'a1200'", "UPDATE plain SET b = 1800.0 WHERE a = 'a1200'"],
          ["UPDATE numbered SET rowid = 'x' WHERE id = 600", "UPDATE numbered SET rowid = NULL WHERE id = 600"],
          ['UPDATE "with""out" SET b = 0 WHERE a = \'0600\'', 'UPDATE "with""out" SET b = 600 WHERE a = \'0600\''],
          ["UPDATE big SET n = n + 1", "UPDATE big SET n = n - 1"],
          ['UPDATE hidden SET "__proto__" = 3', 'UPDATE hidden SET "__proto__" = 2'],
          ["UPDATE sqlite_sequence SET seq = 1", "UPDATE sqlite_sequence SET seq = 9007199254740993"],
          ["CREATE INDEX more ON plain (a)", "DROP INDEX more"],
          ["DELETE FROM plain WHERE a = 'a1200'", "INSERT INTO plain VALUES ('a1200', 1800.0)"],
          ["UPDATE words SET text = 'one three'", ""],
        ];
        for (const [change, back] of differences) {
          await bench.sql("other", change);
          assert.equal(await same(), false, change);
          if (back) await bench.sql("other", back);
          if (back) assert.equal(await same(), true, back);
        }
      }),
    );
  });
});

import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type MigrationFormat, readMigrations } from "../../provider/rollout/source";

const fixtures = path.join(__dirname, "..", "fixtures");
const migrationsOf = (name: string): string => path.join(fixtures, name, "migrations");
const names = ["init", "pages", "rank_as_number", "tags"];

describe("readMigrations of other tools' folders", () => {
  let root: string;
  let next = 0;
  before(() => (root = mkdtempSync(path.join(tmpdir(), "tenantry-formats-"))));
  after(() => rmSync(root, { recursive: true, force: true }));

  type Files = Record<string, string | undefined>;

  /** A fixture with some files replaced, added, or (undefined) removed. */
  function changed(fixture: string | undefined, files: Files): string {
    const at = path.join(root, String(next++));
    mkdirSync(at);
    if (fixture) cpSync(migrationsOf(fixture), at, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(at, name);
      if (text === undefined) rmSync(file, { recursive: true });
      else {
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, text);
      }
    }
    return at;
  }

  const formats: [string, MigrationFormat][] = [
    ["drizzle", "drizzle"],
    ["drizzle-folders", "drizzle"],
    ["prisma", "prisma"],
    ["dbmate", "dbmate"],
  ];
  for (const [fixture, format] of formats) {
    it(`finds out that ${fixture} is ${format}, and reads its history in order`, () => {
      const read = readMigrations(migrationsOf(fixture));
      assert.equal(read.format, format);
      assert.deepEqual(
        read.migrations.map(({ id }) => id.replace(/^\d+_/, "")),
        names,
      );
      assert.deepEqual(
        readMigrations(migrationsOf(fixture), "x", format).migrations.map(({ id }) => id),
        [...read.migrations.map(({ id }) => id)],
      );
    });

    it(`takes ${fixture}'s table rebuild without its pragmas, to be run with foreign keys off`, () => {
      const { migrations } = readMigrations(migrationsOf(fixture));
      const [init, , rebuild] = migrations;
      assert.deepEqual([init!.foreignKeys, rebuild!.foreignKeys, rebuild!.transaction], ["kept", "off", true]);
      assert.equal(rebuild!.statements.length, 5);
      for (const { sql, line } of rebuild!.statements) {
        assert.doesNotMatch(sql, /PRAGMA|BEGIN|COMMIT|statement-breakpoint/i);
        const lines = readFileSync(path.join(fixtures, fixture, rebuild!.file.split(`${fixture}/`)[1]!), "utf8");
        const first = sql.replace(/^(?:--.*\n)+/, "").split("\n")[0]!;
        assert.ok(lines.split("\n")[line - 1]!.includes(first), `line ${line}: ${first}`);
      }
    });
  }

  it("reads the ids and hashes of a drizzle-kit journal as those of the plain files that they are", () => {
    const refs = (format: MigrationFormat) =>
      readMigrations(migrationsOf("drizzle"), "x", format).migrations.map(({ id, hash }) => `${id} ${hash}`);
    assert.deepEqual(refs("drizzle"), refs("sql"));
  });

  it("never runs a down part of dbmate's, and lets it be corrected", () => {
    const file = "20261121183112_pages.sql";
    const text = readFileSync(path.join(migrationsOf("dbmate"), file), "utf8");
    const hashOf = (at: string) => readMigrations(at).migrations[1]!.hash;
    const corrected = changed("dbmate", { [file]: text.replace("DROP COLUMN pages", "DROP COLUMN\n\npages") });
    assert.equal(hashOf(corrected), hashOf(migrationsOf("dbmate")));
    assert.notEqual(hashOf(changed("dbmate", { [file]: text.replace("DEFAULT 0", "DEFAULT 1") })), hashOf(corrected));
    for (const { statements } of readMigrations(migrationsOf("dbmate")).migrations) {
      assert.ok(!statements.some(({ sql }) => /DROP (?:COLUMN|INDEX)|DROP TABLE tags/.test(sql)));
    }
  });

  it("runs all up parts of a file of dbmate's", () => {
    const text = "-- a note\n-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n-- migrate:up\nSELECT 3;\n";
    const [only] = readMigrations(changed(undefined, { "1_a.sql": text })).migrations;
    assert.deepEqual(only!.statements, [
      { sql: "SELECT 1", line: 3 },
      { sql: "SELECT 3", line: 7 },
    ]);
  });

  it("leaves a transaction where a file asks for it", () => {
    const files = { "1_a.sql": "-- tenantry: no-transaction\nVACUUM;", "2_b.sql": "SELECT 1; -- tenantry: x" };
    const { migrations } = readMigrations(changed(undefined, files));
    assert.deepEqual(
      migrations.map(({ transaction }) => transaction),
      [false, true],
    );
    assert.equal(readMigrations(migrationsOf("dbmate")).migrations[3]!.transaction, false);
  });

  const journal = (entries: unknown[], more: object = {}) =>
    JSON.stringify({ version: "7", dialect: "sqlite", entries, ...more });
  const entry = (idx: number, tag: string) => ({ idx, tag, when: idx, version: "6", breakpoints: true });
  const up = "-- migrate:up\nSELECT 1;\n";
  type Case = [string, string | undefined, Files, RegExp, MigrationFormat?];
  const bad: Case[] = [
    [
      "a journal's entry without its file",
      "drizzle",
      { "0003_tags.sql": undefined },
      /lists "0003_tags", but .*0003_tags\.sql" does not exist/,
    ],
    [
      "a file without its entry",
      "drizzle",
      { "0004_more.sql": "SELECT 1" },
      /shown\/0004_more\.sql" is not listed in "shown\/meta\/_journal\.json"/,
    ],
    [
      "a journal out of order",
      undefined,
      { "meta/_journal.json": journal([entry(1, "b"), entry(0, "a")]), "a.sql": "", "b.sql": "" },
      /lists "b" \(idx 1\) before "a" \(idx 0\)/,
    ],
    [
      "two branches' migrations with one number",
      undefined,
      { "meta/_journal.json": journal([entry(0, "0000_a"), entry(1, "0000_b")]), "0000_a.sql": "", "0000_b.sql": "" },
      /0000_a\.sql" and "0000_b\.sql" have the same number 0/,
    ],
    [
      "a tag twice",
      undefined,
      { "meta/_journal.json": journal([entry(0, "a"), entry(1, "a")]), "a.sql": "" },
      /lists "a" twice/,
    ],
    ["a journal in conflict", "drizzle", { "meta/_journal.json": "<<<<<<< HEAD" }, /_journal\.json" is not JSON/],
    ["an empty journal", "drizzle", { "meta/_journal.json": journal([]) }, /lists no migration/],
    [
      "another dialect's journal",
      undefined,
      { "meta/_journal.json": journal([entry(0, "a")], { dialect: "postgresql" }), "a.sql": "" },
      /are for postgresql; the databases are SQLite/,
    ],
    [
      "another provider's lock",
      "prisma",
      { "migration_lock.toml": 'provider = "postgresql"' },
      /are for postgresql; the databases are SQLite/,
    ],
    ["a lock without a provider", "prisma", { "migration_lock.toml": "# empty" }, /are for no provider/],
    [
      "a folder without its SQL",
      "prisma",
      { "20261121184004_tags/migration.sql": undefined },
      /20261121184004_tags" holds no migration\.sql/,
    ],
    [
      "a Prisma timestamp twice",
      "prisma",
      { "20261121184004_again/migration.sql": "" },
      /have the same number 20261121184004/,
    ],
    [
      "Prisma without its lock",
      "prisma",
      { "migration_lock.toml": undefined },
      /neither Prisma's migration_lock\.toml nor drizzle-kit's snapshots/,
    ],
    ["a dbmate version twice", "dbmate", { "20261121183112_more.sql": up }, /have the same number 20261121183112/],
    [
      "SQL before dbmate's mark",
      undefined,
      { "1_a.sql": `SELECT 0;\n${up}` },
      /1_a\.sql", line 1: dbmate runs nothing that stands before/,
    ],
    [
      "an option that dbmate does not know",
      undefined,
      { "1_a.sql": up.replace("up", "up fast:true") },
      /option that is not known here, "fast:true"/,
    ],
    [
      "a mark that does not exist",
      undefined,
      { "1_a.sql": "-- tenantry: notransaction\nSELECT 1" },
      /mark that does not exist, "notransaction"/,
    ],
    [
      "plain files among dbmate's",
      "dbmate",
      { "1_a.sql": "SELECT 1" },
      /more than one way: it holds dbmate's "-- migrate:up" in 2026\w+\.sql and sql's plain 1_a\.sql/,
    ],
    [
      "files of two tools",
      "prisma",
      { "1_a.sql": "SELECT 1" },
      /more than one way: it holds prisma's migration_lock\.toml and sql's plain 1_a\.sql/,
    ],
    ["dbmate's files taken for plain ones", "dbmate", {}, /20261121183109_init\.sql" is one of dbmate's/, "sql"],
    [
      "plain files taken for dbmate's",
      undefined,
      { "1_a.sql": "SELECT 1" },
      /1_a\.sql" has no "-- migrate:up"/,
      "dbmate",
    ],
    [
      "plain files taken for drizzle-kit's",
      undefined,
      { "1_a.sql": "SELECT 1" },
      /is not drizzle-kit's output/,
      "drizzle",
    ],
    [
      "plain files taken for Prisma's",
      undefined,
      { "1_a.sql": "SELECT 1" },
      /is not a folder of Prisma's: it has no migration_lock\.toml/,
      "prisma",
    ],
    ["folders taken for plain files", "prisma", {}, /holds no \.sql file/, "sql"],
    [
      "the folder above",
      undefined,
      { "migrations/migration_lock.toml": "" },
      /holds no \.sql file\. Did you mean "shown\/migrations"\?/,
    ],
    ["a name that is no id", undefined, { "1 a.sql": "SELECT 1" }, /name with other characters/],
  ];
  for (const [name, fixture, files, message, format] of bad) {
    it(`refuses ${name}`, () => {
      assert.throws(() => readMigrations(changed(fixture, files), "shown", format), {
        code: "migration-invalid",
        message,
      });
    });
  }
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf, readMigrations } from "../../provider/rollout/source";

describe("readMigrations", () => {
  let root: string;
  let next = 0;
  before(() => (root = mkdtempSync(join(tmpdir(), "tenantry-source-"))));
  after(() => rmSync(root, { recursive: true, force: true }));

  function folder(files: Record<string, string | Buffer>): string {
    const path = join(root, String(next++));
    mkdirSync(path);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    return path;
  }

  it("orders by number, not by letter, and leaves other files alone", () => {
    const path = folder({ "10_c.sql": "SELECT 3", "9_b.sql": "SELECT 2", "0001_a.sql": "SELECT 1", "README.md": "x" });
    assert.deepEqual(
      readMigrations(path).migrations.map((one) => one.id),
      ["0001_a", "9_b", "10_c"],
    );
  });

  it("hashes alike whatever the line ends", () => {
    const unix = readMigrations(folder({ "1_a.sql": "SELECT 1;\nSELECT 2;\n" })).migrations;
    const dos = readMigrations(folder({ "1_a.sql": "SELECT 1;\r\nSELECT 2;\r\n" })).migrations;
    assert.equal(digestOf(unix), digestOf(dos));
    assert.notEqual(digestOf(unix), digestOf(readMigrations(folder({ "1_a.sql": "SELECT 1;" })).migrations));
  });

  it("gives a text the id and the hash that are in users' state and ledgers", () => {
    const [only] = readMigrations(folder({ "0001_notes.sql": "CREATE TABLE notes (x);\n" })).migrations;
    assert.deepEqual([only!.id, only!.hash], ["0001_notes", "467d5cf3aaf8416e"]);
  });

  const bad: [string, Record<string, string | Buffer> | undefined, RegExp][] = [
    ["a missing folder", undefined, /the folder "shown" does not exist/],
    ["an empty folder", {}, /"shown" holds no \.sql file/],
    ["a file without a number", { "1_a.sql": "", "init.sql": "" }, /"shown\/init\.sql" does not begin with a number/],
    [
      "the same number twice",
      { "1_a.sql": "", "01_b.sql": "" },
      /"shown\/01_b\.sql" and "1_a\.sql" have the same number 1/,
    ],
    ["text that is not UTF-8", { "1_a.sql": Buffer.from([0x53, 0xff, 0xfe]) }, /"shown\/1_a\.sql" is not UTF-8/],
  ];
  for (const [name, files, message] of bad) {
    it(`refuses ${name}, by name`, () => {
      const path = files ? folder(files) : join(root, "none");
      assert.throws(() => readMigrations(path, "shown"), message);
    });
  }
});

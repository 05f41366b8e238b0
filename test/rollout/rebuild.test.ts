import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Sql, openSql } from "../../provider/platform/sql";
import { readLedger } from "../../provider/rollout/ledger";
import { migrate } from "../../provider/rollout/migrate";
import { type Migration, readMigrations } from "../../provider/rollout/source";
import { mint } from "../local/api-caller";
import { withBench } from "../support/bench";
import { type Fate, type FaultyLine, type LineCall, openFaultyLine } from "../support/faulty-line";

const fixtures = path.join(__dirname, "..", "fixtures");
const pragma = "foreign_keys";

interface Scene {
  readonly sql: Sql;
  readonly line: FaultyLine;
  migrate(migrations: readonly Migration[]): Promise<string[]>;
  rows(statement: string): Promise<unknown[]>;
}

async function withDatabase(
  use: (scene: Scene) => Promise<void>,
  fate: (call: LineCall) => Fate = () => "pass",
): Promise<void> {
  await withBench(async (bench) => {
    await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
    const line = await openFaultyLine(bench.platform.url, fate);
    const token = await mint(bench.api, "databases/acme");
    const sql = openSql({ url: `${line.url}/db/acme/`, token: async () => token });
    try {
      await use({
        sql,
        line,
        migrate: async (migrations) =>
          (await migrate({ sql, database: "acme", migrations, run: 1 })).map(({ id }) => id),
        rows: async (statement) =>
          (await sql.execute({ sql: statement, args: [] })).rows.map((row) => Object.values(row)[0]),
      });
    } finally {
      sql.close();
      await line.close();
    }
  });
}

/** Migrations as a user's folder of plain files gives them. */
function folderOf(files: Record<string, string>): Migration[] {
  const at = mkdtempSync(path.join(tmpdir(), "tenantry-rebuild-"));
  try {
    mkdirSync(path.join(at, "m"));
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(at, "m", name), text);
    return readMigrations(path.join(at, "m"), "m").migrations;
  } finally {
    rmSync(at, { recursive: true });
  }
}

const family = `CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents (id) ON DELETE CASCADE);
INSERT INTO parents VALUES (1, 'a'), (2, 'b');
INSERT INTO children VALUES (1, 1), (2, 1), (3, 2);`;
const rebuilt = (where = "") => `CREATE TABLE new_parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO new_parents SELECT id, name FROM parents ${where};
DROP TABLE parents;
ALTER TABLE new_parents RENAME TO parents;`;

describe("a migration that rebuilds a table", () => {
  const tools = [
    ["drizzle", "authors", "books", "author_id"],
    ["drizzle-folders", "authors", "books", "author_id"],
    ["prisma", '"Author"', '"Book"', '"authorId"'],
    ["dbmate", "authors", "books", "author_id"],
  ] as const;
  for (const [fixture, parent, child, key] of tools) {
    it(`keeps all rows that refer to it, as ${fixture} writes it`, async () => {
      await withDatabase(async ({ sql, line, rows, migrate }) => {
        const { migrations } = readMigrations(path.join(fixtures, fixture, "migrations"));
        await migrate(migrations.slice(0, 1));
        await sql.batch(
          [
            `INSERT INTO ${parent} (id, name) VALUES (1, 'Ada'), (2, 'Bob')`,
            `INSERT INTO ${child} (id, title, ${key}) VALUES (1, 'a', 1), (2, 'b', 1), (3, 'c', 2)`,
          ],
          "write",
        );
        assert.equal((await migrate(migrations.slice(0, 2))).length, 1);
        // drizzle-kit copies a column that was NULL as it is into one that must not be.
        await sql.execute({ sql: `UPDATE ${parent} SET rank = '7'`, args: [] });
        const from = line.calls.length;
        assert.equal((await migrate(migrations)).length, 2);
        const rebuild = line.calls.slice(from).find(({ body }) => body.includes("DROP TABLE"))!.body;
        // Off before the transaction and on behind it: inside of it nothing can.
        assert.match(rebuild, /PRAGMA foreign_keys=off.*BEGIN.*DROP TABLE.*COMMIT.*PRAGMA foreign_keys=on/s);
        assert.deepEqual(await rows(`SELECT title FROM ${child} ORDER BY id`), ["a", "b", "c"]);
        assert.deepEqual(await rows(`SELECT rank FROM ${parent} ORDER BY id`), [7, 7]);
        assert.deepEqual(await rows("SELECT * FROM pragma_foreign_key_check"), []);
        assert.deepEqual(await rows("SELECT name FROM sqlite_schema WHERE name LIKE '_tenantry_violations'"), []);
      });
    });
  }

  it("is undone where it leaves rows that refer to nothing, naming the tables", async () => {
    await withDatabase(async ({ rows, migrate }) => {
      const migrations = folderOf({ "1_family.sql": family, "2_lossy.sql": rebuilt("WHERE id = 1") });
      await assert.rejects(migrate(migrations), {
        code: "migration-failed",
        message:
          /^acme: m\/2_lossy\.sql leaves rows that refer to .*: children -> parents \(1\)\. Nothing of that file/,
      });
      assert.deepEqual(await rows("SELECT id FROM parents"), [1, 2]);
      assert.deepEqual(await rows("SELECT id FROM children"), [1, 2, 3]);
      assert.deepEqual(await rows("SELECT id FROM _tenantry_migrations"), ["1_family"]);
    });
  });

  it("is not stopped by rows that referred to nothing before it", async () => {
    await withDatabase(async ({ sql, rows, migrate }) => {
      const renamed = `ALTER TABLE children RENAME TO kids;\n${rebuilt()}`;
      const migrations = folderOf({ "1_family.sql": family, "2_strict.sql": rebuilt(), "3_kids.sql": renamed });
      await migrate(migrations.slice(0, 1));
      await sql.execute({ sql: "INSERT INTO children VALUES (4, 9)", args: [] });
      assert.deepEqual(await migrate(migrations), ["2_strict", "3_kids"]);
      assert.deepEqual(await rows("SELECT id FROM kids"), [1, 2, 3, 4]);
    });
  });

  it("says the file's own line when a statement of it fails", async () => {
    await withDatabase(async ({ rows, migrate }) => {
      const broken = `-- again\nPRAGMA ${pragma}=OFF;\n${rebuilt().replace("SELECT id, name", "SELECT id, NULL")}`;
      const migrations = folderOf({ "1_family.sql": family, "2_broken.sql": broken });
      await assert.rejects(migrate(migrations), {
        code: "migration-failed",
        message: /m\/2_broken\.sql, line 4: .*NOT NULL constraint failed: new_parents\.name/,
      });
      assert.deepEqual(await rows("SELECT id FROM children"), [1, 2, 3]);
    });
  });

  it("is applied once where its reply was lost", async () => {
    let lost = 0;
    await withDatabase(
      async ({ rows, migrate }) => {
        await migrate(folderOf({ "1_family.sql": family, "2_strict.sql": rebuilt() }));
        assert.equal(lost, 2);
        assert.deepEqual(await rows("SELECT id FROM children"), [1, 2, 3]);
      },
      ({ body }) => (body.includes("DROP TABLE parents") && lost++ === 0 ? "lose" : "pass"),
    );
  });
});

describe("a migration outside of a transaction", () => {
  const marked = (text: string) => `-- tenantry: no-transaction\n${text}`;
  const notes = { "1_notes.sql": "CREATE TABLE notes (x);" };
  const two = marked("INSERT INTO notes VALUES (1);\nINSERT INTO notes VALUES (2);");

  it("is run statement by statement, and then written down as done", async () => {
    await withDatabase(async ({ sql, line, rows, migrate }) => {
      const migrations = folderOf({ ...notes, "2_two.sql": two });
      assert.deepEqual(await migrate(migrations), ["1_notes", "2_two"]);
      assert.deepEqual(await rows("SELECT x FROM notes"), [1, 2]);
      assert.deepEqual(
        (await readLedger(sql)).map(({ begun, appliedAt }) => [begun, Number.isNaN(Date.parse(appliedAt!))]),
        [
          [undefined, false],
          [undefined, false],
        ],
      );
      for (const text of ["VALUES (1)", "VALUES (2)"]) {
        assert.equal(line.calls.filter(({ body }) => body.includes(text) && body.includes("BEGIN")).length, 0);
      }
      assert.deepEqual(await migrate(migrations), []);
    });
  });

  it("is reported and not repeated where it broke off, until somebody says how it stands", async () => {
    let lost = 0;
    await withDatabase(
      async ({ sql, rows, migrate }) => {
        const migrations = folderOf({ ...notes, "2_two.sql": two, "3_more.sql": "CREATE TABLE more (x);" });
        await assert.rejects(migrate(migrations), {
          code: "migration-failed",
          message: /^acme: m\/2_two\.sql, line 3: .*What stands above it was applied/s,
        });
        const begun =
          /m\/2_two\.sql, begun on \d{4}-\d\d-\d\dT[\d:]+Z, .*not finished since\. .*(UPDATE .*?); .*(DELETE .*?);/;
        let said: RegExpExecArray | null = null;
        for (let i = 0; i < 2; i++) {
          await assert.rejects(migrate(migrations), (error: Error) => Boolean((said = begun.exec(error.message))));
        }
        assert.equal(lost, 1);
        assert.deepEqual(await rows("SELECT x FROM notes"), [1, 2]);
        await sql.execute({ sql: said![1]!, args: [] });
        assert.deepEqual(await migrate(migrations), ["3_more"]);
        assert.deepEqual(await rows("SELECT x FROM notes"), [1, 2]);
      },
      ({ body }) => (body.includes("VALUES (2)") && lost++ === 0 ? "lose" : "pass"),
    );
  });

  it("is run again after its row was taken out", async () => {
    await withDatabase(async ({ sql, rows, migrate }) => {
      const failing = marked("INSERT INTO notes VALUES (1);\nINSERT INTO nowhere VALUES (2);");
      await assert.rejects(migrate(folderOf({ ...notes, "2_two.sql": failing })), /line 3: .*no such table: nowhere/);
      await sql.batch(["DELETE FROM _tenantry_migrations WHERE id = '2_two'", "DELETE FROM notes"], "write");
      assert.deepEqual(await migrate(folderOf({ ...notes, "2_two.sql": two })), ["2_two"]);
      assert.deepEqual(await rows("SELECT x FROM notes"), [1, 2]);
    });
  });

  it("leaves nothing behind where its first statement fails", async () => {
    await withDatabase(async ({ migrate }) => {
      const wrong = { ...notes, "2_two.sql": marked("INSERT INTO nowhere VALUES (1);") };
      await assert.rejects(
        migrate(folderOf(wrong)),
        /2_two\.sql, line 2: .*nowhere.*Nothing of that file was applied/s,
      );
      assert.deepEqual(await migrate(folderOf({ ...notes, "2_two.sql": two })), ["2_two"]);
    });
  });

  it("goes on when the reply to its beginning was lost", async () => {
    let lost = 0;
    await withDatabase(
      async ({ rows, migrate }) => {
        assert.deepEqual(await migrate(folderOf({ ...notes, "2_two.sql": two })), ["1_notes", "2_two"]);
        assert.ok(lost > 1);
        assert.deepEqual(await rows("SELECT x FROM notes"), [1, 2]);
      },
      ({ body }) => (body.includes('"2_two"') && body.includes("BEGIN") && lost++ === 0 ? "lose" : "pass"),
    );
  });

  for (const [statement, mark, up] of [
    ["VACUUM", '-- tenantry: no-transaction" as the first line', ""],
    ["PRAGMA journal_mode = WAL", '-- tenantry: no-transaction" as the first line', ""],
    ["VACUUM", "-- migrate:up transaction:false", "-- migrate:up\n"],
  ] as const) {
    it(`is what ${statement} needs, with "${mark.split('"')[0]}"`, async () => {
      await withDatabase(async ({ rows, migrate }) => {
        await assert.rejects(migrate(folderOf({ "1_it.sql": `${up}${statement};` })), (error: Error) => {
          assert.match(
            error.message,
            /1_it\.sql", line \d: (?:VACUUM|PRAGMA journal_mode) is refused: it cannot run inside/,
          );
          return error.message.includes(mark);
        });
        assert.deepEqual(await rows("SELECT name FROM sqlite_schema"), []);
      });
    });
  }

  it("cannot begin a transaction for some of its statements", async () => {
    await withDatabase(async ({ migrate }) => {
      const text = marked("SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;");
      await assert.rejects(
        migrate(folderOf({ "1_it.sql": text })),
        /line 3: BEGIN is refused: each statement .*by itself/,
      );
    });
  });
});

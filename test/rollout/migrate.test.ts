import assert from "node:assert/strict";
import { type Sql, openSql } from "../../provider/platform/sql";
import { readLedger } from "../../provider/rollout/ledger";
import { migrate } from "../../provider/rollout/migrate";
import type { Migration } from "../../provider/rollout/source";
import { executionOf } from "../../provider/rollout/source/execution";
import { splitStatements } from "../../provider/rollout/statements";
import { mint } from "../local/api-caller";
import { type Bench, withBench } from "../support/bench";
import { openFaultyLine } from "../support/faulty-line";

const migration = (id: string, sql: string): Migration => ({
  id,
  file: `migrations/${id}.sql`,
  hash: `hash of ${id}`,
  sql,
  ...executionOf(splitStatements(sql), true),
});
const notes = migration("0001_notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);");
const seeded = migration(
  "0002_seeded",
  "INSERT INTO notes (text) VALUES ('one');\nINSERT INTO notes (text) VALUES ('two');",
);

async function withDatabase(
  use: (scene: { sql: Sql; connect: (url?: string) => Promise<Sql>; bench: Bench }) => Promise<void>,
): Promise<void> {
  await withBench(async (bench) => {
    await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
    const opened: Sql[] = [];
    const connect = async (url = bench.platform.databaseUrl("acme")): Promise<Sql> => {
      const token = await mint(bench.api, "databases/acme");
      const sql = openSql({ url, token: async () => token });
      opened.push(sql);
      return sql;
    };
    try {
      await use({ sql: await connect(), connect, bench });
    } finally {
      for (const each of opened) each.close();
    }
  });
}

const rows = async (sql: Sql, statement: string): Promise<unknown[]> =>
  (await sql.execute({ sql: statement, args: [] })).rows.map((row) => Object.values(row)[0]);
const tables = (sql: Sql) => rows(sql, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");

describe("migrate", () => {
  it("applies what is pending in order, writes it down, and applies nothing a second time", async () => {
    await withDatabase(async ({ sql }) => {
      const request = { sql, database: "acme", run: 1 };
      assert.deepEqual(
        (await migrate({ ...request, migrations: [notes] })).map(({ id }) => id),
        ["0001_notes"],
      );
      assert.deepEqual(
        (await migrate({ ...request, migrations: [notes, seeded] })).map(({ id }) => id),
        ["0002_seeded"],
      );
      assert.deepEqual(await migrate({ ...request, migrations: [notes, seeded] }), []);
      assert.deepEqual(await rows(sql, "SELECT text FROM notes"), ["one", "two"]);
      assert.deepEqual(
        (await readLedger(sql)).map(({ id, hash, run }) => ({ id, hash, run })),
        [notes, seeded].map(({ id, hash }) => ({ id, hash, run: 1 })),
      );
      for (const { appliedAt } of await readLedger(sql))
        assert.ok(Math.abs(Date.parse(appliedAt!) - Date.now()) < 60_000);
    });
  });

  it("applies each exactly once under concurrent runs", async () => {
    await withDatabase(async ({ sql, connect }) => {
      const many = [notes, ...Array.from({ length: 5 }, (_, i) => migration(`000${i + 2}_more`, seeded.sql))];
      const connections = await Promise.all(Array.from({ length: 4 }, () => connect()));
      const applied = await Promise.all(
        connections.map((each) => migrate({ sql: each, database: "acme", migrations: many, run: 1 })),
      );
      assert.deepEqual(
        applied
          .flat()
          .map(({ id }) => id)
          .sort(),
        many.map(({ id }) => id),
      );
      assert.equal((await rows(sql, "SELECT text FROM notes")).length, 10);
    });
  });

  it("applies once what it sends twice after a lost reply", async () => {
    await withDatabase(async ({ sql, connect, bench }) => {
      let lost = 0;
      const line = await openFaultyLine(bench.platform.url, ({ body }) =>
        body.includes("INSERT INTO notes") && lost++ === 0 ? "lose" : "pass",
      );
      try {
        const faulty = await connect(`${line.url}/db/acme/`);
        await migrate({ sql: faulty, database: "acme", migrations: [notes, seeded], run: 1 });
        assert.ok(lost > 1);
        assert.deepEqual(await rows(sql, "SELECT text FROM notes"), ["one", "two"]);
      } finally {
        await line.close();
      }
    });
  });

  it("leaves nothing of a file that fails, and says file, line and database", async () => {
    await withDatabase(async ({ sql }) => {
      const failing = migration(
        "0002_failing",
        "CREATE TABLE more (x);\n-- why not\n\nINSERT INTO nowhere VALUES (1);\n",
      );
      await assert.rejects(migrate({ sql, database: "acme", migrations: [notes, failing], run: 1 }), {
        code: "migration-failed",
        message:
          /^acme: migrations\/0002_failing\.sql, line 4: .*no such table: nowhere.*Nothing of that file was applied/s,
      });
      assert.deepEqual(await tables(sql), ["_tenantry_migrations", "notes"]);
      assert.deepEqual(
        (await readLedger(sql)).map(({ id }) => id),
        ["0001_notes"],
      );
    });
  });

  it("leaves not even a ledger when the first file fails", async () => {
    await withDatabase(async ({ sql }) => {
      const failing = migration("0001_failing", "CREATE TABLE more (x); CREATE TABLE more (x);");
      await assert.rejects(migrate({ sql, database: "acme", migrations: [failing], run: 1 }), {
        code: "migration-failed",
      });
      assert.deepEqual(await tables(sql), []);
      assert.deepEqual(await readLedger(sql), []);
    });
  });

  it("refuses to go on where a newer run has been, and lets that run go on", async () => {
    await withDatabase(async ({ sql }) => {
      await migrate({ sql, database: "acme", migrations: [notes], run: 5 });
      await assert.rejects(migrate({ sql, database: "acme", migrations: [notes, seeded], run: 4 }), {
        code: "superseded",
        message: /^acme: a newer run has migrated it/,
      });
      assert.deepEqual(await rows(sql, "SELECT text FROM notes"), []);
      await migrate({ sql, database: "acme", migrations: [notes, seeded], run: 5 });
    });
  });

  it("refuses a database with another history, applying nothing", async () => {
    await withDatabase(async ({ sql }) => {
      await migrate({ sql, database: "acme", migrations: [notes], run: 1 });
      const edited = { ...notes, hash: "another" };
      await assert.rejects(migrate({ sql, database: "acme", migrations: [edited, seeded], run: 1 }), {
        code: "migration-invalid",
        message: /^acme: migration migrations\/0001_notes\.sql was edited since \(then hash of 0001, now another\)/,
      });
      assert.deepEqual(await rows(sql, "SELECT text FROM notes"), []);
    });
  });

  it("keeps a trigger whole", async () => {
    await withDatabase(async ({ sql }) => {
      const trigger = migration(
        "0002_trigger",
        "CREATE TRIGGER twice AFTER INSERT ON notes WHEN new.text <> 'echo' BEGIN\n  INSERT INTO notes (text) VALUES ('echo');\nEND;\nINSERT INTO notes (text) VALUES ('one');",
      );
      await migrate({ sql, database: "acme", migrations: [notes, trigger], run: 1 });
      assert.deepEqual(await rows(sql, "SELECT text FROM notes"), ["one", "echo"]);
    });
  });

  for (const word of [
    "BEGIN",
    "commit",
    "END",
    "Rollback",
    "SAVEPOINT a",
    "RELEASE a",
    "VACUUM",
    "ATTACH 'b' AS b",
    "DETACH b",
  ]) {
    it(`refuses ${word} before anything is sent`, async () => {
      await withDatabase(async ({ sql }) => {
        const refused = migration("0002_refused", `CREATE TABLE more (x);\n/* it */ -- is\n${word};`);
        const keyword = word.split(" ")[0]!.toUpperCase();
        await assert.rejects(migrate({ sql, database: "acme", migrations: [refused], run: 1 }), {
          code: "migration-invalid",
          message: new RegExp(`"migrations/0002_refused\\.sql", line 3: ${keyword} is refused`),
        });
        assert.deepEqual(await tables(sql), []);
      });
    });
  }

  it("refuses a file without a statement", async () => {
    await withDatabase(async ({ sql }) => {
      const empty = migration("0001_empty", "-- later\n;\n");
      await assert.rejects(migrate({ sql, database: "acme", migrations: [empty], run: 1 }), {
        code: "migration-invalid",
        message: /holds no SQL statement/,
      });
    });
  });
});

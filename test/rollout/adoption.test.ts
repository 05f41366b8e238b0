import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Sql, openSql } from "../../provider/platform/sql";
import { type History, readHistory, readUsualHistory } from "../../provider/rollout/adoption";
import { readLedger } from "../../provider/rollout/ledger";
import { migrate } from "../../provider/rollout/migrate";
import { type Migration, readMigrations } from "../../provider/rollout/source";
import { splitStatements } from "../../provider/rollout/statements";
import { mint } from "../local/api-caller";
import { type Bench, withBench } from "../support/bench";
import { type FaultyLine, openFaultyLine } from "../support/faulty-line";

const fixtures = path.join(__dirname, "..", "fixtures");

interface Tool {
  readonly fixture: string;
  readonly table: string;
  readonly tags: string;
  readonly books: string;
  /** Takes the tool's word for its last migration back. */
  readonly forget: string;
  readonly called: string;
}
const drizzle = {
  fixture: "drizzle",
  table: "__drizzle_migrations",
  tags: "tags",
  books: "books",
  called: "drizzle-kit",
  forget: "DELETE FROM __drizzle_migrations WHERE created_at = (SELECT max(created_at) FROM __drizzle_migrations)",
};
const prisma = {
  fixture: "prisma",
  table: "_prisma_migrations",
  tags: "Tag",
  books: "Book",
  called: "Prisma",
  forget: "DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_tags'",
};
const dbmate = {
  fixture: "dbmate",
  table: "schema_migrations",
  tags: "tags",
  books: "books",
  called: "dbmate",
  forget: "DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)",
};
const tools: Tool[] = [drizzle, { ...drizzle, fixture: "drizzle-folders" }, prisma, dbmate];

interface Scene {
  readonly sql: Sql;
  readonly line: FaultyLine;
  readonly migrations: Migration[];
  migrate(migrations?: readonly Migration[]): Promise<string[]>;
  rows(statement: string): Promise<unknown[]>;
}

/** A database that the tool itself has brought to its last migration, with rows in it; then changed by `statements`. */
async function withDatabaseOf(
  fixture: string | undefined,
  statements: readonly string[],
  use: (scene: Scene) => Promise<void>,
): Promise<void> {
  await withBench(async (bench: Bench) => {
    await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
    const line = await openFaultyLine(bench.platform.url, () => "pass");
    const token = await mint(bench.api, "databases/acme");
    const sql = openSql({ url: `${line.url}/db/acme/`, token: async () => token });
    try {
      const dump = fixture ? readFileSync(path.join(fixtures, fixture, "database.sql"), "utf8") : "";
      const written = splitStatements(dump).filter(({ sql }) => !/^(?:PRAGMA|BEGIN|COMMIT)/.test(sql));
      await sql.batch([...written.map((one) => one.sql), ...statements], "write");
      const { migrations } = readMigrations(path.join(fixtures, fixture ?? "drizzle", "migrations"), "m");
      await use({
        sql,
        line,
        migrations,
        migrate: async (these = migrations) =>
          (await migrate({ sql, database: "acme", migrations: these, run: 3 })).map(({ id }) => id),
        rows: async (statement) => [...(await sql.execute({ sql: statement, args: [] })).rows],
      });
    } finally {
      sql.close();
      await line.close();
    }
  });
}

const hasLedger = async ({ rows }: Scene): Promise<boolean> =>
  (await rows("SELECT 1 FROM sqlite_schema WHERE name = '_tenantry_migrations'")).length > 0;

describe("a history that another tool began", () => {
  for (const { fixture, table, tags, books, forget, called } of tools) {
    it(`is taken over from ${fixture} once, running and changing nothing`, async () => {
      await withDatabaseOf(fixture, [], async (scene) => {
        const before = await scene.rows(`SELECT * FROM ${table}`);
        const schema = await scene.rows(`SELECT sql FROM sqlite_schema WHERE name NOT LIKE '%tenantry%' ORDER BY name`);
        assert.deepEqual(await scene.migrate(), []);
        const ledger = await readLedger(scene.sql);
        assert.deepEqual(
          ledger.map(({ id, hash, run }) => ({ id, hash, run })),
          scene.migrations.map(({ id, hash }) => ({ id, hash, run: 3 })),
        );
        assert.deepEqual(await scene.rows(`SELECT * FROM ${table}`), before);
        assert.deepEqual(
          await scene.rows(`SELECT sql FROM sqlite_schema WHERE name NOT LIKE '%tenantry%' ORDER BY name`),
          schema,
        );
        assert.equal((await scene.rows(`SELECT * FROM ${books}`)).length, 2);
        const calls = scene.line.calls.length;
        assert.deepEqual(await scene.migrate(), []);
        assert.equal(scene.line.calls.length, calls + 1);
      });
    });

    it(`goes on where ${fixture} stopped, in the transaction that takes it over`, async () => {
      await withDatabaseOf(fixture, [forget, `DROP TABLE ${tags}`], async (scene) => {
        const { migrations } = scene;
        const last = migrations.at(-1)!;
        const failing = { ...last, statements: [{ sql: "SELECT nothing", line: 7 }], transaction: true };
        await assert.rejects(scene.migrate([...migrations.slice(0, -1), failing]), {
          code: "migration-failed",
          message: /line 7: .*nothing/s,
        });
        assert.equal(await hasLedger(scene), false);
        assert.deepEqual(await scene.migrate(), [last.id]);
        assert.deepEqual(
          (await readLedger(scene.sql)).map(({ id }) => id),
          migrations.map(({ id }) => id),
        );
        assert.deepEqual(await scene.rows(`SELECT * FROM ${tags}`), []);
        assert.deepEqual(await scene.migrate(), []);
      });
    });

    it(`is refused where ${fixture} applied what the template does not have, or has in other words`, async () => {
      await withDatabaseOf(fixture, [], async (scene) => {
        const { migrations } = scene;
        const [first, second, third, fourth] = migrations as [Migration, Migration, Migration, Migration];
        const refused = async (these: Migration[], message: RegExp) => {
          await assert.rejects(scene.migrate(these), { code: "migration-invalid", message });
        };
        const hash = called === "dbmate" ? "" : " \\(\\w{12}\\)";
        await refused([first, second, third], new RegExp(`^acme: ${called} has applied .*not among the template's`));
        const file = (one: Migration) => `m/\\S*${one.id}\\S*`;
        await refused(
          [first, third, second, fourth],
          new RegExp(`has applied ${file(second)}${hash}, but not ${file(third)}${hash} before it`),
        );
        if (second.recorded?.tool !== "dbmate") {
          const recorded = { ...second.recorded!, checksums: ["f".repeat(64)] };
          await refused(
            [first, { ...second, recorded }, third, fourth],
            new RegExp(`${file(second)} was edited since ${called} applied it: then \\w{12}, now f{12}`),
          );
        }
        const plain = migrations.map((one) => ({ ...one, recorded: undefined }));
        await refused(
          plain,
          new RegExp(`${called} has applied 4 migrations \\(${table}\\), and the template's are not`),
        );
        assert.equal(await hasLedger(scene), false);
      });
    });
  }

  it("counts no migration that Prisma rolled back, and none that it did not finish", async () => {
    const rolledBack =
      "UPDATE _prisma_migrations SET rolled_back_at = 1, finished_at = NULL WHERE migration_name LIKE '%_tags'";
    await withDatabaseOf("prisma", [rolledBack, 'DROP TABLE "Tag"'], async (scene) => {
      assert.deepEqual(await scene.migrate(), [scene.migrations[3]!.id]);
    });
    const failed = "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%_tags'";
    await withDatabaseOf("prisma", [failed], async (scene) => {
      await assert.rejects(scene.migrate(), {
        code: "migration-invalid",
        message: /Prisma began 20261121184004_tags and did not finish it .*prisma migrate resolve/,
      });
      assert.equal(await hasLedger(scene), false);
    });
  });

  it("is not seen in an empty table of that name, nor in an application's own schema_migrations", async () => {
    const theirs = [
      "CREATE TABLE schema_migrations (version TEXT, dirty INT)",
      "INSERT INTO schema_migrations VALUES ('1', 0)",
    ];
    for (const statements of [theirs, ["CREATE TABLE __drizzle_migrations (hash TEXT, created_at)"]]) {
      await withDatabaseOf(undefined, statements, async (scene) => {
        assert.equal((await scene.migrate()).length, 4);
      });
    }
  });

  it("is found in a fleet, where a ledger is asked for first: one call where there is one, and never another's history", async () => {
    for (const { fixture } of tools) {
      await withDatabaseOf(fixture, [], async (scene) => {
        const cost = async (look: (sql: Sql) => Promise<History>) => {
          const calls = scene.line.calls.length;
          return { history: await look(scene.sql), calls: scene.line.calls.length - calls };
        };
        const [usual, careful] = [await cost(readUsualHistory), await cost(readHistory)];
        assert.deepEqual(usual.history, careful.history);
        assert.deepEqual([usual.history.foreign.length, usual.calls, careful.calls], [1, 3, 2]);
        await scene.migrate();
        const known = await cost(readUsualHistory);
        assert.deepEqual(known.history, await readHistory(scene.sql));
        assert.deepEqual([known.history.ledger.length, known.history.foreign, known.calls], [4, [], 1]);
      });
    }
  }).timeout(60_000);

  it("costs one call to look where there is none", async () => {
    await withDatabaseOf(undefined, ["CREATE TABLE theirs (x)"], async (scene) => {
      const calls = scene.line.calls.length;
      await scene.migrate(scene.migrations.slice(0, 1));
      assert.equal(scene.line.calls.length, calls + 2);
    });
  });
});

import assert from "node:assert/strict";
import { SqlError, hasCode } from "../../provider/platform/errors";
import type { Platform } from "../../provider/platform/platform";
import type { Sql } from "../../provider/platform/sql-connection";
import { failure, mint, one, open, platformOf } from "../support/persql/driver";
import { type Persql, withPersql } from "../support/persql/server";

describe("persql driver: tokens", () => {
  it("live from a minute to a day, read, or write rows, and change no tables", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      const bolt = await platform.createDatabase({ name: "bolt", group: "acme" });
      const other = await platform.createDatabase({ name: "nuts", group: "acme" });
      await open(platform, bolt).execute({ sql: "CREATE TABLE t (x INTEGER)", args: [] });
      const spec = { access: "read-write", lifetime: 86_400 } as const;
      const { token, expiresAt } = await platform.mintToken({ database: "bolt" }, spec);
      assert.ok(Math.abs(expiresAt!.getTime() - Date.now() - 86_400_000) < 60_000);
      const [writer, reader] = [
        open(platform, bolt, token),
        open(platform, bolt, await mint(platform, "bolt", "read-only")),
      ];
      await writer.execute({ sql: "INSERT INTO t VALUES (?)", args: [7] });
      assert.deepEqual((await reader.execute({ sql: "SELECT x FROM t", args: [] })).rows, [{ x: 7 }]);
      const refused = [
        writer.execute({ sql: "CREATE TABLE u (x)", args: [] }),
        writer.batch(["DROP TABLE t"], "write"),
        reader.execute({ sql: "INSERT INTO t VALUES (1)", args: [] }),
        reader.batch(["WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a"], "write"),
        open(platform, other, token).execute(one),
      ];
      for (const work of refused) {
        const error: unknown = await work.catch((thrown: unknown) => thrown);
        assert.ok(hasCode(error, "forbidden") || error instanceof SqlError, String(error));
      }
      assert.deepEqual((await reader.execute({ sql: "SELECT count(*) AS n FROM t", args: [] })).rows, [{ n: 1 }]);
      for (const lifetime of [undefined, 59, 86_401]) {
        const error = await failure(platform.mintToken({ database: "bolt" }, { access: "read-only", lifetime }));
        assert.deepEqual([error.code, error.fix], ["unsupported", "Ask for a lifetime from 60s to 24h."]);
      }
      assert.equal((await failure(mint(platform, "bolt", "full-access"))).code, "unsupported");
      const ofGroup = platform.mintToken({ group: "acme" }, { access: "read-only", lifetime: 60 });
      assert.equal((await failure(ofGroup)).code, "unsupported");
      assert.equal((await failure(platform.rotateTokens({ database: "bolt" }))).code, "unsupported");
    });
  });

  it("are renewed once for whoever meets their end", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      const bolt = await platform.createDatabase({ name: "bolt", group: "acme" });
      let minted = 0;
      let token = "psql_live_old";
      const sql = platform.openSql!(
        { name: "bolt", url: platform.databaseUrl(bolt) },
        {
          access: "read-only",
          token: async (refused) => {
            if (refused) {
              minted += 1;
              token = await mint(platform, "bolt", "read-only");
            }
            return token;
          },
        },
      );
      await Promise.all(Array.from({ length: 10 }, () => sql.execute(one)));
      assert.equal(minted, 1);
      // That a tenant's token was refused says nothing of the platform's own.
      assert.ok(await platform.getDatabase("bolt"));
    });
  });
});

describe("persql driver: SQL", () => {
  const withDatabase = (use: (sql: Sql, persql: Persql, platform: Platform) => Promise<void>, provisioning = 0) =>
    withPersql(
      async (persql) => {
        const platform = platformOf(persql);
        await use(open(platform, await platform.createDatabase({ name: "bolt", group: "acme" })), persql, platform);
      },
      { provisioning },
    );

  it("waits until a new database is there", async () => {
    await withDatabase(async (sql) => {
      await sql.ready(10_000);
      assert.deepEqual((await sql.execute(one)).rows, [{ one: 1 }]);
    }, 3);
  });

  it("gives rows by name and by place, and what was changed", async () => {
    await withDatabase(async (sql) => {
      const [, inserted] = await sql.batch(
        ["CREATE TABLE t (id INTEGER PRIMARY KEY, x)", { sql: "INSERT INTO t (x) VALUES (?), (?)", args: ["a", null] }],
        "write",
      );
      assert.deepEqual([inserted!.rowsAffected, inserted!.raw?.lastInsertRowid], [2, 2n]);
      const { rows, raw } = await sql.execute({ sql: "SELECT id, x, 9 AS id FROM t ORDER BY id", args: [] });
      assert.deepEqual(rows, [
        { id: 1, x: "a" },
        { id: 2, x: null },
      ]);
      assert.deepEqual(raw?.rows[0], [1, "a", 9]);
      assert.equal((await sql.execute({ sql: "UPDATE t SET x = 1 WHERE id = 7", args: [] })).rowsAffected, 0);
    });
  });

  it("takes a failed transaction back as a whole, in SQLite's words", async () => {
    await withDatabase(async (sql) => {
      await sql.execute({ sql: "CREATE TABLE t (x UNIQUE)", args: [] });
      const error: unknown = await sql
        .batch(["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"], "write")
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof SqlError && error.code === "SQLITE_CONSTRAINT");
      assert.match(error.message, /UNIQUE constraint failed: t\.x/);
      assert.deepEqual((await sql.execute({ sql: "SELECT * FROM t", args: [] })).rows, []);
    });
  });

  it("refuses before anything is sent what it could not do whole", async () => {
    await withDatabase(async (sql, persql) => {
      const before = persql.requests.length;
      const many = Array.from({ length: 101 }, (_, i) => `CREATE TABLE t${i} (x)`);
      const large = await failure(sql.batch(many, "write"));
      assert.match(
        large.message,
        /at most 100 statements in one transaction, and this one has 101.*Split the migration/,
      );
      const refused = [
        large,
        await failure(sql.batch(["SELECT 1"], "write", { foreignKeys: "off" })),
        await failure(sql.execute({ sql: "SELECT ?", args: [new Uint8Array(1)] })),
        await failure(sql.execute({ sql: "SELECT ?", args: [2n ** 60n] })),
      ];
      assert.deepEqual([...new Set(refused.map(({ code }) => code))], ["unsupported"]);
      assert.equal(persql.requests.length, before);
      // Reads are as many requests as it takes.
      const found = await sql.batch(
        Array.from({ length: 250 }, (_, i) => ({ sql: "SELECT ? AS i", args: [i] })),
        "read",
      );
      assert.deepEqual(
        found.map(({ rows }) => rows[0]!["i"]),
        Array.from({ length: 250 }, (_, i) => i),
      );
    });
  });

  it("goes nowhere but to databases of its own platform", async () => {
    await withDatabase(async (_, __, platform) => {
      for (const url of [
        "https://elsewhere.invalid/v1/db/acme/bolt",
        platform.databaseUrl({ name: "a", hostname: "../users" }),
      ]) {
        assert.throws(() => platform.openSql!({ name: "bolt", url }, { access: "full-access" }), {
          code: "invalid-input",
        });
      }
    });
  });

  it("sends nothing any more once its caller has ended", async () => {
    await withDatabase(async (_, persql, platform) => {
      const ending = new AbortController();
      const url = platform.databaseUrl((await platform.getDatabase("bolt"))!);
      const sql = platform.openSql!({ name: "bolt", url }, { access: "read-only", signal: ending.signal });
      await sql.execute(one);
      const before = persql.requests.length;
      ending.abort();
      await assert.rejects(async () => sql.execute(one));
      assert.equal(persql.requests.length, before);
    });
  });
});

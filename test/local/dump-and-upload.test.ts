import assert from "node:assert/strict";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { after, before, describe, it } from "mocha";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { type Client, createClient } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "./api-caller";

describe("embedded platform: dump and upload", function () {
  this.timeout(60_000);
  let platform: LocalPlatform;
  let folder: string;
  let token: string;
  let readOnly: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "tenantry-upload-"));
    platform = await startLocalPlatform();
    const api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    for (const name of ["full", "copy", "shell", "guarded", "broken"]) {
      await api.ok("POST", "/databases", { name, group: "g" });
    }
    token = await mint(api, "groups/g");
    readOnly = await mint(api, "groups/g", "authorization=read-only");
  });
  after(async () => {
    await platform.close();
    await rm(folder, { recursive: true, force: true });
  });

  const client = (name: string): Client => createClient({ url: platform.databaseUrl(name), authToken: token });
  const dumpOf = async (name: string, bearer = token): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${platform.databaseUrl(name)}dump`, { headers: { authorization: `Bearer ${bearer}` } });
    return { status: answer.status, text: await answer.text() };
  };
  const upload = async (name: string, body: Uint8Array, bearer = token): Promise<{ status: number; text: string }> => {
    const headers = { authorization: `Bearer ${bearer}` };
    const answer = await fetch(`${platform.databaseUrl(name)}v1/upload`, { method: "POST", headers, body });
    return { status: answer.status, text: await answer.text() };
  };
  /** The bytes of a file that `sql` made. */
  const fileOf = async (sql: string): Promise<Uint8Array> => {
    const file = join(folder, "made.db");
    for (const suffix of ["", "-wal", "-shm"]) await rm(file + suffix, { force: true });
    const database = new Database(file);
    database.exec(sql);
    database.close();
    return readFile(file);
  };

  it("a dump makes the same content anew, whatever it is", async () => {
    const full = client("full");
    await full.executeMultiple(`
      CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, "odd ""name" TEXT, v, made AS (id * 2));
      CREATE TABLE child (a TEXT, b REFERENCES parent, PRIMARY KEY (a, b)) WITHOUT ROWID;
      CREATE UNIQUE INDEX by_v ON parent (v);
      CREATE VIEW seen AS SELECT id FROM parent;
      CREATE TABLE log (x);
      CREATE TRIGGER noted AFTER INSERT ON parent BEGIN INSERT INTO log VALUES ('it''s; new'); END;
      CREATE VIRTUAL TABLE words USING fts5 (body);
    `);
    const values = [null, 1n, -(2n ** 63n), 0.1, 1e300, "it's\nö", "nul\0inside", new Uint8Array([0, 255])];
    for (const value of values) {
      await full.execute({ sql: `INSERT INTO parent ("odd ""name", v) VALUES ('x', ?)`, args: [value] });
    }
    await full.executeMultiple(`
      INSERT INTO child VALUES ('k', 1);
      INSERT INTO words (rowid, body) VALUES (7, 'some words'), (9, 'other words');
      DELETE FROM parent WHERE id = 3;
    `);
    const { status, text } = await dumpOf("full");
    assert.equal(status, 200);
    await client("copy").executeMultiple(text.replaceAll(/^(?:BEGIN TRANSACTION|COMMIT);$/gm, ""));

    const questions = [
      'SELECT id, "odd ""name" AS n, typeof(v) AS t, hex(v) AS h, v IS 0.1 AS exact, made FROM parent ORDER BY id',
      "SELECT * FROM child",
      "SELECT * FROM log",
      "SELECT rowid FROM words WHERE words MATCH 'other'",
      "SELECT seq FROM sqlite_sequence",
      "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'words_%' ORDER BY name",
    ];
    for (const sql of questions) {
      assert.deepEqual((await client("copy").execute(sql)).rows, (await full.execute(sql)).rows, sql);
    }
    assert.equal((await dumpOf("full", readOnly)).status, 200);
    assert.equal((await dumpOf("full", "x")).status, 401);
  });

  it("a long dump comes whole", async () => {
    const full = client("full");
    await full.execute(`
      CREATE TABLE long AS
      WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r WHERE x < 5000) SELECT x, printf('%0200d', x) AS y FROM r`);
    const { text } = await dumpOf("full");
    assert.equal(text.match(/^INSERT INTO "long"/gm)?.length, 5000);
    assert.ok(text.endsWith("COMMIT;\n"));
  });

  it("a file becomes the content of an empty database", async () => {
    const made = await fileOf("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2)");
    // It is in use before, as it would be when somebody looked whether it is ready.
    await client("shell").execute("SELECT 1");
    assert.deepEqual(await upload("shell", made), { status: 200, text: "" });
    assert.equal((await client("shell").execute("SELECT sum(x) AS s FROM t")).rows[0]?.s, 3);
    await client("shell").execute("INSERT INTO t VALUES (3)");
    const again = await upload("shell", made);
    assert.equal(again.status, 409, again.text);
    assert.equal((await client("shell").execute("SELECT sum(x) AS s FROM t")).rows[0]?.s, 6);
  });

  it("what is no such file is refused, says why, and leaves nothing behind", async () => {
    const wal = "PRAGMA journal_mode = WAL; CREATE TABLE t (x)";
    const good = await fileOf(wal);
    const broken = new Uint8Array(good);
    // The b-tree page of the table.
    broken.fill(0xee, 4096, 2 * 4096);
    const damagedSchema = new Uint8Array(good);
    damagedSchema.fill(0xee, 100, 200);
    const cases: [Uint8Array, RegExp][] = [
      [new Uint8Array(), /not an SQLite database/],
      [new TextEncoder().encode("hello".repeat(100)), /not an SQLite database/],
      [await fileOf("CREATE TABLE t (x)"), /not in WAL mode/],
      [await fileOf(`PRAGMA page_size = 8192; ${wal}`), /page size/],
      [await fileOf(`PRAGMA auto_vacuum = FULL; ${wal}`), /auto-vacuum/],
      [await fileOf(`PRAGMA encoding = 'UTF-16'; ${wal}`), /UTF-8/],
      [good.slice(0, 4096), /not complete/],
      [damagedSchema, /refused/],
      [broken, /refused/],
      // What would reach out of the database, or tell where it lies, when something in it is asked.
      [
        await fileOf(`${wal}; CREATE VIRTUAL TABLE f USING fts4 (x, compress=lower, uncompress=readfile)`),
        /not authorized .*readfile/,
      ],
      [await fileOf(`${wal}; CREATE VIEW v AS SELECT * FROM 'pragma_database_list'`), /not authorized .*database_list/],
      [
        await fileOf(
          `${wal}; PRAGMA writable_schema = 1; INSERT INTO sqlite_schema VALUES ('view', 'v', 'v', 0, ` +
            `CAST('CREATE VIEW v AS SELECT * FROM pragma_database_list' AS BLOB))`,
        ),
        /refused/,
      ],
    ];
    for (const [bytes, why] of cases) {
      const { status, text } = await upload("broken", bytes);
      assert.equal(status, 400, `${why}: ${text}`);
      assert.match(text, why);
    }
    assert.equal((await client("broken").execute("SELECT count(*) AS n FROM sqlite_schema")).rows[0]?.n, 0);
    const files = readdirSync(join(platform.directory, "databases"), { recursive: true, encoding: "utf8" });
    assert.deepEqual(
      files.filter((name) => !/(?:^|[\\/])[\w-]+(?:\.db(?:-wal|-shm)?)?$/.test(name)),
      [],
    );
  });

  it("an upload takes a token that may write, and a length", async () => {
    const made = await fileOf("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    assert.equal((await upload("guarded", made, readOnly)).status, 403);
    assert.equal((await upload("guarded", made, "x")).status, 401);
    const chunked = await fetch(`${platform.databaseUrl("guarded")}v1/upload`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: new Blob([made]).stream(),
      duplex: "half",
    } as RequestInit);
    assert.equal(chunked.status, 400);
    assert.match(await chunked.text(), /Content-Length/);
  });

  it("an upload to a database that is deleted meanwhile is refused, and leaves no file", async () => {
    const made = await fileOf("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    const api = apiCaller(platform, "local");
    const folderOf = join(platform.directory, "databases", "local");
    const before = readdirSync(folderOf);
    await api.ok("POST", "/databases", { name: "leaving", group: "g" });
    const { hostname, port, pathname } = new URL(`${platform.databaseUrl("leaving")}v1/upload`);
    const headers = { authorization: `Bearer ${token}`, "content-length": made.length };
    const upload = request({ hostname, port, path: pathname, method: "POST", headers });
    const answered = once(upload, "response") as Promise<[IncomingMessage]>;
    upload.write(made.subarray(0, 4096));
    // It has been let in once its file is there.
    const isThere = (): boolean => readdirSync(folderOf).some((name) => /\.db\.[0-9a-f]+$/.test(name));
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 10));
    await api.ok("DELETE", "/databases/leaving");
    upload.end(made.subarray(4096));
    const [answer] = await answered;
    answer.resume();
    assert.equal(answer.statusCode, 404);
    assert.deepEqual(
      readdirSync(folderOf).filter((name) => name.endsWith(".db") && !before.includes(name)),
      [],
    );
  });

  it("who may no longer come in when the body is there is refused", async () => {
    const api = apiCaller(platform, "local");
    await api.ok("POST", "/databases", { name: "closing", group: "g" });
    const own = await mint(api, "databases/closing");
    const made = await fileOf("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
    const statement = { type: "execute", stmt: { sql: "CREATE TABLE late (x)" } };
    const bodies: [string, Uint8Array][] = [
      ["v2/pipeline", Buffer.from(JSON.stringify({ requests: [statement, { type: "close" }] }))],
      ["v1/upload", made],
    ];
    const sent = [];
    for (const [path, body] of bodies) {
      const { hostname, port, pathname } = new URL(platform.databaseUrl("closing") + path);
      // Each is let in by the server's word to go on.
      const headers = { authorization: `Bearer ${own}`, "content-length": body.length, expect: "100-continue" };
      const open = request({ hostname, port, path: pathname, method: "POST", headers });
      open.flushHeaders();
      await once(open, "continue");
      open.write(body.subarray(0, 5));
      sent.push({ open, rest: body.subarray(5), answered: once(open, "response") as Promise<[IncomingMessage]> });
    }
    assert.equal((await api("POST", "/databases/closing/auth/rotate")).status, 200);
    for (const { open, rest, answered } of sent) {
      open.end(rest);
      const [answer] = await answered;
      answer.resume();
      assert.equal(answer.statusCode, 401);
    }
    assert.equal((await client("closing").execute("SELECT count(*) AS n FROM sqlite_schema")).rows[0]?.n, 0);
  });

  it("a dump that is asked for without its content keeps nothing open", async () => {
    const made = await apiCaller(platform, "local").ok<{ database: { DbId: string } }>("POST", "/databases", {
      name: "head",
      group: "g",
    });
    await client("head").executeMultiple(`
      CREATE TABLE t (x);
      INSERT INTO t WITH RECURSIVE r (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r LIMIT 50000) SELECT x FROM r;`);
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${platform.databaseUrl("head")}dump`, { method: "HEAD", headers });
    assert.equal(answer.status, 200);
    await client("head").execute("INSERT INTO t VALUES (0)");
    const own = new Database(join(platform.directory, "databases", "local", `${made.database.DbId}.db`));
    try {
      // A reader in the middle of its snapshot would keep the log from being emptied.
      const isBusy = (): unknown => (own.prepare("PRAGMA wal_checkpoint(TRUNCATE)").raw().get([]) as unknown[])[0];
      const deadline = performance.now() + 10_000;
      while (isBusy() !== 0) {
        assert.ok(performance.now() < deadline, "the dump was never ended");
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      own.close();
    }
  });
});

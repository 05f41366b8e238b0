import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { hasCode } from "../../provider/platform/errors";
import type { Platform, PlatformDatabase } from "../../provider/platform/platform";
import { openSql } from "../../provider/platform/sql";
import { type SqldFate, faultySqld } from "../support/faulty-sqld";
import { type S3, serveS3 } from "../support/s3";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";

async function run(platform: Platform, database: PlatformDatabase, sql: string) {
  const { token } = await platform.mintToken({ database: database.name }, { access: "full-access", lifetime: 600 });
  const opened = openSql({ url: platform.databaseUrl(database), token: async () => token });
  return opened.execute({ sql, args: [] }).finally(() => opened.close());
}

describeWithSqld("libsql-server driver, where the server keeps backups", () => {
  let s3: S3;
  let sqld: ServedSqld;
  let platform: Platform;
  let source: PlatformDatabase;
  /** Between its first note and its second. */
  let between: string;

  /** Until a backup of it is there that is not in `before`. */
  const backedUp = async (before: readonly string[]): Promise<void> => {
    const isNew = (key: string): boolean => /:source-.*\.zstd$/.test(key) && !before.includes(key);
    for (const until = Date.now() + 60_000; !s3.keys().some(isNew); await sleep(50)) {
      assert.ok(Date.now() < until, `no backup among ${s3.keys().join(", ")}`);
    }
  };
  /** Backups are told apart by the second. */
  const nextSecond = (): Promise<void> => sleep(1_000 - (Date.now() % 1_000) + 5);

  before(async () => {
    s3 = await serveS3();
    sqld = await serveSqld({
      environment: {
        SQLD_ENABLE_BOTTOMLESS_REPLICATION: "true",
        LIBSQL_BOTTOMLESS_ENDPOINT: s3.url,
        LIBSQL_BOTTOMLESS_BUCKET: "tenants",
        LIBSQL_BOTTOMLESS_DATABASE_ID: "tenants",
        LIBSQL_BOTTOMLESS_AWS_ACCESS_KEY_ID: "tenantry",
        LIBSQL_BOTTOMLESS_AWS_SECRET_ACCESS_KEY: "secret of s3",
        LIBSQL_BOTTOMLESS_AWS_DEFAULT_REGION: "us-east-1",
        LIBSQL_BOTTOMLESS_BATCH_INTERVAL_SECS: "1",
      },
    });
    platform = sqld.platform();
    await platform.createGroup({ name: "eu", location: "default" });
    source = await platform.createDatabase({ name: "source", group: "eu" });
    // At once, so that one backup has all of it.
    await run(platform, source, "CREATE TABLE notes AS SELECT 'first' AS text");
    await backedUp([]);
    await nextSecond();
    between = new Date().toISOString();
    await nextSecond();
    const known = s3.keys();
    await run(platform, source, "INSERT INTO notes VALUES ('second')");
    await backedUp(known);
  });
  after(async () => {
    await sqld?.close();
    await s3?.close();
  });

  it("copies as of a moment, and opens the copy by its own tokens", async () => {
    const seed = { database: "source", timestamp: between };
    const copy = await platform.createDatabase({ name: "then", group: "eu", seed });
    assert.deepEqual((await run(platform, copy, "SELECT text FROM notes")).rows, [{ text: "first" }]);
    assert.equal((await run(platform, source, "SELECT text FROM notes")).rows.length, 2);
  });

  it("refuses a moment of which there is no backup, although the server answers with an empty database", async () => {
    const raw = await sqld.admin("POST", "/v1/namespaces/source/fork/raw", { timestamp: "2026-01-01T00:00:00" });
    assert.equal(raw.status, 200, "the server says so itself by now, and need not be asked");
    const seed = { database: "source", timestamp: "2026-01-01T00:00:00Z" };
    await assert.rejects(
      platform.createDatabase({ name: "past", group: "eu", seed }),
      (error) => hasCode(error, "unsupported") && /nothing of it from then/.test(error.message),
    );
    assert.equal(await platform.getDatabase("past"), undefined);
    assert.equal((await sqld.admin("GET", "/v1/namespaces/past/config")).status, 404);
    assert.equal((await platform.createDatabase({ name: "past", group: "eu" })).name, "past");
  });

  it("shows nobody an empty database for it, wherever the process ends", async () => {
    const seed = { database: "source", timestamp: "2026-01-01T00:00:00Z" };
    for (const fate of ["drop-and-die", "lose-and-die"] satisfies SqldFate[]) {
      for (let n = 1; ; n++) {
        const [name, how] = [`${fate}-${n}`, `${fate} at request ${n}`];
        const line = await faultySqld(sqld, (call) => (call.n === n ? fate : "pass"));
        await assert.rejects(line.platform.createDatabase({ name, group: "eu", seed }), how);
        await line.close();
        assert.equal(await platform.getDatabase(name), undefined, how);
        assert.equal((await sqld.admin("GET", `/v1/namespaces/${name}/config`)).status, 404, how);
        if (line.calls.length < n) break;
      }
    }
  });
});

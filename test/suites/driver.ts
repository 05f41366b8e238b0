import assert from "node:assert/strict";
import { hasCode } from "../../provider/platform/errors";
import { type Platform, type PlatformDatabase, scopeText } from "../../provider/platform/platform";
import { type Sql, openSql } from "../../provider/platform/sql";

export interface DriverUnderTest {
  readonly platform: Platform;
  /** A code that groups can be put in. */
  readonly location: string;
  close(): Promise<void>;
}

/** What every driver must do, whatever its platform: run against a real one, started by `start`. */
export function describeDriver(name: string, start: () => Promise<DriverUnderTest>): void {
  describe(`driver conformance: ${name}`, () => {
    let driver: DriverUnderTest;
    let platform: Platform;
    let group: string;
    const open: Sql[] = [];

    before(async () => {
      driver = await start();
      ({ platform } = driver);
      group = fresh("group");
      await platform.createGroup({ name: group, location: driver.location });
    });
    after(async () => {
      for (const sql of open) sql.close();
      await driver?.close();
    });

    const create = (spec: { name?: string; seed?: { database: string } } = {}) =>
      platform.createDatabase({ name: fresh("db"), group, ...spec });

    const sqlOn = async (database: PlatformDatabase, access: "read-only" | "full-access" = "full-access") => {
      const { token } = await platform.mintToken({ database: database.name }, { access, lifetime: 600 });
      const sql = openSql({ url: platform.databaseUrl(database), token: async () => token });
      open.push(sql);
      await sql.ready(10_000);
      return sql;
    };

    it("stays in one scope", async () => {
      const scope = scopeText(await platform.scope());
      assert.equal(scopeText(await platform.scope()), scope);
      assert.ok(scope.startsWith(`${platform.name}:`));
    });

    it("lists locations, the one under test among them", async () => {
      const locations = await platform.listLocations();
      assert.ok(locations.some(({ code }) => code === driver.location));
      assert.ok(locations.every(({ description }) => description.length > 0));
    });

    it("tells what every database uses", async () => {
      const database = await create();
      const [used, ...more] = (await platform.usage()).filter(({ id }) => id === database.id);
      assert.deepEqual(more, []);
      for (const count of [used?.rowsRead, used?.rowsWritten, used?.storageBytes, used?.bytesSynced]) {
        assert.ok(count !== undefined && count >= 0, String(count));
      }
      await platform.deleteDatabase(database.name);
    });

    it("tells what it knows of the account, and counts what is there", async () => {
      const account = await platform.account();
      assert.ok(
        account.tokenExpiry === undefined || account.tokenExpiry === "never" || account.tokenExpiry > new Date(),
      );
      assert.deepEqual(account.quotas.map(({ what }) => what).sort(), ["databases", "groups"]);
      for (const { used, limit } of account.quotas) {
        assert.ok(used === undefined || used >= 0);
        assert.ok(limit === undefined || limit === "unlimited" || limit >= 0);
      }
      const groups = account.quotas.find(({ what }) => what === "groups")?.used;
      assert.ok(groups === undefined || groups >= (await platform.listGroups()).length);
    });

    describe("groups", () => {
      it("creates, finds, lists and deletes; absence is undefined and success", async () => {
        const name = fresh("group");
        assert.equal(await platform.getGroup(name), undefined);
        const made = await platform.createGroup({ name, location: driver.location });
        assert.deepEqual([made.name, made.location, made.archived], [name, driver.location, false]);
        assert.ok(made.id.length > 0);
        assert.equal((await platform.getGroup(name))?.id, made.id);
        assert.ok((await platform.listGroups()).some(({ id }) => id === made.id));
        await platform.deleteGroup(name);
        await platform.deleteGroup(name);
        assert.equal(await platform.getGroup(name), undefined);
      });

      it("refuses a taken name and an unknown location by name", async () => {
        await assert.rejects(platform.createGroup({ name: group, location: driver.location }), {
          code: "already-exists",
        });
        const nowhere = platform.createGroup({ name: fresh("group"), location: "mars" });
        await assert.rejects(
          nowhere,
          (error) => hasCode(error, "unknown-location") && error.message.includes(driver.location),
        );
      });

      it("takes its databases along", async () => {
        const name = fresh("group");
        await platform.createGroup({ name, location: driver.location });
        const inside = await platform.createDatabase({ name: fresh("db"), group: name });
        await platform.deleteGroup(name);
        assert.equal(await platform.getDatabase(inside.name), undefined);
      });

      it("keeps a protected one", async function () {
        if (!platform.capabilities.deleteProtection) return;
        const name = fresh("group");
        await platform.createGroup({ name, location: driver.location });
        await platform.configureGroup(name, { deleteProtection: true });
        await assert.rejects(platform.deleteGroup(name), { code: "protected" });
        await platform.configureGroup(name, { deleteProtection: false });
        await platform.deleteGroup(name);
      });
    });

    describe("databases", () => {
      it("creates, finds, lists and deletes; absence is undefined and success", async () => {
        const name = fresh("db");
        assert.equal(await platform.getDatabase(name), undefined);
        assert.equal(await platform.getConfiguration(name), undefined);
        const made = await create({ name });
        assert.equal(made.name, name);
        assert.ok(made.id.length > 0);
        const found = await platform.getDatabase(name);
        assert.deepEqual([found?.id, found?.hostname, found?.group], [made.id, made.hostname, group]);
        assert.ok((await names(platform, group)).includes(name));
        await platform.deleteDatabase(name);
        await platform.deleteDatabase(name);
        assert.equal(await platform.getDatabase(name), undefined);
        assert.ok(!(await names(platform, group)).includes(name));
      });

      it("gives a name used again another id", async () => {
        const first = await create();
        await platform.deleteDatabase(first.name);
        const second = await create({ name: first.name });
        assert.notEqual(second.id, first.id);
      });

      it("lists by group", async () => {
        const other = fresh("group");
        await platform.createGroup({ name: other, location: driver.location });
        const here = await create();
        const there = await platform.createDatabase({ name: fresh("db"), group: other });
        assert.deepEqual(await names(platform, other), [there.name]);
        const all = await names(platform);
        assert.ok(all.includes(here.name) && all.includes(there.name));
      });

      it("refuses a taken name and an unknown group by name", async () => {
        const { name } = await create();
        await assert.rejects(create({ name }), { code: "already-exists", afterLostReply: false });
        const nowhere = platform.createDatabase({ name: fresh("db"), group: fresh("nowhere") });
        await assert.rejects(nowhere, { code: "group-not-found" });
      });

      it("makes one of many that ask for the same name at the same time", async () => {
        const name = fresh("db");
        const results = await Promise.allSettled(Array.from({ length: 8 }, () => create({ name })));
        assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
        for (const result of results) {
          if (result.status === "rejected") assert.ok(hasCode(result.reason, "already-exists"), String(result.reason));
        }
      });

      it("starts as a copy, that then goes its own way", async function () {
        if (!platform.capabilities.seedFromDatabase) return;
        const source = await create();
        const original = await sqlOn(source);
        await original.batch(["CREATE TABLE t (x INTEGER)", "INSERT INTO t VALUES (1)"], "write");
        const copy = await create({ seed: { database: source.name } });
        const copied = await sqlOn(copy);
        await copied.execute({ sql: "INSERT INTO t VALUES (2)", args: [] });
        assert.deepEqual(await column(copied, "SELECT x FROM t ORDER BY x"), [1, 2]);
        assert.deepEqual(await column(original, "SELECT x FROM t"), [1]);
        const missing = create({ seed: { database: fresh("nowhere") } });
        await assert.rejects(missing, { code: "database-not-found" });
      });

      it("changes exactly what is named in a configuration", async () => {
        const { name } = await create();
        const { block, allowedIps, deleteProtection } = platform.capabilities;
        if (block) {
          await platform.configureDatabase(name, { blockWrites: true });
          const { blockReads, blockWrites } = (await platform.getConfiguration(name))!;
          assert.deepEqual([blockReads ?? false, blockWrites], [false, true]);
        }
        if (allowedIps) {
          await platform.configureDatabase(name, { allowedIps: ["10.0.0.1"] });
          assert.deepEqual((await platform.getConfiguration(name))?.allowedIps, ["10.0.0.1"]);
          if (block) assert.equal((await platform.getConfiguration(name))?.blockWrites, true);
          await platform.configureDatabase(name, { allowedIps: [] });
          assert.deepEqual((await platform.getConfiguration(name))?.allowedIps ?? [], []);
        }
        if (deleteProtection) {
          await platform.configureDatabase(name, { deleteProtection: true });
          await assert.rejects(platform.deleteDatabase(name), { code: "protected" });
          await platform.configureDatabase(name, { deleteProtection: false });
          await platform.deleteDatabase(name);
        }
        const missing = platform.configureDatabase(fresh("nowhere"), { blockWrites: true });
        await assert.rejects(missing, { code: "database-not-found" });
      });
    });

    describe("tokens", () => {
      it("open the database for as long as asked", async () => {
        const database = await create();
        const before = Date.now();
        const minted = await platform.mintToken(
          { database: database.name },
          { access: "full-access", lifetime: 3_600 },
        );
        const lifetime = minted.expiresAt!.getTime() - before;
        assert.ok(lifetime > 3_590_000 && lifetime < 3_620_000, `${lifetime} ms`);
        const forever = await platform.mintToken({ group }, { access: "full-access", lifetime: undefined });
        assert.equal(forever.expiresAt, undefined);
        const sql = openSql({ url: platform.databaseUrl(database), token: async () => forever.token });
        open.push(sql);
        await sql.ready(10_000);
        assert.deepEqual(await column(sql, "SELECT 7 AS x"), [7]);
      });

      it("of kind read-only read and do not write", async () => {
        const database = await create();
        const writer = await sqlOn(database);
        await writer.execute({ sql: "CREATE TABLE t (x INTEGER)", args: [] });
        const reader = await sqlOn(database, "read-only");
        assert.deepEqual(await column(reader, "SELECT x FROM t"), []);
        await assert.rejects(reader.execute({ sql: "INSERT INTO t VALUES (1)", args: [] }));
        assert.deepEqual(await column(writer, "SELECT x FROM t"), []);
      });

      it("of one database do not open another", async () => {
        const [mine, other] = [await create(), await create()];
        const { token } = await platform.mintToken({ database: mine.name }, { access: "full-access", lifetime: 600 });
        await sqlOn(other);
        const sql = openSql({ url: platform.databaseUrl(other), token: async () => token });
        open.push(sql);
        await assert.rejects(sql.execute({ sql: "SELECT 1", args: [] }));
      });

      it("are for databases that exist", async () => {
        const spec = { access: "read-only", lifetime: 600 } as const;
        await assert.rejects(platform.mintToken({ database: fresh("nowhere") }, spec), { code: "database-not-found" });
        await assert.rejects(platform.mintToken({ group: fresh("nowhere") }, spec), { code: "group-not-found" });
        await assert.rejects(platform.rotateTokens({ database: fresh("nowhere") }), { code: "database-not-found" });
      });

      it("refuse rights the platform does not have", async () => {
        const { tokenAccess } = platform.capabilities;
        const { name } = await create();
        for (const access of ["read-only", "read-write", "full-access"] as const) {
          const minted = platform.mintToken({ database: name }, { access, lifetime: 600 });
          if (tokenAccess.includes(access)) await minted;
          else await assert.rejects(minted, { code: "unsupported" });
        }
      });

      it("can be rotated, and new ones minted", async () => {
        const database = await create();
        await platform.rotateTokens({ database: database.name });
        const sql = await sqlOn(database);
        assert.deepEqual(await column(sql, "SELECT 1 AS x"), [1]);
      });
    });
  });
}

let count = 0;

function fresh(kind: string): string {
  count += 1;
  return `${kind}-${Date.now().toString(36)}-${process.pid}-${count}`;
}

async function names(platform: Platform, group?: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { name } of platform.listDatabases(group ? { group } : undefined)) all.push(name);
  return all;
}

async function column(sql: Sql, text: string): Promise<unknown[]> {
  return (await sql.execute({ sql: text, args: [] })).rows.map((row) => Object.values(row)[0]);
}

import assert from "node:assert/strict";
import { hasCode } from "../../provider/platform/errors";
import {
  type Access,
  type DatabaseSpec,
  type PartSpec,
  type Platform,
  type PlatformDatabase,
  scopeText,
} from "../../provider/platform/platform";
import { type Sql, openSql } from "../../provider/platform/sql";
import type { ProvenFlag } from "../../tools/capabilities/rows";
import { describeCapabilities } from "./driver-capabilities";

export interface DriverUnderTest {
  readonly platform: Platform;
  /** A code that groups can be put in. */
  readonly location: string;
  /** A group that exists, where none can be created; it may hold databases that the suite does not know. */
  readonly group?: string;
  /** What the platform does for some databases only, and refuses for others. */
  readonly perDatabase?: readonly ProvenFlag[];
  /** What a tenant is made of, where it has to be said. */
  readonly parts?: readonly PartSpec[];
  /** What one is made of that can go back to a moment, where that is another. */
  readonly partsWithMoments?: readonly PartSpec[];
  /** Rows of a database, past the driver, where that runs no SQL on tenants. */
  readonly rows?: RowsOf;
  /** Has a query in the database's log, where the driver's own are not there. */
  readonly logged?: (database: string, query: string) => Promise<void>;
  /** Where a tenant is, past the driver. */
  readonly regionOf?: (database: string) => string | undefined;
  /** `directory`: what people do for themselves. */
  readonly people?: PeopleUnderTest;
  close(): Promise<void>;
}

export interface RowsOf {
  insert(database: string, count: number): Promise<void>;
  count(database: string): Promise<number>;
}

export interface PeopleUnderTest {
  /** Makes an account. */
  signUp(username: string, email: string): Promise<void>;
  accept(email: string, username: string): Promise<void>;
  /** Whether the platform's API takes the token. */
  isTaken(apiToken: string): Promise<boolean>;
}

/** The driver under test, with what most of its tests do. */
export interface Stage {
  readonly platform: Platform;
  readonly location: string;
  readonly group: string;
  readonly perDatabase: readonly ProvenFlag[];
  readonly parts: readonly PartSpec[] | undefined;
  readonly people: PeopleUnderTest | undefined;
  readonly regionOf: DriverUnderTest["regionOf"];
  create(spec?: Partial<DatabaseSpec>): Promise<PlatformDatabase>;
  /** SQL on a database with a token for it, once it answers. */
  sqlOn(database: PlatformDatabase, access?: Access): Promise<Sql>;
  /** SQL with a token that the test has. */
  sqlWith(database: PlatformDatabase, token: string): Sql;
}

/**
 * What every driver must do, whatever its platform: run against a real one, started by `start`. What its platform cannot
 * do by its own word (`capabilities`) is left out of the general part; that it is refused then is tested with the flags.
 */
export function describeDriver(name: string, start: () => Promise<DriverUnderTest>): void {
  describe(`driver conformance: ${name}`, () => {
    let driver: DriverUnderTest;
    let platform: Platform;
    let group: string;
    const open: Sql[] = [];

    before(async () => {
      driver = await start();
      ({ platform } = driver);
      group = driver.group ?? fresh("group");
      if (platform.capabilities.createsGroups) await platform.createGroup({ name: group, location: driver.location });
      else assert.ok(driver.group !== undefined, "a platform that makes no groups has to have one");
    });
    after(async () => {
      for (const sql of open) sql.close();
      await driver?.close();
    });

    const create = (spec: Partial<DatabaseSpec> = {}) =>
      platform.createDatabase({ name: fresh("db"), group, parts: driver.parts, ...spec });

    const sqlWith = (database: PlatformDatabase, token: string): Sql => {
      const url = platform.databaseUrl(database);
      const sql =
        platform.openSql?.({ name: database.name, url }, { access: "full-access", token: async () => token }) ??
        openSql({ url, token: async () => token });
      open.push(sql);
      return sql;
    };

    const sqlOn = async (database: PlatformDatabase, access: Access = "full-access") => {
      if (!platform.capabilities.tokenAccess.includes(access) && platform.openSql) {
        // What no token may do, the driver's own credential may.
        const sql = platform.openSql({ name: database.name, url: platform.databaseUrl(database) }, { access });
        open.push(sql);
        await sql.ready(10_000);
        return sql;
      }
      const { token } = await platform.mintToken({ database: database.name }, { access, lifetime: 600 });
      const sql = sqlWith(database, token);
      await sql.ready(10_000);
      return sql;
    };

    const stage = (): Stage => ({
      ...{ platform, location: driver.location, group, perDatabase: driver.perDatabase ?? [] },
      ...{ parts: driver.parts, people: driver.people, regionOf: driver.regionOf },
      ...{ create, sqlOn, sqlWith },
    });
    describeCapabilities(stage);

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
        if (!platform.capabilities.createsGroups) {
          assert.equal((await platform.getGroup(group))?.name, group);
          assert.ok((await platform.listGroups()).some((one) => one.name === group));
          return;
        }
        const made = await platform.createGroup({ name, location: driver.location });
        assert.deepEqual([made.name, made.location, made.archived], [name, driver.location, false]);
        assert.ok(made.id.length > 0);
        assert.equal((await platform.getGroup(name))?.id, made.id);
        assert.ok((await platform.listGroups()).some(({ id }) => id === made.id));
        await platform.deleteGroup(name);
        await platform.deleteGroup(name);
        assert.equal(await platform.getGroup(name), undefined);
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
        if (!platform.capabilities.deletes) return;
        await platform.deleteDatabase(name);
        await platform.deleteDatabase(name);
        assert.equal(await platform.getDatabase(name), undefined);
        assert.ok(!(await names(platform, group)).includes(name));
      });

      it("lists by group", async () => {
        const other = fresh("group");
        const here = await create();
        assert.deepEqual(await names(platform, other), []);
        assert.ok((await names(platform, group)).includes(here.name));
        if (!platform.capabilities.createsGroups) return;
        await platform.createGroup({ name: other, location: driver.location });
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

      it("changes nothing where nothing is", async () => {
        const { block, deleteProtection } = platform.capabilities;
        const change = block ? { blockWrites: true } : deleteProtection ? { deleteProtection: true } : undefined;
        if (!change) return;
        const missing = platform.configureDatabase(fresh("nowhere"), change);
        await assert.rejects(missing, { code: "database-not-found" });
      });
    });

    describe("tokens", () => {
      /** What a platform without tokens says is tested with its flags. */
      const withTokens = (title: string, test: () => Promise<void>) =>
        it(title, async () => {
          if (platform.capabilities.tokenAccess.length > 0) await test();
        });

      withTokens("open the database for as long as asked", async () => {
        const database = await create();
        const before = Date.now();
        const spec = { access: "read-only", lifetime: 3_600 } as const;
        const minted = await platform.mintToken({ database: database.name }, spec);
        const lifetime = minted.expiresAt!.getTime() - before;
        assert.ok(lifetime > 3_590_000 && lifetime < 3_620_000, `${lifetime} ms`);
        const sql = sqlWith(database, minted.token);
        await sql.ready(10_000);
        assert.deepEqual(await column(sql, "SELECT 7 AS x"), [7]);
      });

      withTokens("of kind read-only read and do not write", async () => {
        const database = await create();
        const writer = await sqlOn(database);
        await writer.execute({ sql: "CREATE TABLE t (x INTEGER)", args: [] });
        const reader = await sqlOn(database, "read-only");
        assert.deepEqual(await column(reader, "SELECT x FROM t"), []);
        await assert.rejects(reader.execute({ sql: "INSERT INTO t VALUES (1)", args: [] }));
        assert.deepEqual(await column(writer, "SELECT x FROM t"), []);
      });

      withTokens("of one database do not open another", async () => {
        const [mine, other] = [await create(), await create()];
        const { token } = await platform.mintToken({ database: mine.name }, { access: "read-only", lifetime: 600 });
        await sqlOn(other, "read-only");
        const sql = sqlWith(other, token);
        await assert.rejects(sql.execute({ sql: "SELECT 1", args: [] }));
      });

      withTokens("are for databases that exist", async () => {
        const spec = { access: "read-only", lifetime: 600 } as const;
        await assert.rejects(platform.mintToken({ database: fresh("nowhere") }, spec), { code: "database-not-found" });
        const { groupTokens, rotation } = platform.capabilities;
        if (groupTokens)
          await assert.rejects(platform.mintToken({ group: fresh("nowhere") }, spec), { code: "group-not-found" });
        if (rotation !== "none")
          await assert.rejects(platform.rotateTokens({ database: fresh("nowhere") }), { code: "database-not-found" });
      });
    });
  });
}

let count = 0;

/** A name that nothing has. */
export function fresh(kind: string): string {
  count += 1;
  // Valid everywhere: some platforms take no dashes.
  return `${kind}x${Date.now().toString(36)}x${process.pid}x${count}`;
}

async function names(platform: Platform, group?: string): Promise<string[]> {
  const all: string[] = [];
  for await (const { name } of platform.listDatabases(group ? { group } : undefined)) all.push(name);
  return all;
}

export async function column(sql: Sql, text: string): Promise<unknown[]> {
  return (await sql.execute({ sql: text, args: [] })).rows.map((row) => Object.values(row)[0]);
}

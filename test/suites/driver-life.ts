import assert from "node:assert/strict";
import { hasCode } from "../../provider/platform/errors";
import type { Capabilities } from "../../provider/platform/capabilities";
import type { Life } from "../../provider/platform/life";
import type { Platform } from "../../provider/platform/platform";
import { openSql } from "../../provider/platform/sql";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { readers } from "../../sdk/cli/readers";
import { refusalOf } from "../../sdk/cli/tenant/reader";
import { type DriverUnderTest, type RowsOf, fresh } from "./driver";

/** Which flag says that a method is there. */
const flags: { readonly [Method in keyof Life]-?: (of: Capabilities) => boolean } = {
  softDeleteDatabase: (of) => of.softDelete,
  undeleteDatabase: (of) => of.softDelete,
  trashedDatabase: (of) => of.softDelete,
  countRows: (of) => of.softDelete,
  listBackups: (of) => of.backups,
  takeBackup: (of) => of.backupOnDemand,
  restoreDatabase: (of) => of.restoreInPlace.length > 0,
  undoRestore: (of) => of.restoreUndo > 0,
  logs: (of) => of.logs,
  metrics: (of) => of.metrics,
  statistics: (of) => of.statistics,
  instances: (of) => of.instances,
};

/**
 * What every driver can tell and do about one database beside making, setting and deleting it: what its flags say works,
 * and what they deny is refused, at check or by the command that would ask for it.
 */
export function describeLife(name: string, start: () => Promise<DriverUnderTest>): void {
  describe(`life of a database: ${name}`, () => {
    let driver: DriverUnderTest;
    let platform: Platform;
    let group: string;
    let database: string;
    const nobody = "nobodyatall";
    const missing = (call: Promise<unknown>): Promise<void> => assert.rejects(call, { code: "database-not-found" });

    const create = async (parts = driver.parts): Promise<string> => {
      const made = await platform.createDatabase({ name: fresh("life"), group, parts });
      await platform.awaitDatabase?.(made.name, 60_000);
      return made.name;
    };

    /** By SQL with a token, where the driver's platform has that. */
    const bySql: RowsOf = {
      async insert(of, count) {
        const sql = await sqlOn(of);
        const values = Array.from({ length: count }, (_, i) => `(${i})`).join(", ");
        await sql.batch(["CREATE TABLE IF NOT EXISTS t (x)", `INSERT INTO t VALUES ${values}`], "write");
        await sql.execute({ sql: "SELECT x FROM t", args: [] });
        sql.close();
      },
      async count(of) {
        const sql = await sqlOn(of);
        const { rows } = await sql.execute({ sql: "SELECT count(*) AS n FROM t", args: [] });
        sql.close();
        return Number(rows[0]!["n"]);
      },
    };
    const sqlOn = async (of: string) => {
      const url = platform.databaseUrl((await platform.getDatabase(of))!);
      const mint = async () => platform.mintToken({ database: of }, { access: "full-access", lifetime: 600 });
      const sql =
        platform.openSql?.({ name: of, url }, { access: "full-access" }) ??
        openSql({ url, token: async () => (await mint()).token });
      await sql.ready(10_000);
      return sql;
    };
    const rows = (): RowsOf => driver.rows ?? bySql;

    /** What a program says that has the tenant already. */
    const failuresOf = (more: object): readonly string[] => {
      const known = { self: "organization/shop/dev/acme", name: "acme", group: "eu" };
      const olds = { ...known, ...(driver.parts ? { databases: driver.parts } : {}) };
      const { capabilities, name: of } = platform;
      return tenantDatabase.check({ news: { ...olds, ...more }, olds: olds as never, capabilities, platform: of })
        .failures;
    };
    const refused = (more: object, path: string): void => {
      const failures = failuresOf(more);
      assert.equal(failures.length, 1, failures.join("\n"));
      assert.ok(failures[0]!.startsWith(path) && failures[0]!.includes(platform.name), failures[0]);
    };

    before(async function () {
      this.timeout(60_000);
      driver = await start();
      ({ platform } = driver);
      group = driver.group ?? fresh("group");
      if (platform.capabilities.createsGroups) await platform.createGroup({ name: group, location: driver.location });
      database = await create();
      await rows().insert(database, 1);
    });
    after(() => driver?.close());

    it("has the methods that its flags say, and no others", () => {
      for (const [method, has] of Object.entries(flags)) {
        assert.equal(platform[method as keyof Life] !== undefined, has(platform.capabilities), method);
      }
    });

    it("softDelete: deletes so that it comes back, keeps it closed, or refuses that", async () => {
      const { softDelete, block, suspend } = platform.capabilities;
      if (!softDelete && !block && !suspend) return refused({ deletionPolicy: "soft" }, "deletionPolicy: ");
      assert.deepEqual(failuresOf({ deletionPolicy: "soft" }), []);
      const name = await create();
      await rows().insert(name, 2);
      if (!softDelete) {
        await platform.configureDatabase(name, { blockReads: true, blockWrites: true });
        await assert.rejects(rows().count(name));
        await platform.configureDatabase(name, { blockReads: false, blockWrites: false });
        return assert.equal(await rows().count(name), 2);
      }
      const { id } = (await platform.getDatabase(name))!;
      const counted = (await platform.countRows!(name)).rows;
      assert.ok(counted && Object.values(counted).includes(2), JSON.stringify(counted));
      await platform.softDeleteDatabase!(name, async (secured) => {
        // Known before anything is deleted.
        assert.equal((await platform.getDatabase(name))?.id, id);
        assert.deepEqual(secured.rows, counted);
        assert.ok(secured.backups.length > 0);
      });
      await platform.softDeleteDatabase!(name);
      assert.equal(await platform.getDatabase(name), undefined);
      assert.equal((await platform.trashedDatabase!(name))?.id, id);
      assert.equal((await platform.undeleteDatabase!(name)).id, id);
      assert.equal((await platform.undeleteDatabase!(name)).id, id);
      assert.equal(await platform.trashedDatabase!(name), undefined);
      assert.equal((await platform.getDatabase(name))?.id, id);
      await platform.softDeleteDatabase!(nobody);
      assert.equal(await platform.trashedDatabase!(nobody), undefined);
      await missing(platform.undeleteDatabase!(nobody));
    });

    it("backups, backupOnDemand: takes one, and lists it; else there is none that could be named", async () => {
      const { backups, backupOnDemand } = platform.capabilities;
      if (backupOnDemand) {
        const taken = await platform.takeBackup!(database);
        assert.ok(taken && !Number.isNaN(Date.parse(taken.takenAt!)) && taken.kind.length > 0);
        if (backups) assert.equal((await platform.listBackups!(database))[0]?.id, taken.id);
        await missing(platform.takeBackup!(nobody));
      }
      if (backups) return missing(platform.listBackups!(nobody));
      refused({ restoreFrom: { backup: "b", key: "k" } }, "restoreFrom.backup: ");
    });

    it("restoreInPlace: puts rows back to a backup, and goes back to a moment; else that is refused", async function () {
      this.timeout(30_000);
      const { restoreInPlace, seedAtTime, backupOnDemand } = platform.capabilities;
      const restoreFrom = { timestamp: "2026-01-01T00:00:00Z", key: "k" };
      if (restoreInPlace.includes("backup")) {
        assert.ok(backupOnDemand);
        const name = await create();
        await rows().insert(name, 2);
        const { id: backup } = (await platform.takeBackup!(name))!;
        await rows().insert(name, 3);
        await platform.restoreDatabase!(name, { backup });
        assert.equal(await rows().count(name), 2);
        await assert.rejects(platform.restoreDatabase!(name, { backup: "nothing" }), (error) =>
          hasCode(error, "database-not-found", "invalid-input"),
        );
        assert.deepEqual(failuresOf({ restoreFrom: { backup, key: "k" } }), []);
      }
      if (!restoreInPlace.includes("timestamp")) {
        return seedAtTime
          ? assert.deepEqual(failuresOf({ restoreFrom }), [])
          : refused({ restoreFrom }, "restoreFrom.timestamp: ");
      }
      assert.deepEqual(failuresOf({ restoreFrom }), []);
      const timestamp = new Date().toISOString();
      const there = await create(driver.partsWithMoments);
      const { undoUntil } = await platform.restoreDatabase!(there, { timestamp });
      assert.ok(Date.parse(undoUntil!) > Date.now());
      if (driver.partsWithMoments)
        await assert.rejects(platform.restoreDatabase!(database, { timestamp }), { code: "unsupported" });
      await missing(platform.restoreDatabase!(nobody, { timestamp }));
    });

    it("restoreUndo: takes the last restore back once; else there is nothing that could", async function () {
      this.timeout(30_000);
      const { restoreUndo } = platform.capabilities;
      if (restoreUndo === 0) return assert.equal(platform.undoRestore, undefined);
      const name = await create(driver.partsWithMoments);
      await assert.rejects(platform.undoRestore!(name), { code: "expired" });
      const begun = Date.now();
      const { undoUntil } = await platform.restoreDatabase!(name, { timestamp: new Date().toISOString() });
      assert.ok(Math.abs(Date.parse(undoUntil!) - begun - restoreUndo * 1000) < 60_000, undoUntil);
      await platform.undoRestore!(name);
      await assert.rejects(platform.undoRestore!(name), { code: "expired" });
    });

    it("logs: tells queries one by one, the newest first, and filters them", async () => {
      if (!platform.capabilities.logs) return;
      const query = `SELECT ${fresh("query")}`;
      await driver.logged?.(database, query);
      const found = [];
      for await (const one of platform.logs!(database, { search: query, since: 3_600 })) found.push(one);
      assert.deepEqual(
        found.map(({ query: text, ok }) => [text, ok]),
        [[query, true]],
      );
      for await (const _ of platform.logs!(database, { search: query, type: "error" })) assert.fail();
      await missing(
        (async () => {
          for await (const _ of platform.logs!(nobody, {})) assert.fail();
        })(),
      );
    });

    it("metrics: tells what the database uses", async () => {
      if (!platform.capabilities.metrics) return;
      const figures = await platform.metrics!(database);
      assert.ok(figures.length > 0);
      assert.ok(figures.every((one) => one.name.length > 0 && one.value !== undefined));
      await missing(platform.metrics!(nobody));
    });

    it("statistics: tells what its queries cost", async () => {
      if (!platform.capabilities.statistics) return;
      // A platform may count a moment later.
      const until = Date.now() + 10_000;
      for (let told = 0; told === 0;) {
        const { figures, queries } = await platform.statistics!(database);
        told = figures.length + queries.length;
        assert.ok(told > 0 || Date.now() < until);
      }
      await missing(platform.statistics!(nobody));
    });

    it("instances: tells where it runs", async () => {
      if (!platform.capabilities.instances) return;
      const instances = await platform.instances!(database);
      assert.ok(instances.length > 0);
      assert.ok(instances.every(({ id, kind, region }) => id !== "" && kind !== "" && region !== ""));
      await missing(platform.instances!(nobody));
    });

    for (const reader of readers) {
      it(`\`tenantry ${reader.verb}\`: is refused exactly where its flag denies it, with what to do instead`, () => {
        const { logs, metrics, statistics, instances, backups, schemas, usage, seedAtTime } = platform.capabilities;
        const all: Record<string, boolean> = {
          ...{ logs, metrics, stats: statistics, instances, backups, deployments: schemas === "deployments" },
          ...{ usage, restoreFrom: seedAtTime, schema: schemas === "migrations" },
        };
        const refusal = refusalOf(reader, platform, {} as never);
        assert.equal(refusal === undefined, all[reader.verb]);
        if (refusal)
          assert.ok(hasCode(refusal, "unsupported") && refusal.fix && refusal.message.startsWith(platform.name));
        // Nor is anything advised that is refused there, too.
        for (const [, advised] of refusal?.fix?.matchAll(/`(?:npx tenantry )?(\w+)/g) ?? []) {
          assert.ok(all[advised!], refusal!.fix);
        }
      });
    }
  });
}

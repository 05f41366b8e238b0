import assert from "node:assert/strict";
import type { Capabilities } from "../../provider/platform/capabilities";
import type { Life } from "../../provider/platform/life";
import type { Platform } from "../../provider/platform/platform";
import { openSql } from "../../provider/platform/sql";
import type { DriverUnderTest } from "./driver";

/** Which flag says that a method is there. */
const flags: { readonly [Method in keyof Life]-?: (of: Capabilities) => boolean } = {
  softDeleteDatabase: (of) => of.softDelete,
  undeleteDatabase: (of) => of.softDelete,
  trashedDatabase: (of) => of.softDelete,
  listBackups: (of) => of.backups,
  takeBackup: (of) => of.backupOnDemand,
  restoreDatabase: (of) => of.restoreInPlace.length > 0,
  undoRestore: (of) => of.restoreUndo > 0,
  logs: (of) => of.logs,
  metrics: (of) => of.metrics,
  statistics: (of) => of.statistics,
  instances: (of) => of.instances,
};

/** What every driver can tell and do about one database beside making, setting and deleting it, as its flags say. */
export function describeLife(name: string, start: () => Promise<DriverUnderTest>): void {
  describe(`life of a database: ${name}`, () => {
    let driver: DriverUnderTest;
    let platform: Platform;
    const database = `life-${process.pid}-${Date.now().toString(36)}`;
    before(async () => {
      driver = await start();
      ({ platform } = driver);
      const group = driver.group ?? `${database}-group`;
      if (platform.capabilities.createsGroups) await platform.createGroup({ name: group, location: driver.location });
      const made = await platform.createDatabase({ name: database, group });
      const url = platform.databaseUrl(made);
      const mint = async () => platform.mintToken({ database }, { access: "full-access", lifetime: 600 });
      const sql =
        platform.openSql?.({ name: database, url }, { access: "full-access" }) ??
        openSql({ url, token: async () => (await mint()).token });
      await sql.ready(10_000);
      await sql.batch(["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"], "write");
      await sql.execute({ sql: "SELECT x FROM t", args: [] });
      sql.close();
    });
    after(() => driver?.close());

    it("has the methods that its flags say, and no others", () => {
      for (const [method, has] of Object.entries(flags)) {
        assert.equal(platform[method as keyof Life] !== undefined, has(platform.capabilities), method);
      }
    });

    it("tells what the database uses", async function () {
      if (!platform.capabilities.metrics) return;
      const figures = await platform.metrics!(database);
      assert.ok(figures.length > 0);
      assert.ok(figures.every((one) => one.name.length > 0 && one.value !== undefined));
      const missing = platform.metrics!("nobody-at-all");
      await assert.rejects(missing, { code: "database-not-found" });
    });

    it("tells what its queries cost", async function () {
      if (!platform.capabilities.statistics) return;
      // A platform may count a moment later.
      const until = Date.now() + 10_000;
      for (let told = 0; told === 0;) {
        const { figures, queries } = await platform.statistics!(database);
        told = figures.length + queries.length;
        assert.ok(told > 0 || Date.now() < until);
      }
      const missing = platform.statistics!("nobody-at-all");
      await assert.rejects(missing, { code: "database-not-found" });
    });

    it("tells where it runs", async function () {
      if (!platform.capabilities.instances) return;
      const instances = await platform.instances!(database);
      assert.ok(instances.length > 0);
      assert.ok(instances.every(({ id, kind, region }) => id !== "" && kind !== "" && region !== ""));
      const missing = platform.instances!("nobody-at-all");
      await assert.rejects(missing, { code: "database-not-found" });
    });
  });
}

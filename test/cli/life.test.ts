import assert from "node:assert/strict";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { type LifeScene, withLifeScene } from "./life-scene";

const isSuspended = async ({ bench }: LifeScene, name: string): Promise<boolean[]> => {
  const { block_reads, block_writes } = await bench.api.ok<Record<string, boolean>>(
    "GET",
    `/databases/${name}/configuration`,
  );
  return [block_reads!, block_writes!];
};

describe("tenantry suspend, resume, restore", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("suspend and resume a tenant by name or id, once however often", async () => {
    await withLifeScene(async (scene) => {
      const { cli, json, make } = scene;
      await make("acme", { tenant: "42" });
      assert.match((await cli("suspend 42")).stdout, /^acme: reads and writes are refused, its data stays\.$/m);
      assert.deepEqual(await isSuspended(scene, "acme"), [true, true]);
      const again = await json<Record<string, unknown>>("suspend acme");
      assert.deepEqual(
        { ...again, scope: "" },
        { format: 1, scope: "", name: "acme", group: "eu", tenant: "42", suspended: true, changed: false },
      );
      assert.match((await cli("resume acme")).stdout, /^acme: it goes on\.$/m);
      assert.deepEqual(await isSuspended(scene, "acme"), [false, false]);
      assert.match((await cli("resume acme")).stdout, /^acme: it was not suspended\.$/m);
    });
  });

  it("open nothing that somebody else keeps closed, and touch nothing that is not Tenantry's", async () => {
    await withLifeScene(async (scene) => {
      const { bench, cli, make } = scene;
      await make("acme", { blockWrites: true });
      assert.match((await cli("resume acme", 1)).stderr, /it is not suspended; its writes are blocked, and its reads/);
      assert.deepEqual(await isSuspended(scene, "acme"), [false, true]);
      await bench.api.ok("POST", "/databases", { name: "theirs", group: "eu" });
      assert.match((await cli("suspend theirs", 1)).stderr, /No registry has a tenant "theirs"/);
      assert.deepEqual(await isSuspended(scene, "theirs"), [false, false]);
      assert.match((await cli("suspend acne", 1)).stderr, /No registry has a tenant "acne"\. Did you mean "acme"\?/);
    });
  });

  it("bring back what was deleted softly; a suspension does not do that", async () => {
    await withLifeScene(async (scene) => {
      const { bench, cli, json, make } = scene;
      const made = await make("acme", { tenant: "42", deletionPolicy: "soft" });
      await bench.sql("acme", "CREATE TABLE kept (x)");
      assert.match((await cli("restore acme")).stdout, /^acme: it is not in the trash, so nothing was done\.$/m);
      await tenantDatabase.delete({ ...made, context: bench.context() });
      const orphans = await json<{ orphans: { name: string; status: string; commands: string[] }[] }>(
        "registry orphans",
      );
      assert.deepEqual(
        orphans.orphans.map(({ name, status, commands }) => [name, status, ...commands]),
        [["acme", "trashed", "npx tenantry restore acme --group eu"]],
      );
      assert.match((await cli("resume acme", 1)).stderr, /it is in the trash\. Bring it back first: `npx tenantry res/);
      assert.match((await cli("registry release acme --yes", 1)).stderr, /it is in the trash\. Bring it back first/);
      assert.match((await cli("registry claim acme --yes --force", 1)).stderr, /it is in the trash\./);
      const shown = await cli("reap");
      assert.match(shown.stdout, /^1 database with an end to come, the next at /m);
      const restored = await cli("restore 42");
      assert.match(restored.stdout, /^acme: it is back, with all its rows\.$/m);
      assert.match(restored.stdout, /^The next `pulumi up` of organization\/shop\/dev\/acme takes it as it is/m);
      assert.equal((await bench.sql("acme", "SELECT name FROM sqlite_schema")).length, 1);
      assert.deepEqual(await isSuspended(scene, "acme"), [false, false]);
    });
  });
});

describe("tenantry metrics, stats, instances, logs, backups", function () {
  this.timeout(240_000);

  it("tell what the platform has, and say what it has not", async () => {
    await withLifeScene(async ({ bench, cli, json, make }) => {
      await make("acme", { tenant: "42" });
      await bench.sql("acme", "CREATE TABLE notes (text)");
      await bench.sql("acme", "SELECT 'a\u001b[31m' AS text FROM sqlite_schema");
      const metrics = await cli("metrics 42");
      assert.match(metrics.stdout, /^stored +\d+ bytes$/m);
      const { metrics: figures } = await json<{ metrics: { name: string }[] }>("metrics acme");
      assert.deepEqual(
        figures.map(({ name }) => name),
        ["rows read", "rows written", "stored", "synced"],
      );
      const stats = (await cli("stats acme")).stdout;
      assert.match(stats, /^ROWS READ +ROWS WRITTEN +QUERY$/m);
      assert.match(stats, /SELECT 'a \[31m' AS text/);
      assert.match((await cli("instances acme")).stdout, /^aws-eu-west-1 +primary +aws-eu-west-1 /m);
      assert.match(
        (await cli("logs acme", 1)).stderr,
        /local has no logs of a tenant's queries\. `npx tenantry stats`/,
      );
      assert.match((await cli("backups acme --take", 1)).stderr, /local has no backups that could be named/);
      assert.match((await cli("metrics nobody", 1)).stderr, /No registry has a tenant "nobody"/);
    });
  });
});

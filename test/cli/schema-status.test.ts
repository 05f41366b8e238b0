import assert from "node:assert/strict";
import { registryName } from "../../provider/registry/reserved-names";
import { packFleet } from "../../provider/resources/tenant-fleet/pack";
import { byFlags, declares, done, followers, full, init, lines, withSchemaScene } from "./schema-scene";

describe("tenantry schema: how a fleet stands", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  describe("status", () => {
    it("is 0 once all are there; a tenant of the state without a database is unknown, and named", async () => {
      await withSchemaScene(async (scene) => {
        const { cli, write, make, ref } = scene;
        await write(init);
        await make(["acme"]);
        await declares(scene, { "SchemaTemplate app": { ref: ref() }, ...followers(ref(), ["acme"]) });
        assert.equal((await cli("apply", "--yes")).code, 0);
        const { code, stdout } = await cli("status");
        assert.equal(code, 0);
        assert.deepEqual(lines(stdout).slice(3, 8), [
          "app: 1 tenant, to be at 0001_init",
          "",
          `  0001_init  ${full}  1  100 %`,
          "",
          "  1 current",
        ]);
        await declares(scene, { "SchemaTemplate app": { ref: ref() }, ...followers(ref(), ["acme", "lost"]) });
        const lost = await cli("status");
        assert.equal(lost.code, 2);
        assert.match(
          lost.stdout,
          /^ {2}1 current, 1 unknown\n\n {2}unknown {2}lost: there is no database of that name$/m,
        );
      });
    });

    it("knows the tenants of a fleet", async () => {
      await withSchemaScene(async (scene) => {
        const { cli, write, make, ref } = scene;
        await write(init);
        await make(["t-acme", "t-bolt"]);
        const packed = packFleet(
          ["acme", "bolt"].map((id) => ({
            ...{ id, name: `t-${id}`, state: "ready", profile: { group: "eu", schema: ref() } },
            ...{ databaseId: id, hostname: `t-${id}.host`, incarnation: id },
          })),
        );
        const rollout = { canary: ["bolt"], verify: false };
        await declares(scene, { "SchemaTemplate app": { ref: ref() }, "TenantFleet prod": { packed, rollout } });
        const { stdout } = await cli("plan");
        assert.match(stdout, /canary +1 +t-bolt/);
        assert.equal((await cli("apply", "--yes")).code, 0);
        assert.match((await cli("status")).stdout, /^app: 2 tenants, to be at 0001_init$/m);
      });
    });

    it("tells a document about every tenant and run, and of each tenant's history when asked", async () => {
      await withSchemaScene(async ({ cli, write, make }) => {
        await write({ ...init, ...done });
        await make(["acme"]);
        await cli("apply", ...byFlags, "acme", "--yes");
        await write({ "0001_init.sql": "CREATE TABLE edited (x);" });
        const { code, stdout } = await cli("status", "--json", "--history", ...byFlags, "acme");
        assert.equal(code, 2);
        const {
          runs,
          applied,
          tenants,
          template: _,
          ...rest
        } = JSON.parse(stdout) as {
          template: object;
          runs: { state: string; progress: { done: number } }[];
          applied: { tenant: string; id: string; appliedAt: string; run: number }[];
          tenants: { state: string; version: string; why: string }[];
        };
        assert.deepEqual(rest, {
          ...{ format: 1, scope: "PLATFORM", stack: null, current: false, minVersion: "0002_done" },
          versions: [{ version: "0002_done", tenants: 1 }],
          counts: { current: 0, behind: 0, quarantined: 0, skipped: 0, differs: 1, unknown: 0 },
          notes: [],
        });
        assert.match(tenants[0]!.why, /^acme: .*0001_init.* was edited since/);
        assert.deepEqual(
          runs.map(({ state, progress }) => [state, progress.done]),
          [["ended", 1]],
        );
        assert.deepEqual(
          applied.map(({ tenant, id, run }) => [tenant, id, run]),
          [
            ["acme", "0001_init", 0],
            ["acme", "0002_done", 0],
          ],
        );
        assert.ok(Math.abs(Date.parse(applied[0]!.appliedAt) - Date.now()) < 60_000);
        const text = await cli("status", "--history", ...byFlags, "acme");
        assert.match(
          text.stdout,
          /^ROLLOUT +TO +STATE +DONE +BY\n\S+Z +0002_done +ended +1\/1 +tenantry schema apply$/m,
        );
        assert.match(
          text.stdout,
          /^APPLIED +TENANT +MIGRATION +RUN\n\S+Z +acme +0001_init +-\n\S+Z +acme +0002_done +-$/m,
        );
      });
    });

    it("calls a run that has not been heard of broken off, and stop has nothing to wait for", async () => {
      await withSchemaScene(async ({ bench, cli, write, make }) => {
        await write(init);
        await make(["acme"]);
        await cli("apply", ...byFlags, "acme", "--yes");
        const registry = (await bench.context().registrySql("eu"))!;
        await registry.execute({
          sql: "UPDATE rollouts SET ended_at = NULL, beat_at = '2026-01-01T00:00:00Z'",
          args: [],
        });
        const { stdout } = await cli("status", ...byFlags, "acme");
        assert.match(
          stdout,
          /^The last run, to 0001_init, broke off in ended: 1 of 1 done .* The next one goes on with it\.$/m,
        );
        const stop = await cli("stop");
        assert.deepEqual(
          [stop.code, ...lines(stop.stdout).slice(1)],
          [0, "Broken off: app to 0001_init, by tenantry schema apply.", "No rollout is under way."],
        );
      });
    });

    it("leaves a registry that does not answer to a note, and still shows the tenants", async () => {
      await withSchemaScene(async ({ bench, cli, write, make }) => {
        await write(init);
        await make(["acme"]);
        await cli("apply", ...byFlags, "acme", "--yes");
        await bench.api.ok("PATCH", `/databases/${registryName("eu")}/configuration`, { block_reads: true });
        const { code, stdout, stderr } = await cli("status", ...byFlags, "acme");
        assert.deepEqual([code, stderr], [0, ""]);
        assert.match(stdout, /^The registry of group "eu" does not answer: /m);
        assert.match(stdout, /^ {2}1 current$/m);
      });
    });
  });

  describe("drift", () => {
    it("names what was changed by hand, and what could not be looked at", async () => {
      await withSchemaScene(async (scene) => {
        const { bench, cli, write, make, ref } = scene;
        await write(init);
        await make(["acme", "bolt"]);
        await declares(scene, { "SchemaTemplate app": { ref: ref() }, ...followers(ref(), ["acme", "bolt"]) });
        await cli("apply", "--yes");
        const none = await cli("drift");
        assert.deepEqual([none.code, lines(none.stdout).at(-1)], [0, "2 in-sync"]);
        await declares(scene, { "SchemaTemplate app": { ref: ref() }, ...followers(ref(), ["acme", "bolt", "lost"]) });
        const unknown = await cli("drift");
        assert.deepEqual(
          [unknown.code, ...lines(unknown.stdout).slice(-3)],
          [3, "2 in-sync, 1 unknown", "", "unknown  lost: There is no database of that name"],
        );
        await bench.sql("bolt", "CREATE TABLE audit (x)");
        await bench.sql("bolt", "ALTER TABLE notes DROP COLUMN text");
        const { code, stdout } = await cli("drift");
        assert.equal(code, 2);
        assert.deepEqual(lines(stdout).slice(3), [
          "1 in-sync, 1 drifted, 1 unknown",
          "",
          "bolt (at 0001_init):",
          "  added    table   audit",
          "  missing  column  notes.text",
          "",
          "unknown  lost: There is no database of that name",
        ]);
        const { tenants } = JSON.parse((await cli("drift", "--json")).stdout) as { tenants: object[] };
        assert.deepEqual(tenants[1], {
          ...{ name: "bolt", state: "drifted", version: "0001_init", why: null },
          differences: [
            { kind: "added", object: "table", name: "audit", change: null },
            { kind: "missing", object: "column", name: "notes.text", change: null },
          ],
        });
      });
    });
  });
});

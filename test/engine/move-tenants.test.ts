import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { runCli } from "../cli/run-cli";
import type { Run } from "../support/engine";
import { type KillAtWrite, withKilledRun } from "../support/killed-run";
import { type Scene, errorsOf, withScene } from "../support/scene";

const program = `
const { readFileSync } = require("node:fs");
const { SchemaTemplate, TenantDatabase, TenantFleet } = require("tenantry");

const { single, fleet, last } = JSON.parse(readFileSync("tenants.json", "utf8"));
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
for (const [id, args] of Object.entries(single ?? {})) new TenantDatabase(id, { group: "eu", schema, ...args });
if (fleet) new TenantFleet("prod", { group: "eu", schema, tenants: fleet });
`;
const files = {
  "package.json": '{ "main": "index.js" }',
  "index.js": program,
  "migrations/0001_notes.sql": "CREATE TABLE notes (x TEXT);\n",
};
const fleetUrn = "urn:pulumi:dev::test-project::pulumi-nodejs:dynamic/tenantry:TenantFleet::prod";

const ids = Array.from({ length: 40 }, (_, i) => `t${String(i).padStart(2, "0")}`);
const each = (more: Record<string, object> = {}) => ({ ...Object.fromEntries(ids.map((id) => [id, {}])), ...more });

describe("tenants that move between resources of their own and a fleet, through pulumi commands", function () {
  this.timeout(600_000);

  it("are handed over by one command, and keep their databases whatever part of the rest comes first, or fails", async () => {
    await withScene({ files }, async (scene) => {
      const { project, platform } = scene;
      const declare = (tenants: object): Promise<void> => project.write({ "tenants.json": JSON.stringify(tenants) });
      await declare({ single: each() });
      await project.up();
      for (const id of ["t03", "t39"]) await scene.sql(id, `INSERT INTO notes VALUES ('${id}')`);
      const before = await scene.databases();

      /** Whatever it is, no database is made, deleted or set otherwise, and the rows are there. */
      const quiet = async <Result>(work: () => Promise<Result>): Promise<Result> => {
        const { result, asked } = await platform.during(work);
        const writes = Object.keys(asked.writes).filter((call) => !call.endsWith("/auth/tokens"));
        assert.deepEqual(writes, []);
        assert.deepEqual(await scene.databases(), before);
        for (const id of ["t03", "t39"]) assert.deepEqual(await scene.sql(id, "SELECT x FROM notes"), [{ x: id }]);
        return result;
      };
      const move = async (...args: string[]): Promise<string> => {
        const { folder, env } = project;
        const { code, stdout, stderr } = await quiet(() => runCli(["move", ...args], { cwd: folder, env }));
        assert.deepEqual([code, stderr], [0, ""]);
        return stdout;
      };

      /** In the middle of it, with the next command at once; what is then declared is what that one does. */
      const killed = async (kill: KillAtWrite): Promise<void> =>
        quiet(async () => {
          const nothing = async (): Promise<void> => undefined;
          assert.ok(
            await withKilledRun(scene, ["up", "--yes", "--skip-preview"], kill, nothing),
            "it had ended before",
          );
        });

      assert.match(await move("--to-fleet", "prod", "--yes"), /Handed over: 40 databases\. No database was touched\./);
      await declare({ fleet: each() });
      await killed({ victim: "provider", write: 4, when: "after" });
      // First the fleet alone, then the rest.
      const taken = await quiet(() => project.up({ args: ["--target", fleetUrn] }));
      assert.deepEqual(taken.counts["create"], 1);
      assert.deepEqual((await quiet(() => project.up())).counts, { delete: 40, same: 2 });
      assert.deepEqual((await quiet(() => project.preview())).counts, { same: 2 });

      assert.match(await move("--from-fleet", "prod", "--to-resources", "--yes"), /Handed over: 40 databases/);
      // One fails, and the engine goes on to take the fleet away all the same.
      await declare({ single: each({ t03: { name: "another" } }) });
      await killed({ victim: "engine", write: 4, when: "after" });
      const failed = await quiet(() => project.up({ args: ["--continue-on-error"], fails: true }));
      assert.match(errorsOf(failed).join(), /handed the database "t03" over, and is declared as "another"/);
      await declare({ single: each() });
      const done = await quiet(() => project.up());
      assert.match(
        leftOf(failed, done),
        /t00: left as it is, because it was handed over to organization\/.*\/dev\/t00/,
      );
      assert.equal((await scene.claims()).length, 40);
      assert.deepEqual((await quiet(() => project.preview())).counts, { same: 41 });

      // They are the stack's own, as in the beginning.
      await project.destroy();
      assert.deepEqual([await scene.tenants(), await scene.claims()], [[], []]);
    });
  });

  it("lose nothing where nobody handed them over: refused here, not deleted there", async () => {
    await withScene({ files }, async (scene: Scene) => {
      const { project } = scene;
      const declare = (tenants: object): Promise<void> => project.write({ "tenants.json": JSON.stringify(tenants) });
      await declare({ single: { acme: {} } });
      await project.up();
      const before = await scene.databases();
      await declare({ fleet: { acme: {} } });
      const run = await project.up({ args: ["--continue-on-error"], fails: true });
      const errors = errorsOf(run).join();
      const command =
        /npx tenantry move acme --to organization\/test-project\/dev\/prod\/acme --stack organization\/test-project\/dev/;
      assert.match(errors, command);
      assert.match(errors, /acme: it was not deleted, because .*\/prod\/acme declares it too, and was refused it/);
      assert.deepEqual(await scene.databases(), before);
    });
  });
});

/** What was said of what was left. */
const leftOf = (...runs: Run[]): string =>
  runs
    .flatMap(({ diagnostics }) => diagnostics.map(({ message }) => message))
    .filter((message) => message.includes("left as it is"))
    .join("\n");

import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { writeMoves } from "../../provider/registry/move";
import { inspectClaims, withRegistrySql } from "../../provider/registry/inspect";
import { registryName } from "../../provider/registry/reserved-names";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { foresee } from "../../provider/resources/tenant-fleet/foresee";
import type { RosterTenant } from "../../provider/resources/tenant-fleet/roster";
import { addressOf, tenant } from "../support/bench";
import { type FleetScene, member, recordsOf, withFleetScene } from "../support/fleet-scene";

const looking = ({ bench }: FleetScene, tenants: readonly RosterTenant[], isThere = false): Promise<string[]> =>
  foresee([{ where: "prod", self: addressOf("prod"), tenants, isThere }], bench.context());

describe("what a fleet that is new is refused", function () {
  this.timeout(120_000);

  it("is foreseen of names that somebody has, in the words in which the run says it", async () => {
    await withFleetScene(async (scene) => {
      const { bench, declare, up, state } = scene;
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      assert.deepEqual(await looking(scene, [member("a")]), [], "nothing is there yet, not even a registry");
      for (const id of ["own", "forced", "moved"]) {
        await tenantDatabase.create({ inputs: tenant(`t-${id}`), context: bench.context() });
      }
      for (const id of ["taken", "adopted"]) {
        await bench.api.ok("POST", "/databases", { name: `t-${id}`, group: "eu" });
      }
      await bench.api.ok("POST", "/databases", { name: "t-elsewhere", group: "us" });
      const { platform } = bench.context();
      const database = (await platform.getDatabase(registryName("eu")))!;
      await withRegistrySql({ platform, group: "eu", database, access: "full-access" }, async (sql) => {
        const claim = (await inspectClaims(sql)).find(({ name }) => name === "t-moved")!;
        assert.deepEqual(await writeMoves(sql, [{ claim, address: addressOf("prod/moved") }]), []);
      });
      // A run of this fleet was killed behind its first create, and state knows nothing of it.
      await scene.doomedUp(declare([member("begun")]), bench.context());

      const tenants = [
        ...["begun", "free", "moved", "own", "taken"].map((id) => member(id)),
        member("adopted", { adopt: "unowned" }),
        member("forced", { adopt: "force" }),
        member("elsewhere", { adopt: "unowned" }),
      ];
      const before = await bench.databases(true);
      const [said, ...others] = await looking(scene, tenants);
      assert.deepEqual(others, []);
      assert.deepEqual(await bench.databases(true), before);
      const lines = said!.split("\n").map((line) => line.trim());
      assert.equal(lines.shift(), "prod: tenants: 3 cannot have their names:");
      assert.match(lines.join("\n"), /^tenants\.own\.name: the database "t-own" belongs to .*\/dev\/t-own\. /);
      assert.match(lines.join("\n"), /^tenants\.taken\.name: a database "t-taken" exists already .*adopt: "unowned"/m);
      assert.match(lines.join("\n"), /^tenants\.elsewhere\.name: .* exists already, in group "us" instead of "eu"/m);

      await assert.rejects(up(declare(tenants)), (error: Error) => {
        const told = error.message.split("\n").map((line) => line.trim());
        for (const line of lines) {
          const [, id, what] = /^tenants\.(\w+)\.(.*)$/.exec(line)!;
          assert.ok(told.includes(`${id}: ${what}`), `${line}\n is not in\n${error.message}`);
        }
        return true;
      });
      const states = Object.values(recordsOf(state().outputs)).map(({ id, state: how }) => `${id} ${how}`);
      assert.deepEqual(
        states.filter((one) => !one.endsWith(" ready")),
        ["elsewhere failed", "own failed", "taken failed"],
      );
    });
  });

  it("is foreseen of more databases than the plan has room for", async () => {
    await withFleetScene(
      async (scene) => {
        const { bench, declare, up, state } = scene;
        const ids = Array.from({ length: 101 }, (_, i) => `n${i}`);
        await bench.api.ok("POST", "/databases", { name: "t-other", group: "eu" });
        const all = ids.map((id) => member(id));
        assert.deepEqual(await looking(scene, all), [
          'prod: tenants: 101 databases, and 1 of Tenantry\'s own, would be made, and the plan "free" has room for 99: 1 of 100 are used. ' +
            "Free some, upgrade the plan, or declare fewer tenants.",
        ]);
        const schema = await scene.schema({ "0001_notes.sql": "CREATE TABLE notes (text)" });
        assert.match(
          (await looking(scene, [member("n0", { schema }), ...all.slice(1, 98)])).join(),
          /98 databases, and 2 of/,
        );
        assert.deepEqual(await looking(scene, all.slice(0, 98)), []);
        assert.equal((await up(declare(all.slice(0, 98))))?.outputs.open, 0);
        assert.deepEqual(await looking(scene, all.slice(0, 98), true), [], "a change of those that are there");
        assert.deepEqual(await looking(scene, all, true), [
          'prod: tenants: 3 databases would be made, and the plan "free" has room for 0: 100 of 100 are used. ' +
            "Free some, upgrade the plan, or declare fewer tenants.",
        ]);
        const over = [member("over", { expiresAt: "2026-01-01T00:00:00Z" }), member("demo", { expiresIn: "7d" })];
        assert.deepEqual(await looking(scene, [...all.slice(0, 98), ...over], true), [], "none is made again");
        await assert.rejects(up(declare(all)), /98 of 101 tenants are as declared, 3 are not.*\n.*(plan|quota)/);
        assert.equal(state().outputs.counts.ready, 98);
      },
      { plan: "free" },
    );
  });

  it("is foreseen together with single tenants and new groups, of which those that exist are not counted", async () => {
    await withFleetScene(
      async (scene) => {
        const context = () => scene.bench.context();
        const database = (name: string, group = "eu") => ({ where: name, database: { name, group } });
        for (const name of ["one", "two"]) await scene.bench.api.ok("POST", "/databases", { name, group: "eu" });
        const singles = ["one", "two", "three"].map((name) => database(name));
        assert.deepEqual(await foresee([], context(), singles), []);
        const fleet = { where: "prod", self: addressOf("prod"), tenants: [member("a"), member("b")] };
        const many = Array.from({ length: 95 }, (_, i) => database(`n${i}`));
        assert.deepEqual(await foresee([fleet], context(), [...many.slice(0, 94), ...singles]), []);
        const [said, ...others] = await foresee([fleet], context(), [...many, ...singles]);
        assert.match(
          said!,
          /^prod: tenants, n0, n1 and 96 more: 98 databases, and 1 of .* room for 98: 2 of 100 are used\./,
        );
        assert.deepEqual(others, []);
        const groups = await foresee([], context(), [
          { where: "eu", group: "eu" },
          { where: "us", group: "us" },
          database("acme", "us"),
        ]);
        assert.deepEqual(groups, [
          'eu, us, acme: 1 group would be made, and the plan "free" has room for 0: 1 of 1 are used. ' +
            "Free some, upgrade the plan, or put the tenants into fewer groups.",
        ]);
      },
      { plan: "free" },
    );
  });
});

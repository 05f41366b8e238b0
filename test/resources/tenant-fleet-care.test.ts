import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { RosterTenant } from "../../provider/resources/tenant-fleet/roster";
import { addressOf, tenant, withBench } from "../support/bench";
import { type FleetScene, member, recordsOf, withFleetScene } from "../support/fleet-scene";

const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${String(i).padStart(2, "0")}`);
const members = (ids: readonly string[]): RosterTenant[] => ids.map((id) => member(id));

const judged = ({ bench, declare, handler }: FleetScene, tenants: RosterTenant[], more = {}): readonly string[] => {
  const { capabilities } = bench.context().platform;
  return handler.check({ news: declare(tenants, more), olds: undefined, capabilities, platform: "local" }).failures;
};

describe("a TenantFleet is careful", function () {
  this.timeout(60_000);

  it("refuses a list that lost many, with their names, until a number is given", async () => {
    await withFleetScene(async (scene) => {
      const { bench, declare, up } = scene;
      const ids = named(13);
      await up(declare(members(ids)));
      const fewer = declare(members(ids.slice(0, 2)));
      await assert.rejects(
        up(fewer),
        /tenants: 11 of 13 tenants would be removed \(more than 10\): m02, m03, .*, m12\. .*TENANTRY_MAX_REMOVALS=11/,
      );
      await assert.rejects(up(declare([])), /tenants: all 13 of 13 tenants would be removed \(more than 0\)/);
      await assert.rejects(
        up(declare(members(ids.slice(2)), { maxRemovals: 1 })),
        /2 of 13 .* \(more than 1\): m00, m01/,
      );
      assert.equal((await bench.databases()).length, 13);
      const allowed = bench.context({ config: { maxRemovals: "11" } });
      assert.match((await up(fewer, allowed))!.note!, /^remove 11: m02, m03, m04 and 8 more$/);
      assert.deepEqual(await bench.databases(), ["t-m00", "t-m01"]);
    });
  });

  it("leaves state alone where many are gone at once, and makes a few anew", async () => {
    await withFleetScene(async ({ bench, declare, up, refresh, state }) => {
      const ids = named(14);
      const news = declare(members(ids));
      await up(news);
      for (const id of ids.slice(0, 11)) await bench.api.ok("DELETE", `/databases/t-${id}`);
      await assert.rejects(
        refresh(),
        /11 databases of this fleet \(more than 10\) are not on the platform: t-m00, .*left alone/,
      );
      assert.equal(state().outputs.counts.ready, 14);
      assert.equal(await up(news), undefined);

      const raised = bench.context({ config: { maxRemovals: "11" } });
      const { counts, open } = await refresh(raised);
      assert.deepEqual([counts.gone, counts.ready, open], [11, 3, 11]);
      const again = await up(news);
      assert.equal(again!.note, "create 11: m00, m01, m02 and 8 more");
      assert.deepEqual([again!.outputs.open, (await bench.databases()).length], [0, 14]);
    });
  });

  it("finds what was set by hand, and puts it back", async () => {
    await withFleetScene(async ({ bench, declare, up, refresh }) => {
      const news = declare([
        member("a", { deleteProtection: false, allowedIps: ["192.0.2.0/24", "10.0.0.0/8"] }),
        member("b"),
      ]);
      await up(news);
      assert.equal((await refresh()).open, 0);
      await bench.api.ok("PATCH", "/databases/t-a/configuration", { delete_protection: true });
      await bench.api.ok("PATCH", "/databases/t-b/configuration", { delete_protection: true });
      assert.deepEqual(
        (await refresh()).unfinished.map(({ id, state }) => [id, state]),
        [["a", "changed"]],
      );
      assert.equal((await up(news))!.note, "change 1: a");
      const protection = async (name: string) =>
        (await bench.api.ok<{ delete_protection: boolean }>("GET", `/databases/${name}/configuration`))
          .delete_protection;
      assert.deepEqual(
        [await protection("t-a"), await protection("t-b")],
        [false, true],
        "what is not declared is left",
      );
      assert.equal((await refresh()).open, 0);
      assert.equal(await up(news), undefined);
    });
  });

  it("refuses another name or group, and does what onReplace says", async () => {
    await withFleetScene(async ({ bench, declare, up }) => {
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      await up(declare(members(["a", "b", "c", "d", "e"])));
      for (const name of ["t-c", "t-e"]) await bench.sql(name, "CREATE TABLE mine (x)");
      const before = await bench.databaseId("t-d");
      const renamed = { name: "renamed-a" };
      await assert.rejects(
        up(declare([member("a", renamed), member("b", { group: "us" }), ...members(["c", "d", "e"])])),
        (error: Error) => {
          const loss = "would replace the database and its data.";
          assert.equal(
            error.message,
            `tenants.a.name: changing it from "t-a" to "renamed-a" ${loss}\n` +
              `  tenants.b.group: changing it from "eu" to "us" ${loss}\n` +
              'Set it back, or decide with onReplace: "copy" (copy, verify, switch, retire) or onReplace: "destroy" (a new, empty database).',
          );
          return true;
        },
      );
      const all = ["a", "b", "c", "d", "e"].map((id) => member(id, { name: `x-${id}` }));
      await assert.rejects(
        up(declare([...all, ...members(["f"])])),
        /^[^\n]*(?:\n {2}tenants[^\n]*){4}\nSet it back[^\n]*$/,
      );
      const done = await up(
        declare([
          member("a"),
          member("b", { group: "us", onReplace: "destroy" }),
          member("c", { name: "renamed-c", onReplace: "copy" }),
          member("d", { name: "renamed-d", onReplace: "destroy" }),
          member("e", { group: "us", onReplace: "copy" }),
        ]),
      );
      assert.equal(done!.note, "destroy and make anew 2: b, d; change 2: c, e");
      // And the copy through which e went, kept for a week.
      const there = (await bench.databases()).map((name) => name.replace(/-move-[0-9a-z]+$/, "-move"));
      assert.deepEqual(there, ["renamed-c", "renamed-d", "t-a", "t-b", "t-e", "t-e-move"]);
      assert.equal((await bench.sql("renamed-c", "SELECT name FROM sqlite_schema WHERE name = 'mine'")).length, 1);
      assert.notEqual(await bench.databaseId("renamed-d"), before);
      const records = recordsOf(done!.outputs);
      assert.deepEqual(
        [records["b"]!.profile.group, records["d"]!.databaseId],
        ["us", await bench.databaseId("renamed-d")],
      );
      const moved = await bench.api.ok<{ database: { group: string } }>("GET", "/databases/t-e");
      assert.deepEqual([moved.database.group, records["e"]!.profile.group], ["us", "us"]);
      assert.equal((await bench.sql("t-e", "SELECT name FROM sqlite_schema WHERE name = 'mine'")).length, 1);
    });
  });

  it("does not go to another platform, and says how its tenants can", async () => {
    await withFleetScene(async ({ bench, declare, up, handler }) => {
      const made = await up(declare(members(["a"])));
      await withBench(async (other) => {
        const context = other.context();
        const news = { ...declare(members(["a"])), connection: "ours" };
        const refusal = {
          code: "wrong-scope",
          message: /^connection: changing it from the stack's own to "ours" .*tenantry move --from-fleet/,
        };
        const request = { id: made!.id, olds: made!.outputs, news, context };
        await assert.rejects(async () => handler.update(request), refusal);
        await assert.rejects(async () => handler.diff(request), refusal);
        assert.deepEqual(await other.databases(true), []);
      });
      assert.deepEqual(await bench.databases(), ["t-a"]);
    });
  });

  it("adopts what is told to, keeps it when the fleet goes, and takes nothing else", async () => {
    await withFleetScene(async ({ bench, declare, up, destroy }) => {
      for (const name of ["t-a", "t-b"]) await bench.api.ok("POST", "/databases", { name, group: "eu" });
      const other = tenant("t-c");
      await tenantDatabase.create({ inputs: other, context: bench.context() });
      await assert.rejects(
        up(declare([member("a", { adopt: "unowned" }), member("b"), member("c", { adopt: "unowned" })])),
        (error: Error) => {
          assert.match(error.message, /b: name: a database "t-b" exists already/);
          assert.match(error.message, new RegExp(`c: name: the database "t-c" belongs to ${addressOf("t-c")}`));
          return true;
        },
      );
      const done = await up(
        declare([member("a", { adopt: "unowned" }), member("d", { deletionPolicy: "retain" }), member("e")]),
      );
      assert.equal(recordsOf(done!.outputs)["a"]!.adopted, true);
      const fewer = await up(declare([member("f")]), bench.context({ config: { maxRemovals: "3" } }));
      assert.equal(fewer!.note, "create 1: f; remove 1: e; let go 2 (data stays): a, d");
      await destroy();
      assert.deepEqual(await bench.databases(), ["t-a", "t-b", "t-c", "t-d"]);
      assert.deepEqual(
        (await bench.claims()).map(({ address }) => address),
        [addressOf("t-c")],
      );
    });
  });

  it("does not make anew whose time was over", async () => {
    await withFleetScene(async ({ bench, declare, up, refresh }) => {
      const at = new Date(Date.now() + 3_600_000).toISOString();
      const news = declare([member("a", { expiresIn: "1s" }), member("b", { expiresAt: at }), member("c")]);
      const made = await up(news);
      assert.equal(recordsOf(made!.outputs)["b"]!.expiresAt, at);
      assert.equal(await up(news), undefined);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await bench.api.ok("DELETE", "/databases/t-a");
      const { counts, open } = await refresh();
      assert.deepEqual([counts.expired, counts.ready, open], [1, 2, 0]);
      assert.equal(await up(news), undefined);
      assert.equal((await up(declare([member("b", { expiresAt: at }), member("c")])))!.note, "remove 1: a");
    });
  });

  it("is recorded in the registry under its new address, and a forced replacement takes over what is there", async () => {
    await withFleetScene(async ({ bench, declare, up, state, handler }) => {
      const tenants = members(["a", "b"]);
      await up(declare(tenants));
      const ids = await Promise.all(["t-a", "t-b"].map((name) => bench.databaseId(name)));
      const self = addressOf("renamed");
      await up(declare(tenants, { self, formerly: [addressOf("prod")] }));
      const addresses = async () => (await bench.claims()).map(({ address }) => address);
      assert.deepEqual(await addresses(), [`${self}/a`, `${self}/b`]);

      const context = bench.context();
      const old = state();
      const again = await handler.create({ inputs: declare(tenants, { self }), context });
      assert.match(
        String(await handler.delete({ ...old, context })),
        /t-a: kept, because .*renamed\/a has taken it over/,
      );
      assert.deepEqual(await Promise.all(["t-a", "t-b"].map((name) => bench.databaseId(name))), ids);
      await handler.delete({ ...again, context: bench.context() });
      assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
    });
  });

  it("says everything that is wrong with its tenants at once", async () => {
    await withFleetScene(async (scene) => {
      const wrong = judged(scene, [
        member("a", { name: "Acme" }),
        member("b", { name: "acme" }),
        member("c", { name: "tenantry-c" }),
        member("d", { blokReads: true } as object),
        member("e", { suspended: true, blockReads: false }),
        member("f", { expiresIn: "soon" }),
        member("g", { restoreFrom: { backup: "b", key: "k" } } as object),
        member("", {}),
      ]);
      assert.equal(wrong.length, 1);
      const lines = wrong[0]!.split("\n  ");
      assert.deepEqual(
        lines.map((line) => line.slice(0, 66)),
        [
          "tenants: 8 things are wrong:",
          'tenants: "a" and "b" would both have the name "acme"; give one of ',
          "tenants..id: it must be a text of 1 to 200 characters.",
          'tenants.a.name: "Acme" is not a valid name: lowercase letters, dig',
          'tenants.c.name: "tenantry-c" begins with "tenantry-", which Tenant',
          'tenants.d.blokReads: there is no such property; did you mean "bloc',
          "tenants.e.suspended: it blocks reads and writes, so blockReads and",
          'tenants.f.expiresIn: "soon" is not a duration. Write whole numbers',
          "tenants.g.restoreFrom: a fleet does not restore its tenants; hand this one",
        ].map((line) => line.slice(0, 66)),
      );
      const many = judged(
        scene,
        members(named(99).map((id) => id.toUpperCase())).map((one) => ({ ...one, name: one.id })),
      );
      assert.match(many[0]!, /^tenants: 99 things are wrong:\n(?:.*\n){20} {2}and 79 more$/);
      assert.match(
        judged(scene, [], { count: 20_001 })[0]!,
        /20,001, and a fleet has at most 20,000; part them into several/,
      );
      assert.match(
        judged(scene, [], { rollout: { wave: [1] } as object })[0]!,
        /^rollout\.wave: there is no such property; did you mean "waves"\?/,
      );
      assert.match(
        judged(scene, [], { rollout: { timeout: "soon" } })[0]!,
        /^rollout\.timeout: "soon" is not a duration/,
      );
    });
  });

  it("refuses nothing where no program has declared it, as when the engine refreshes", async () => {
    await withFleetScene(async ({ bench, declare, up, state, handler }) => {
      await up(declare(members(named(13))));
      const { id, outputs: olds } = state();
      const context = bench.context();
      const elsewhere = { ...declare([]), self: addressOf("never-checked"), digest: "0".repeat(32) };
      assert.deepEqual(await handler.diff({ id, olds, news: elsewhere, context }), { changes: true });
    });
  });
});

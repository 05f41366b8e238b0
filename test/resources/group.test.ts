import assert from "node:assert/strict";
import { type GroupOutputs, group as groups } from "../../provider/resources/group";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { type Bench, addressOf, group, tenant, withBench } from "../support/bench";
import { type Fate, atEveryWrite } from "../support/faulty-line";

const names = async ({ api }: Bench): Promise<string[]> =>
  (await api.ok<{ groups: { name: string }[] }>("GET", "/groups")).groups.map(({ name }) => name).sort();

const replaceable = /would replace the group and every database in it/;

describe("Group", () => {
  it("is created, read, protected, opened and deleted", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const inputs = group("us", { location: "aws-us-east-1", deleteProtection: true });
      const { id, outputs } = await groups.create({ inputs, context });
      assert.deepEqual(await groups.read({ id, outputs, context: bench.context() }), outputs);
      assert.equal((await groups.diff({ id, olds: outputs, news: inputs, context })).changes, false);
      await assert.rejects(Promise.resolve(groups.delete({ id, outputs, context })), { code: "protected" });

      await bench.api.ok("PATCH", "/groups/us/configuration", { delete_protection: false });
      const seen = (await groups.read({ id, outputs, context: bench.context() }))!;
      assert.equal(seen.deleteProtection, false);
      assert.equal((await groups.diff({ id, olds: seen, news: inputs, context })).changes, true);

      const opened = group("us", { location: "aws-us-east-1" });
      const olds = await groups.update({ id, olds: outputs, news: opened, context: bench.context() });
      await groups.delete({ id, outputs: olds, context: bench.context() });
      assert.deepEqual(await names(bench), ["eu"]);
      assert.equal(await groups.read({ id, outputs: olds, context: bench.context() }), undefined);
      await groups.delete({ id, outputs: olds, context: bench.context() });
    });
  });

  const refused: [string, Partial<GroupOutputs>][] = [
    ["name", { name: "europe" }],
    ["location", { location: "aws-us-east-1" }],
    ["extensions", { extensions: "all" }],
  ];
  for (const [key, change] of refused) {
    it(`refuses a change of ${key}`, async () => {
      await withBench(async (bench) => {
        const context = bench.context();
        const { id, outputs } = await groups.create({ inputs: group("us"), context });
        const diff = async () => groups.diff({ id, olds: outputs, news: group("us", change), context });
        await assert.rejects(diff(), { code: "needs-decision", message: replaceable });
      });
    });
  }

  it("takes an empty group, refuses one with strangers' databases, adopts it when told, and then leaves it", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "theirs", group: "eu" });
      const inputs = group("eu");
      await assert.rejects(groups.create({ inputs, context: bench.context() }), {
        code: "already-exists",
        message: /holds 1 database and is not this stack's/,
      });
      assert.deepEqual(await bench.databases(true), ["theirs"]);
      const adopting = group("eu", { adopt: "unowned" });
      const { id, outputs } = await groups.create({ inputs: adopting, context: bench.context() });
      assert.equal(outputs.adopted, true);
      await groups.delete({ id, outputs, context: bench.context() });
      assert.deepEqual([await names(bench), await bench.databases()], [["eu"], ["theirs"]]);
      assert.deepEqual(await bench.claims(), []);
    });
  });

  it("refuses a group that another stack has, and leaves it to one that takes it by force", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await groups.create({ inputs: group("eu"), context: bench.context() });
      const theirs = group("eu", { self: addressOf("eu", "organization/shop/prod") });
      await assert.rejects(groups.create({ inputs: theirs, context: bench.context() }), { code: "not-owner" });
      const taken = await groups.create({ inputs: { ...theirs, adopt: "force" }, context: bench.context() });
      await assert.rejects(Promise.resolve(groups.delete({ id, outputs, context: bench.context() })), {
        code: "not-owner",
        message: /belongs to organization\/shop\/prod\/eu/,
      });
      assert.equal(taken.outputs.groupId, outputs.groupId);
      assert.deepEqual(await names(bench), ["eu"]);
    });
  });

  it("says where an existing group is when it is declared elsewhere", async () => {
    await withBench(async (bench) => {
      const inputs = group("eu", { location: "aws-us-east-1" });
      await assert.rejects(groups.create({ inputs, context: bench.context() }), {
        code: "already-exists",
        message: /exists already, in aws-eu-west-1/,
      });
    });
  });

  it("is not deleted while it holds databases that the stack does not have", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await groups.create({ inputs: group("eu"), context: bench.context() });
      await bench.api.ok("POST", "/databases", { name: "theirs", group: "eu" });
      await assert.rejects(Promise.resolve(groups.delete({ id, outputs, context: bench.context() })), {
        code: "not-empty",
        message: /theirs/,
      });
      assert.deepEqual(await bench.databases(), ["theirs"]);
    });
  });

  it("leaves a group of the same name alone that somebody made anew", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await groups.create({ inputs: group("eu"), context: bench.context() });
      await bench.api.ok("DELETE", "/groups/eu");
      await bench.api.ok("POST", "/groups", { name: "eu", location: "aws-eu-west-1" });
      assert.equal(await groups.read({ id, outputs, context: bench.context() }), undefined);
      await groups.delete({ id, outputs, context: bench.context() });
      assert.deepEqual(await names(bench), ["eu"]);
    });
  });

  it("survives a forced replacement: the delete of the old one finds a newer incarnation", async () => {
    await withBench(async (bench) => {
      const first = await groups.create({ inputs: group("eu"), context: bench.context() });
      const second = await groups.create({ inputs: group("eu"), context: bench.context() });
      assert.equal(second.id, first.id);
      await groups.delete({ ...first, context: bench.context() });
      assert.deepEqual(await names(bench), ["eu"]);
      await groups.delete({ ...second, context: bench.context() });
      assert.deepEqual(await names(bench), []);
    });
  });

  it("says before a rotation whom it logs out, and keeps working itself", async () => {
    await withBench(async (bench) => {
      const context = bench.context();
      const { id, outputs } = await groups.create({ inputs: group("eu"), context });
      const news = group("eu", { rotate: "2026-11" });
      const diff = await groups.diff({ id, olds: outputs, news, context });
      assert.match(diff.note!, /every token of the group and of its databases/);
      const olds = await groups.update({ id, olds: outputs, news, context });
      assert.equal((await groups.diff({ id, olds, news, context })).changes, false);
      await tenantDatabase.create({ inputs: tenant("acme"), context });
    });
  });

  for (const fate of ["lose", "die"] as const) {
    it(`${fate === "lose" ? "survives every lost reply" : "goes on after a death"} in create and delete`, async function () {
      this.timeout(60_000);
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          const inputs = group("us", { deleteProtection: false });
          const decide = ({ write }: { write: number | undefined }): Fate => (write === n ? fate : "pass");
          const { context, line } = await bench.contextOn(decide);
          const first = await groups.create({ inputs, context }).catch(() => undefined);
          const { id, outputs } = first ?? (await groups.create({ inputs, context: bench.context() }));
          assert.deepEqual(await names(bench), ["eu", "us"]);
          assert.deepEqual(
            (await bench.claims("us")).map(({ state, owner, adopted }) => [state, owner, adopted]),
            [["held", id, false]],
          );
          await Promise.resolve(groups.delete({ id, outputs, context })).catch(() => undefined);
          writes = line.calls.filter(({ write }) => write !== undefined).length;
          await groups.delete({ id, outputs, context: bench.context() });
          assert.deepEqual(await names(bench), ["eu"]);
        });
        return writes;
      });
    });
  }
});

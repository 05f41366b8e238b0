import assert from "node:assert/strict";
import { templateName } from "../../provider/registry/reserved-names";
import { type GroupOutputs, group as groups } from "../../provider/resources/group";
import type { Unfinished } from "../../provider/resources/handler";
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

  it("is not deleted with a database made by hand, even one whose name looks like Tenantry's", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await groups.create({ inputs: group("eu"), context: bench.context() });
      await bench.api.ok("POST", "/databases", { name: "tenantry-demo", group: "eu" });
      const deleting = async () => groups.delete({ id, outputs, context: bench.context() });
      await assert.rejects(deleting(), { code: "not-empty", message: /tenantry-demo/ });
      await bench.api.ok("DELETE", "/databases/tenantry-demo");
      const template = templateName("eu", "app", "d1");
      await bench.api.ok("POST", "/databases", { name: template, group: "eu" });
      await deleting();
      assert.deepEqual(await bench.databases(true), []);
    });
  });

  const lists: [string, string, string][] = [
    ["an empty list", '{"databases":[]}', "not-empty"],
    ["a list that is null", '{"databases":null}', "bad-answer"],
    ["an empty answer", "{}", "bad-answer"],
    ["an error that calls itself success", '{"databases":[],"error":"half of it"}', "bad-answer"],
  ];
  for (const [what, text, code] of lists) {
    it(`is not deleted on the word of ${what} while another stack has a tenant there`, async () => {
      await withBench(async (bench) => {
        const { id, outputs } = await groups.create({ inputs: group("eu"), context: bench.context() });
        const self = addressOf("theirs", "organization/shop/prod");
        await tenantDatabase.create({ inputs: tenant("theirs", { self }), context: bench.context() });
        const { context } = await bench.contextOn(({ method, path }) =>
          method === "GET" && /\/databases(\?|$)/.test(path) ? { status: 200, text } : "pass",
        );
        await assert.rejects(Promise.resolve(groups.delete({ id, outputs, context })), { code });
        assert.deepEqual([await names(bench), await bench.databases()], [["eu"], ["theirs"]]);
      });
    });
  }

  it("is deleted while the platform still shows what this process has just deleted, but not with another of the name", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await groups.create({ inputs: group("eu"), context: bench.context() });
      const acme = await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
      const listed = JSON.stringify(await bench.api.ok("GET", "/databases"));
      let late = false;
      const { context } = await bench.contextOn(({ method, path }) =>
        late && method === "GET" && /\/databases(\?|$)/.test(path) ? { status: 200, text: listed } : "pass",
      );
      await tenantDatabase.delete({ ...acme, context });
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      const deleting = async () => groups.delete({ id, outputs, context });
      await assert.rejects(deleting(), { code: "not-empty", message: /acme/ });
      await bench.api.ok("DELETE", "/databases/acme");
      late = true;
      await deleting();
      assert.deepEqual(await names(bench), []);
    });
  });

  it("keeps its default name through an alias rename and a forced replacement", async () => {
    await withBench(async (bench) => {
      const before = group("us", { nameIsDefault: true });
      const { id, outputs } = await groups.create({ inputs: before, context: bench.context() });
      const renamed = group("america", { nameIsDefault: true, formerly: [before.self] });
      const context = bench.context();
      const forced = await groups.create({ inputs: renamed, context });
      assert.deepEqual([forced.id, forced.outputs.name], [id, "us"]);
      await groups.delete({ id, outputs, context });
      assert.deepEqual(await names(bench), ["eu", "us"]);
    });
  });

  it("keeps its default name when the alias is long gone, because the claim follows the rename", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await groups.create({
        inputs: group("us", { nameIsDefault: true }),
        context: bench.context(),
      });
      const news = group("us", { nameIsDefault: true, self: addressOf("america"), formerly: [outputs.self] });
      const diff = async (olds: GroupOutputs) => groups.diff({ id, olds, news, context: bench.context() });
      assert.equal((await diff(outputs)).changes, true);

      const { context } = await bench.contextOn(({ path, body }) =>
        path.endsWith("/pipeline") && body.includes("UPDATE claims") ? { status: 403, text: "{}" } : "pass",
      );
      await assert.rejects(groups.update({ id, olds: outputs, news, context }), (error: Unfinished<GroupOutputs>) => {
        assert.equal(error.outputs.self, outputs.self);
        return true;
      });
      const reached = await groups.update({ id, olds: outputs, news, context: bench.context() });
      assert.deepEqual([reached.self, (await diff(reached)).changes], [news.self, false]);
      assert.deepEqual(
        (await bench.claims("us")).map(({ address }) => address),
        [news.self],
      );
      const replaced = group("america", { nameIsDefault: true });
      assert.equal((await groups.create({ inputs: replaced, context: bench.context() })).outputs.name, "us");
      assert.deepEqual(await names(bench), ["eu", "us"]);
    });
  });

  it("with a name that nobody has yet is new, whatever other groups there are", async () => {
    await withBench(async (bench) => {
      await groups.create({ inputs: group("eu", { nameIsDefault: true }), context: bench.context() });
      await groups.create({ inputs: group("us", { nameIsDefault: true }), context: bench.context() });
      assert.deepEqual(await names(bench), ["eu", "us"]);
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
      const context = bench.context();
      const second = await groups.create({ inputs: group("eu"), context });
      assert.equal(second.id, first.id);
      await groups.delete({ ...first, context });
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

  it("only forgets a rotation's key that is taken away", async () => {
    await withBench(async (bench) => {
      const first = await groups.create({ inputs: group("eu", { rotate: "2026-11" }), context: bench.context() });
      const { context, line } = await bench.contextOn(() => "pass");
      const request = { id: first.id, olds: first.outputs, news: group("eu"), context };
      const { changes, note } = await groups.diff(request);
      assert.deepEqual([changes, note], [true, undefined]);
      const olds = await groups.update(request);
      assert.equal((await groups.diff({ ...request, olds })).changes, false);
      assert.deepEqual(
        line.calls.filter(({ path }) => path.endsWith("/rotate")),
        [],
      );
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

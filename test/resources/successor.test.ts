import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { group } from "../../provider/resources/group";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { addressOf, withBench } from "../support/bench";

const tenant = { name: "acme", group: "eu", self: addressOf("acme") };
const eu = { name: "eu", location: "aws-eu-west-1", self: addressOf("eu") };
const brokenOff = /forced replacement took it over and was broken off.*--replace/s;

describe("a forced replacement that was killed", () => {
  it("before state had the new one: nothing is left to nobody, and another replacement puts it right", async () => {
    await withBench(async (bench) => {
      const old = await tenantDatabase.create({ inputs: tenant, context: bench.context() });
      await tenantDatabase.create({ inputs: tenant, context: bench.context() });
      await assert.rejects(async () => tenantDatabase.delete({ ...old, context: bench.context() }), brokenOff);
      assert.deepEqual(await bench.databases(), ["acme"]);

      const context = bench.context();
      const now = await tenantDatabase.create({ inputs: tenant, context });
      assert.match(String(await tenantDatabase.delete({ ...old, context })), /kept/);
      await tenantDatabase.delete({ ...now, context: bench.context() });
      assert.deepEqual(await bench.databases(), []);
    });
  });

  it("before the old one's delete: the next run's diff has shown the new one, and the old one's delete leaves it", async () => {
    await withBench(async (bench) => {
      const old = await tenantDatabase.create({ inputs: tenant, context: bench.context() });
      const now = await tenantDatabase.create({ inputs: tenant, context: bench.context() });
      const context = bench.context();
      await context.scope();
      await tenantDatabase.diff({ id: now.id, olds: now.outputs, news: tenant, context });
      assert.match(String(await tenantDatabase.delete({ ...old, context })), /kept/);
      assert.deepEqual(await bench.databases(), ["acme"]);
    });
  });

  it("does the same to a group", async () => {
    await withBench(async (bench) => {
      const old = await group.create({ inputs: eu, context: bench.context() });
      const now = await group.create({ inputs: eu, context: bench.context() });
      await assert.rejects(async () => group.delete({ ...old, context: bench.context() }), brokenOff);
      const context = bench.context();
      await context.scope();
      await group.diff({ id: now.id, olds: now.outputs, news: eu, context });
      await group.delete({ ...old, context });
      await group.delete({ ...now, context });
      assert.deepEqual((await bench.api.ok<{ groups: unknown[] }>("GET", "/groups")).groups, []);
    });
  });
});

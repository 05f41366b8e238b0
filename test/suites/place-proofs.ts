import assert from "node:assert/strict";
import type { Proof } from "./driver-capabilities";
import { failuresOf, refusesAtCheck } from "./refusals";

/** Where a tenant's databases are, and how many there are. */
export const placeProofs = {
  isolation: {
    can: ({ platform }) => platform.capabilities.isolation,
    async works(stage) {
      assert.deepEqual(failuresOf(stage, { isolation: "L2" }), []);
      const { platform } = stage;
      const [part] = stage.parts!;
      const { name } = await stage.create({ parts: [{ ...part!, isolation: "L2" }] });
      await platform.awaitDatabase!(name, 60_000);
      for (const isolation of ["L2", "L1"]) {
        await platform.movePart!(name, { ...part!, isolation });
        assert.equal((await platform.getDatabase(name))?.parts?.[0]?.isolation, isolation);
      }
    },
    refused: async (stage) => refusesAtCheck(stage, failuresOf(stage, { isolation: "L2" }), "isolation"),
  },

  tenantRegion: {
    can: ({ platform }) => platform.capabilities.tenantRegion,
    async works(stage) {
      assert.deepEqual(failuresOf(stage, { isolation: "L2", region: "eu" }), []);
      const part = { ...stage.parts![0]!, isolation: "L2" };
      const { name } = await stage.create({ parts: [{ ...part, region: "eu-central" }] });
      await stage.platform.awaitDatabase!(name, 60_000);
      assert.equal(await stage.regionOf!(name), "eu-central");
      await stage.platform.movePart!(name, { ...part, region: "us-east" });
      assert.equal(await stage.regionOf!(name), "us-east");
    },
    refused: async (stage) => refusesAtCheck(stage, failuresOf(stage, { region: "eu" }), "region"),
  },

  severalDatabases: {
    can: ({ platform }) => platform.capabilities.severalDatabases,
    async works(stage) {
      assert.ok(stage.parts!.length > 1);
      assert.deepEqual(failuresOf(stage, { databases: stage.parts }), []);
      const { name } = await stage.create();
      const { parts = [] } = (await stage.platform.getDatabase(name))!;
      const blueprints = (all: readonly { blueprint: string }[]) => all.map(({ blueprint }) => blueprint).sort();
      assert.deepEqual(blueprints(parts), blueprints(stage.parts!));
      assert.equal(new Set(parts.map(({ connectionString }) => connectionString)).size, parts.length);
    },
    refused: async (stage) =>
      refusesAtCheck(stage, failuresOf(stage, { databases: [{ blueprint: "app" }] }), "databases"),
  },
} satisfies Record<string, Proof>;

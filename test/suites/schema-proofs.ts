import assert from "node:assert/strict";
import type { Failure } from "../../provider/resources/handler";
import { schemaRollout } from "../../provider/resources/schema-rollout";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantFleet } from "../../provider/resources/tenant-fleet";
import { type Stage, column } from "./driver";
import type { Proof } from "./driver-capabilities";
import { refusesAtCheck, self, surroundings, unsupported } from "./refusals";
import { rollsOut } from "./rollout-proof";

const template = {
  path: "migrations",
  version: "0001",
  digest: "0",
  migrations: [],
  ref: "app@0001 0 copy migrations",
};
const templateFailuresOf = (stage: Stage, more: object): Failure[] =>
  schemaTemplate.check({ news: { self, name: "app", ...template, ...more }, ...surroundings(stage) }).failures;

/** What tenants' databases are, and how a schema comes to them. */
export const schemaProofs = {
  engines: {
    can: ({ platform }) => platform.capabilities.engines.includes("sqlite"),
    async works(stage) {
      const sql = await stage.sqlOn(await stage.create());
      assert.equal((await column(sql, "SELECT sqlite_version() AS x")).length, 1);
    },
    async refused(stage) {
      const { platform } = stage;
      const made = await stage.create();
      const { engines } = platform.capabilities;
      assert.ok(made.parts!.length > 0);
      assert.ok(made.parts!.every(({ engine, connectionString }) => engines.includes(engine!) && connectionString));
      const open = async () =>
        platform.openSql!({ name: made.name, url: platform.databaseUrl(made) }, { access: "read-only" });
      await unsupported(open());
    },
  },

  dialects: {
    can: () => true,
    async works(stage) {
      const { dialects } = stage.platform.capabilities;
      for (const dialect of ["sqlite", "postgresql", "mysql", "mongodb", "redis"] as const) {
        const failures = templateFailuresOf(stage, { dialect });
        if (dialects.includes(dialect)) assert.deepEqual(failures, []);
        else refusesAtCheck(stage, failures, "dialect");
      }
    },
    refused: async () => assert.fail(),
  },

  schemas: {
    can: ({ platform }) => platform.capabilities.schemas === "migrations",
    async works(stage) {
      assert.equal(stage.platform.deployments, undefined);
      await rollsOut(stage);
    },
    async refused(stage) {
      const { platform } = stage;
      assert.ok(platform.deployments);
      const [dialect] = platform.capabilities.dialects;
      refusesAtCheck(stage, templateFailuresOf(stage, { dialect, migrate: "rollout" }), "migrate");
      const news = { self } as never;
      refusesAtCheck(stage, schemaRollout.check({ news, ...surroundings(stage) }).failures, "schema");
      refusesAtCheck(stage, tenantFleet.check({ news, ...surroundings(stage) }).failures, "tenants");
    },
  },
} satisfies Record<string, Proof>;

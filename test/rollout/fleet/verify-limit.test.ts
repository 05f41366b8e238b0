import assert from "node:assert/strict";
import { persqlPlatform } from "../../../provider/drivers/persql";
import { createContext } from "../../../provider/context";
import type { ConnectionSettings } from "../../../provider/platform/settings";
import { prepareRollout, runRollout } from "../../../provider/rollout/fleet/rollout";
import { digestOf } from "../../../provider/rollout/source";
import { withPersql } from "../../support/persql/server";
import { byState, migrationOf } from "./fleet-scene";

const inserts = (id: string, count: number) =>
  migrationOf(id, `${Array.from({ length: count }, (_, i) => `INSERT INTO t VALUES (${i})`).join(";\n")};`);

describe("the trial of a rollout where a transaction has few statements", () => {
  const rollOut = (use: readonly ReturnType<typeof migrationOf>[]) =>
    withPersql(async ({ url, adminToken }) => {
      const platform = persqlPlatform({ apiUrl: url, apiToken: adminToken });
      await platform.createDatabase({ name: "bolt", group: "acme" });
      const context = createContext(platform, { concurrency: 4 } as ConnectionSettings);
      const request = {
        ...{ context, template: { name: "app", digest: digestOf(use) }, migrations: use, stack: undefined },
        ...{ tenants: [{ name: "bolt", group: "acme" }], policy: {}, startedBy: "a test" },
      };
      const { hostname } = (await platform.getDatabase("bolt"))!;
      const report = await runRollout(await prepareRollout(request));
      const count = { sql: "SELECT count(*) AS n FROM t", args: [] };
      const sql = context.sql({ name: "bolt", hostname, group: "acme" });
      return {
        report,
        count: await sql.execute(count).then(
          ({ rows }) => rows[0]!["n"],
          () => undefined,
        ),
      };
    });

  it("tries the files that fit, and applies all", async () => {
    const table = migrationOf("0001_init", "CREATE TABLE t (x);");
    const { report, count } = await rollOut([
      table,
      inserts("0002_a", 60),
      inserts("0003_b", 60),
      inserts("0004_c", 97),
    ]);
    assert.deepEqual(byState(report), { migrated: ["bolt"] }, JSON.stringify(report));
    assert.equal(count, 60 + 60 + 97);
  });

  it("still finds in those what would fail, before anything is kept", async () => {
    const table = migrationOf("0001_init", "CREATE TABLE t (x PRIMARY KEY);");
    const twice = migrationOf("0002_twice", "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (1);");
    const { report, count } = await rollOut([table, twice, inserts("0003_b", 96)]);
    assert.match(report.stopped ?? "", /tried on bolt, taken back/);
    assert.equal(count, undefined);
  });
});

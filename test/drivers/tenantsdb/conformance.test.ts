import { tenantsdbPlatform } from "../../../provider/drivers/tenantsdb";
import { describeDriver } from "../../suites/driver";
import { describeLife } from "../../suites/driver-life";
import { usePostgres } from "../../support/postgres";
import { makeWorkspace, writeSchema } from "../../support/tenantsdb/scene";
import { startStandIn } from "../../support/tenantsdb/stand-in";

describe("TenantsDB, stood in for", function () {
  this.timeout(60_000);
  const postgres = usePostgres("TenantsDB, stood in for");

  describeDriver("tenantsdb", async () => {
    const standIn = await startStandIn({ postgres: postgres() });
    const { apiKey, id: project } = standIn.project;
    await makeWorkspace(standIn, "app", "PostgreSQL");
    await makeWorkspace(standIn, "docs", "MongoDB");
    return {
      platform: tenantsdbPlatform({ apiUrl: standIn.url, apiToken: apiKey, project }),
      location: "default",
      group: project,
      parts: [{ blueprint: "app" }, { blueprint: "docs" }],
      regionOf: (name) => standIn.project.tenants.get(name)?.databases[0]?.region,
      close: () => standIn.close(),
    };
  });

  describeLife("tenantsdb", async () => {
    const standIn = await startStandIn({ postgres: postgres(), step: 5 });
    const { apiKey, id: project, tenants } = standIn.project;
    await makeWorkspace(standIn, "app", "PostgreSQL");
    await writeSchema(standIn, "app", "CREATE TABLE t (x integer)");
    return {
      platform: tenantsdbPlatform({ apiUrl: standIn.url, apiToken: apiKey, project }),
      location: "default",
      group: project,
      parts: [{ blueprint: "app" }],
      partsWithMoments: [{ blueprint: "app", isolation: "L2" }],
      rows: {
        insert: async (name, count) =>
          void (await standIn.sql(`app__${name}`, `INSERT INTO t SELECT generate_series(1, ${count})`)),
        count: async (name) => Number((await standIn.sql(`app__${name}`, "SELECT count(*) AS n FROM t"))[0]!["n"]),
      },
      logged: async (name, query) => {
        const at = new Date().toISOString();
        tenants.get(name)!.logs.push({ query, source: "proxy", success: true, ms: 1, at });
      },
      close: () => standIn.close(),
    };
  });
});

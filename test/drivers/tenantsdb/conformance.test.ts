import { tenantsdbPlatform } from "../../../provider/drivers/tenantsdb";
import { describeDriver } from "../../suites/driver";
import { usePostgres } from "../../support/postgres";
import { makeWorkspace } from "../../support/tenantsdb/scene";
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
      close: () => standIn.close(),
    };
  });
});

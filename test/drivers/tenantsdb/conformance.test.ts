import { tenantsdbPlatform } from "../../../provider/drivers/tenantsdb";
import { type PostgresServer, startPostgres } from "../../../tools/postgres/server";
import { describeDriver } from "../../suites/driver";
import { makeWorkspace } from "../../support/tenantsdb/scene";
import { startStandIn } from "../../support/tenantsdb/stand-in";

describe("TenantsDB, stood in for", function () {
  let postgres: PostgresServer;
  this.timeout(60_000);
  before(async () => void (postgres = await startPostgres()));
  after(() => postgres?.close());

  describeDriver("tenantsdb", async () => {
    const standIn = await startStandIn({ postgres });
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

import { persqlPlatform } from "../../provider/drivers/persql";
import { describeDriver } from "../suites/driver";
import { describeLife } from "../suites/driver-life";
import { startPersql } from "../support/persql/server";

async function start() {
  // Some time passes before a new database is there, as it would.
  const { url, adminToken, close } = await startPersql({ provisioning: 1 });
  return { platform: persqlPlatform({ apiUrl: url, apiToken: adminToken }), location: "auto", group: "acme", close };
}

describeDriver("persql", start);
describeLife("persql", start);

import { tursoPlatform } from "../../provider/drivers/turso";
import { startLocalPlatform } from "../../provider/local";
import { describeDriver } from "../suites/driver";

// The embedded platform speaks the Turso Platform API: the driver works on it with nothing but its address changed.
describeDriver("turso", async () => {
  const local = await startLocalPlatform();
  const platform = tursoPlatform({
    apiUrl: local.url,
    apiToken: local.apiToken,
    organization: "local",
    databaseUrl: `${local.url}/db/{name}/`,
  });
  return { platform, location: "aws-eu-west-1", close: () => local.close() };
});

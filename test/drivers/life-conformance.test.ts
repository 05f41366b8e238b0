import { localPlatform } from "../../provider/drivers/local";
import { tursoPlatform } from "../../provider/drivers/turso";
import { startLocalPlatform } from "../../provider/local";
import { describeLife } from "../suites/driver-life";

describeLife("turso", async () => {
  const local = await startLocalPlatform();
  const { url: apiUrl, apiToken } = local;
  const platform = tursoPlatform({
    ...{ apiUrl, apiToken, organization: "local", databaseUrl: `${apiUrl}/db/{name}/` },
  });
  return { platform, location: "aws-eu-west-1", close: () => local.close() };
});

describeLife("local", async () => {
  const local = await startLocalPlatform();
  const platform = localPlatform({ apiUrl: local.url, apiToken: local.apiToken });
  return { platform, location: "local", close: () => local.close() };
});

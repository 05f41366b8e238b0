import { localPlatform } from "../../provider/drivers/local";
import { tursoPlatform } from "../../provider/drivers/turso";
import { startLocalPlatform } from "../../provider/local";
import { shownPlatforms } from "../../tools/capabilities/platforms";
import { describeDriver } from "../suites/driver";
import { peopleOf } from "../support/people";

// The embedded platform speaks the Turso Platform API, so both drivers of that API are held to the suite on it: Turso's
// with nothing but its addresses changed, and the local one as users get it.
describeDriver("turso", async () => {
  const local = await startLocalPlatform();
  const platform = tursoPlatform({
    apiUrl: local.url,
    apiToken: local.apiToken,
    organization: "local",
    databaseUrl: `${local.url}/db/{name}/`,
  });
  // Turso's older databases take them, current ones do not; the embedded platform's are as the current ones.
  const perDatabase = shownPlatforms.find(({ name }) => name === "turso")?.perDatabase?.flags;
  return { platform, location: "aws-eu-west-1", perDatabase, people: peopleOf(local), close: () => local.close() };
});

describeDriver("local", async () => {
  const local = await startLocalPlatform();
  const platform = localPlatform({ apiUrl: local.url, apiToken: local.apiToken });
  return { platform, location: "local", people: peopleOf(local), close: () => local.close() };
});

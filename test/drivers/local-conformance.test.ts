import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localPlatform } from "../../provider/drivers/local";
import { startLocalPlatform } from "../../provider/local";
import { describeDriver } from "../suites/driver";
import { peopleOf } from "../support/people";

// Found as a user's program finds it: by the file that a running platform publishes in the project's folder.
describeDriver("local", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tenantry-project-"));
  await mkdir(join(directory, ".git"));
  const local = await startLocalPlatform({ directory: join(directory, ".tenantry", "local") });
  const close = async (): Promise<void> => {
    await local.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { platform: localPlatform({ directory }), location: "aws-eu-west-1", people: peopleOf(local), close };
});

describeDriver("local, a second organization", async () => {
  const local = await startLocalPlatform({ organizations: ["local", "globex"] });
  const platform = localPlatform({ apiUrl: local.url, apiToken: local.apiToken, organization: "globex" });
  return { platform, location: "aws-eu-west-1", people: peopleOf(local, "globex"), close: () => local.close() };
});

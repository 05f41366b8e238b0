import type { LocalPlatform } from "../../provider/local";
import { apiCaller } from "../local/api-caller";
import type { PeopleUnderTest } from "../suites/driver";

/** What people do for themselves, on the embedded platform. */
export function peopleOf(platform: LocalPlatform, organization = "local"): PeopleUnderTest {
  // Calls are put together after /v1.
  const api = apiCaller(platform);
  return {
    signUp: async (username, email) => void (await api.ok("PUT", `/../tenantry/users/${username}`, { email })),
    accept: async (email, username) =>
      void (await api.ok("POST", `/../tenantry/organizations/${organization}/invites/${email}/accept`, { username })),
    async isTaken(apiToken) {
      const { status } = await apiCaller(platform, organization, apiToken)("GET", "/groups");
      return status !== 401;
    },
  };
}

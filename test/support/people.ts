import type { LocalPlatform } from "../../provider/local";
import type { Context } from "../../provider/context";
import { apiCaller } from "../local/api-caller";
import type { PeopleUnderTest } from "../suites/driver";
import { type Bench, withBench } from "./bench";
import type { Fate, LineCall } from "./faulty-line";

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

/** The bench with accounts of "ada" and "linus". */
export const withPeople = (use: (bench: Bench, context: Context) => Promise<void>) =>
  withBench(async (bench) => {
    const people = peopleOf(bench.platform);
    for (const name of ["ada", "linus"]) await people.signUp(name, `${name}@example.com`);
    await use(bench, bench.context());
  });

/** The first POST there is done, and its reply lost. */
export function loseOnce(part: string): (call: LineCall) => Fate {
  let isLost = false;
  return ({ method, path }) => {
    if (isLost || method !== "POST" || !path.includes(part)) return "pass";
    isLost = true;
    return "lose";
  };
}

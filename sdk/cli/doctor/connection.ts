import { type PlatformDatabase, scopeText } from "../../../provider/platform/platform";
import { selectPlatform } from "../../../provider/platform/select";
import type { ConnectionSettings } from "../../../provider/platform/settings";
import { isReserved } from "../../../provider/registry/reserved-names";
import { quotaCheck, scopesCheck, tokenCheck } from "./account";
import { type Check, counted, failed, ok } from "./check";
import { registryChecks } from "./registries";
import { unusedToken } from "./settings";

/**
 * All that can be told of one configured connection. Ends at the first thing that the rest would fail of too. `stack`:
 * organization/project/stack, for the commands to name.
 */
export async function* connectionChecks(settings: ConnectionSettings, stack?: string): AsyncGenerator<Check> {
  const unused = unusedToken(settings);
  if (unused) yield unused;
  const reached = await step("platform", async () => {
    const platform = selectPlatform(settings, { impatient: true });
    const scope = await platform.scope();
    const locations = (await platform.listLocations()).length;
    return [ok("platform", `${scopeText(scope)} answers, with ${counted(locations, "location")}`), { platform, scope }];
  });
  yield reached.check;
  if (!reached.value) return;
  const { platform, scope } = reached.value;

  const organization = settings.organization ?? (platform.name === "local" ? "local" : scope.organization);
  const known = await step("token", async () => {
    const account = await platform.account();
    return [tokenCheck(account), account];
  });
  yield known.check;
  const account = known.value;
  if (!account || known.check.status === "problem") return;
  yield scopesCheck(account.grant, organization);

  const listed = await step("organization", async () => {
    const groups = await platform.listGroups();
    const databases = new Map<string, PlatformDatabase>();
    for await (const database of platform.listDatabases()) databases.set(database.name, database);
    const found = `"${organization}" has ${counted(groups.length, "group")} and ${counted(databases.size, "database")}`;
    return [ok("organization", found), { groups, databases }];
  });
  yield listed.check;
  if (!listed.value) return;
  const { groups, databases } = listed.value;

  const own = [...databases.keys()].filter(isReserved).length;
  for (const quota of account.quotas) {
    const [counted, ours] = quota.what === "groups" ? [groups.length, 0] : [databases.size, own];
    yield quotaCheck(quota, counted, ours, account.plan);
  }
  yield* await registryChecks({ platform, databases, stack, connection: settings.connection }, groups);
}

/** Runs one check; its error is what it found, and there is no value then. */
async function step<Value>(
  name: string,
  run: () => Promise<[Check, Value]>,
): Promise<{ check: Check; value: Value | undefined }> {
  try {
    const [check, value] = await run();
    return { check, value };
  } catch (error) {
    return { check: failed(name, error), value: undefined };
  }
}

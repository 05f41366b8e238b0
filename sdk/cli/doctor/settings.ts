import { type Config, readConnections } from "../../../provider/platform/connections";
import { type ConnectionSettings, type SettingName, readSettings } from "../../../provider/platform/settings";
import { readStackConfig } from "../stack-config";
import { type Check, counted, failed, ok, warning } from "./check";

export type Flags = Partial<Record<SettingName, string>>;

/** One connection as configured; without `settings` where that failed. */
export interface Configured {
  readonly check: Check;
  readonly settings?: ConnectionSettings;
}

/** Every connection there is: the stack's own, then the named ones. Flags, then environment, then the stack's config. */
export async function* readConfiguration(flags: Flags, stack: string | undefined): AsyncGenerator<Configured> {
  let config: Config = {};
  if (stack !== undefined) {
    try {
      config = await readStackConfig(stack);
      yield { check: ok("stack", `"${stack}" has ${counted(Object.keys(config).length, "setting")} under tenantry:`) };
    } catch (error) {
      yield { check: failed("stack", error) };
      // Without it, "nothing is configured" would be said of what may well be configured there.
      if (!flags.platform && !process.env["TENANTRY_PLATFORM"]) return;
    }
  }
  let names: string[] = [];
  try {
    names = [...readConnections(config.connections).keys()];
  } catch {
    // Reading the stack's own settings meets the same fault, and tells it.
  }
  const anyOwn = flags.platform || process.env["TENANTRY_PLATFORM"] || config.platform;
  if (anyOwn || names.length === 0) yield settingsOf(config, flags, undefined, stack);
  for (const name of names) yield settingsOf(config, flags, name, stack);
}

function settingsOf(
  config: Config,
  flags: Flags,
  connection: string | undefined,
  stack: string | undefined,
): Configured {
  try {
    const settings = readSettings(config, process.env, connection, flags);
    return { check: { ...ok("settings", described(settings)), connection }, settings };
  } catch (error) {
    const found = failed("settings", error);
    const hint = stack === undefined ? " (no --stack was given: only flags and the environment were read)" : "";
    return { check: { ...found, found: `${found.found.replace(/\.$/, "")}${hint}`, connection } };
  }
}

/** What was chosen and where each value came from; of the token only where from. */
function described({ sources, ...settings }: ConnectionSettings): string {
  const from = (name: SettingName, otherwise: string): string => `(${sources[name] ?? otherwise})`;
  const { platform, organization, apiUrl, databaseUrl, concurrency, maxRemovals } = settings;
  const local = platform === "local";
  return [
    `platform "${platform}" ${from("platform", "default")}`,
    organization === undefined && !local
      ? `organization that of the ${platform === "libsql-server" ? "server" : "API token"} (default)`
      : `organization "${organization ?? "local"}" ${from("organization", "default")}`,
    `API ${apiUrl ? `${apiUrl} ` : ""}${from("apiUrl", local ? "found in .tenantry/local" : "default")}`,
    `API token ${from("apiToken", local ? "found in .tenantry/local" : "none")}`,
    ...(sources.signingKey ? [`signing key ${from("signingKey", "none")}`] : []),
    ...(databaseUrl ? [`database addresses ${databaseUrl} ${from("databaseUrl", "default")}`] : []),
    `concurrency ${concurrency} ${from("concurrency", "default")}`,
    ...(maxRemovals === undefined ? [] : [`maxRemovals ${maxRemovals} ${from("maxRemovals", "default")}`]),
  ].join(", ");
}

/** Said of a local platform whose configured token counts for nothing, because no address was given for it. */
export function unusedToken({ platform, apiUrl, sources }: ConnectionSettings): Check | undefined {
  if (platform !== "local" || apiUrl || !sources.apiToken) return undefined;
  return warning(
    "settings",
    `the API token from ${sources.apiToken} is not used: the local platform publishes its own`,
    "Remove it, or set tenantry:apiUrl to the address that it belongs to.",
  );
}

import { type Config, connectionKeys, readConnections, tokenVariable, variableOf } from "./connections";
import { didYouMean } from "./did-you-mean";
import { TenantryError } from "./errors";
import { requireSettings } from "./missing-settings";
import type { PlatformName } from "./platform";
import {
  type Setting,
  checkApiUrl,
  checkDatabaseUrl,
  checkOrganization,
  checkSigningKey,
  checkToken,
  refuseUnknownKeys,
  wholeNumber,
} from "./setting-checks";

/** One platform under one credential, as configured. */
export interface ConnectionSettings {
  /** The name under `tenantry:connections`; undefined: the stack's own connection. */
  readonly connection: string | undefined;
  readonly platform: PlatformName;
  /** Always given for turso; undefined for local means the driver's default. */
  readonly organization: string | undefined;
  /** The control plane without a slash at its end. Always given for turso; undefined for local: found on disk. */
  readonly apiUrl: string | undefined;
  /** Always given for turso. */
  readonly apiToken: string | undefined;
  /** A template of database addresses with `{name}` or `{hostname}`; undefined: the driver's default. */
  readonly databaseUrl: string | undefined;
  /** What tokens are signed with, where the platform mints none. Always given for libsql-server. */
  readonly signingKey: string | undefined;
  /** TenantsDB: the project's password for connections; undefined: learned where the platform shows it. */
  readonly proxyPassword?: string;
  /** Calls in flight at most, 1 to 256. Default 32. */
  readonly concurrency: number;
  /** Databases that one refresh may find gone; undefined: the default of 10, or 5 % of more. */
  readonly maxRemovals: number | undefined;
  /** Where each value came from, for messages: "tenantry:apiToken", "TURSO_API_TOKEN". */
  readonly sources: Readonly<Partial<Record<SettingName, string>>>;
}

export type SettingName = (typeof connectionKeys)[number] | "concurrency" | "maxRemovals";

const stackKeys = [...connectionKeys, "concurrency", "maxRemovals", "connections"] as const;
const platforms = ["turso", "local", "libsql-server", "persql", "tenantsdb"] as const satisfies readonly PlatformName[];
const built: readonly PlatformName[] = ["turso", "local", "libsql-server", "persql", "tenantsdb"];

/** Where the API of a hosted platform is. PerSQL docs: api.persql.com. */
const apiUrls: Partial<Record<PlatformName, string>> = {
  turso: "https://api.turso.tech",
  persql: "https://api.persql.com",
};

const environment: Record<SettingName, readonly string[]> = {
  platform: ["TENANTRY_PLATFORM"],
  organization: ["TENANTRY_ORGANIZATION"],
  apiUrl: ["TENANTRY_API_URL"],
  apiToken: ["TENANTRY_API_TOKEN"],
  databaseUrl: ["TENANTRY_DATABASE_URL"],
  signingKey: ["TENANTRY_SIGNING_KEY"],
  proxyPassword: ["TENANTRY_PROXY_PASSWORD"],
  concurrency: ["TENANTRY_CONCURRENCY"],
  maxRemovals: ["TENANTRY_MAX_REMOVALS"],
};

/** Read only where the platform is Turso: a real Turso token must never reach anything else. */
const tursoEnvironment: Partial<Record<SettingName, readonly string[]>> = {
  organization: ["TURSO_ORGANIZATION", "TURSO_ORG"],
  apiUrl: ["TURSO_API_URL", "TURSO_BASE_URL"],
  apiToken: ["TURSO_API_TOKEN", "TURSO_TOKEN"],
};

/**
 * Reads one connection's settings. `config` is the stack's, without the prefix "tenantry:". Environment wins over
 * config, because the engine hands refresh and destroy the config of the last `up`, whose secrets may be spent.
 * A named connection takes nothing from the stack's own but `concurrency` and `maxRemovals`, so that no token travels
 * to an address it was not given for; its token may come from TENANTRY_API_TOKEN_<NAME>. An empty value counts as none.
 * `flags` are a command's, win over both, and belong to the stack's own connection; so does `last`, where nobody else says
 * anything: a manifest's head.
 *
 * Fails with "not-configured", "credentials-missing", "unsupported" or "invalid-input"; no message holds a secret.
 */
export function readSettings(
  config: Config,
  env: NodeJS.ProcessEnv,
  connection?: string,
  flags: Partial<Record<SettingName, string>> = {},
  last: (name: SettingName) => Setting | undefined = () => undefined,
): ConnectionSettings {
  refuseUnknownKeys(config, stackKeys, "tenantry:");
  const connections = readConnections(config.connections);
  if (connection !== undefined) return namedConnection(connection, connections, config, env);
  const below = find(config, env, (name) => `tenantry:${name}`, environmentOf);
  const found: Found = (name, platform) => flagOf(flags, name) ?? below(name, platform) ?? last(name);
  return settingsOf(undefined, found, config, env);
}

function flagOf(flags: Partial<Record<SettingName, string>>, name: SettingName): Setting | undefined {
  const value = flags[name]?.trim();
  return value ? { value, source: `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}` } : undefined;
}

type Found = (name: SettingName, platform?: PlatformName) => Setting | undefined;

const environmentOf = (name: SettingName, platform: PlatformName | undefined): readonly string[] => [
  ...environment[name],
  ...((platform === "turso" && tursoEnvironment[name]) || []),
];

/** Looks a value up: environment first, then config. */
function find(
  config: Config,
  env: NodeJS.ProcessEnv,
  pathOf: (name: SettingName) => string,
  variables: (name: SettingName, platform: PlatformName | undefined) => readonly string[],
): Found {
  return (name, platform) => {
    for (const variable of variables(name, platform)) {
      const value = env[variable]?.trim();
      if (value) return { value, source: variable };
    }
    const value = config[name]?.trim();
    return value ? { value, source: pathOf(name) } : undefined;
  };
}

function namedConnection(
  connection: string,
  connections: ReadonlyMap<string, Config>,
  config: Config,
  env: NodeJS.ProcessEnv,
): ConnectionSettings {
  const own = connections.get(connection);
  if (!own) {
    const guess = didYouMean(connection, connections.keys());
    throw new TenantryError(
      "not-configured",
      `connection: there is no "${connection}" in tenantry:connections${guess ? `; did you mean "${guess}"?` : "."}`,
      { fix: `Run \`pulumi config set --path tenantry:connections.${connection}.platform turso\`.` },
    );
  }
  const variables = (name: SettingName): string[] => {
    if (name === "signingKey") return [variableOf("TENANTRY_SIGNING_KEY", connection)];
    return name === "apiToken" ? [tokenVariable(connection)] : [];
  };
  const pathOf = (name: SettingName): string => `tenantry:connections.${connection}.${name}`;
  return settingsOf(connection, find(own, env, pathOf, variables), config, env);
}

function settingsOf(
  connection: string | undefined,
  found: Found,
  config: Config,
  env: NodeJS.ProcessEnv,
): ConnectionSettings {
  const path = connection === undefined ? "tenantry:" : `tenantry:connections.${connection}.`;
  const flags = connection === undefined ? "" : "--path ";
  const platformSetting = found("platform");
  const platform = checkPlatform(platformSetting, path, flags);
  const setting = (name: SettingName): Setting | undefined => found(name, platform);
  const shared = find(config, env, (name) => `tenantry:${name}`, environmentOf);
  const settings = {
    organization: setting("organization"),
    apiUrl: setting("apiUrl"),
    apiToken: setting("apiToken"),
    databaseUrl: setting("databaseUrl"),
    signingKey: setting("signingKey"),
    proxyPassword: setting("proxyPassword"),
    concurrency: shared("concurrency"),
    maxRemovals: shared("maxRemovals"),
  };
  const organization = settings.organization && checkOrganization(settings.organization);
  const apiUrl = settings.apiUrl ? checkApiUrl(settings.apiUrl, platform === "local") : undefined;
  const apiToken = settings.apiToken && checkToken(settings.apiToken);
  const databaseUrl = settings.databaseUrl && checkDatabaseUrl(settings.databaseUrl);
  const concurrency = settings.concurrency ? wholeNumber(settings.concurrency, 1, 256) : 32;
  const maxRemovals = settings.maxRemovals && wholeNumber(settings.maxRemovals, 0, 1_000_000);
  const signingKey = settings.signingKey && checkSigningKey(settings.signingKey);
  requireSettings(platform, { organization, apiUrl, apiToken, databaseUrl, signingKey }, connection);
  if (platform === "persql" && settings.databaseUrl) throw servedByApi(settings.databaseUrl);
  const proxyPassword = settings.proxyPassword && checkToken(settings.proxyPassword);
  if (platform === "tenantsdb" && settings.databaseUrl) throw noTemplate(settings.databaseUrl);
  const sources: Partial<Record<SettingName, string>> = {};
  for (const [name, one] of Object.entries({ platform: platformSetting, ...settings })) {
    if (one) sources[name as SettingName] = one.source;
  }
  return {
    connection,
    platform,
    organization,
    apiUrl: apiUrl ?? apiUrls[platform],
    apiToken,
    databaseUrl,
    signingKey,
    ...(proxyPassword ? { proxyPassword } : {}),
    concurrency,
    maxRemovals,
    sources,
  };
}

function checkPlatform(setting: Setting | undefined, path: string, flags: string): PlatformName {
  if (!setting) {
    const set = `pulumi config set ${flags}${path}platform`;
    throw new TenantryError("not-configured", `No platform is configured (${path}platform).`, {
      fix: `Run \`${set} local\` for the embedded platform, or \`${set} turso\` for Turso.`,
    });
  }
  const known = platforms.find((name) => name === setting.value);
  if (!known) {
    const guess = didYouMean(setting.value, built);
    throw new TenantryError(
      "invalid-input",
      `${setting.source}: there is no platform "${setting.value}"${guess ? `; did you mean "${guess}"?` : "."}`,
      { fix: `Use one of ${built.map((name) => `"${name}"`).join(", ")}.` },
    );
  }
  if (!built.includes(known)) {
    throw new TenantryError("unsupported", `${setting.source}: the platform "${known}" is not in this release.`, {
      fix: `Use one of ${built.map((name) => `"${name}"`).join(", ")}.`,
    });
  }
  return known;
}

/** Our own SQL goes along with the API's token, which is for the API's address alone. */
const servedByApi = ({ source }: Setting): TenantryError =>
  new TenantryError("invalid-input", `${source}: PerSQL serves its databases at the API's own address.`, {
    fix: "Leave it out; another address of the API is tenantry:apiUrl.",
  });
const noTemplate = ({ source }: Setting): TenantryError =>
  new TenantryError(
    "invalid-input",
    `${source}: tenants of TenantsDB have connection strings, which no template makes.`,
    { fix: "Take it out." },
  );

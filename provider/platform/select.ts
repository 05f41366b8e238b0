import { libsqlServerPlatform } from "../drivers/libsql-server";
import { localPlatform } from "../drivers/local";
import { persqlPlatform } from "../drivers/persql";
import { tenantsdbPlatform } from "../drivers/tenantsdb";
import { tursoPlatform } from "../drivers/turso";
import { TenantryError } from "./errors";
import type { Platform } from "./platform";
import type { ConnectionSettings } from "./settings";

export interface SelectOptions {
  /** Somebody waits for the answer: an address where nobody answers is told within seconds, not outlasted. */
  readonly impatient?: boolean;
}

/** The driver for a connection. The only place that names drivers. Opens no connection. */
export function selectPlatform(settings: ConnectionSettings, { impatient = false }: SelectOptions = {}): Platform {
  const { platform, organization, apiUrl, apiToken, databaseUrl, signingKey, concurrency } = settings;
  switch (platform) {
    case "local":
      return localPlatform({ apiUrl, apiToken, organization, databaseUrl, concurrency });
    case "turso":
      return tursoPlatform({
        apiUrl: apiUrl ?? lacking("apiUrl"),
        apiToken: apiToken ?? lacking("apiToken"),
        organization: organization ?? lacking("organization"),
        databaseUrl,
        concurrency,
        retry: impatient ? { outageAttempts: 3 } : undefined,
      });
    case "libsql-server":
      return libsqlServerPlatform({
        apiUrl: apiUrl ?? lacking("apiUrl"),
        apiToken,
        databaseUrl: databaseUrl ?? lacking("databaseUrl"),
        signingKey: signingKey ?? lacking("signingKey"),
        concurrency,
        retry: impatient ? { outageAttempts: 3 } : undefined,
      });
    case "persql":
      return persqlPlatform({
        apiUrl: apiUrl ?? lacking("apiUrl"),
        apiToken: apiToken ?? lacking("apiToken"),
        organization,
        concurrency,
        retry: impatient ? { outageAttempts: 3 } : undefined,
      });
    case "tenantsdb":
      return tenantsdbPlatform({
        apiUrl,
        apiToken: apiToken ?? lacking("apiToken"),
        project: organization ?? lacking("organization"),
        proxyPassword: settings.proxyPassword,
        concurrency,
        retry: impatient ? { outageAttempts: 3 } : undefined,
      });
    default:
      throw new TenantryError("unsupported", `The platform "${platform}" is not in this release.`, {
        fix: 'Use "turso", "local", "libsql-server" or "persql".',
      });
  }
}

/** For settings that were not read by `readSettings`, which refuses these gaps in more words. */
function lacking(key: string): never {
  throw new TenantryError("not-configured", `tenantry:${key} is missing.`, {
    fix: `Run \`pulumi config set tenantry:${key}\`.`,
  });
}

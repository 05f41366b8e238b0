import { localPlatformAt } from "../drivers/local/at-address";
import { persqlPlatform } from "../drivers/persql";
import { tursoPlatform } from "../drivers/turso";
import { TenantryError } from "./errors";
import type { Platform } from "./platform";
import type { ConnectionSettings } from "./settings";

/** As `selectPlatform`, where there is no disk to find the embedded platform on: its address and token are given. */
export function selectRemotePlatform(settings: ConnectionSettings): Platform {
  const { platform, organization, apiUrl, apiToken, databaseUrl, concurrency } = settings;
  if (!apiUrl || !apiToken) {
    throw new TenantryError("not-configured", `${apiUrl ? "token" : "apiUrl"}: it has to be given here.`, {
      fix: "There is no disk to look for the platform on: pass apiUrl and token, as `npx tenantry local` prints them.",
    });
  }
  if (platform === "libsql-server") {
    throw new TenantryError("unsupported", "Tokens for a libsql-server are signed by Node.js, which is not here.", {
      fix: "Pass tokenFor and urlFor, and mint the tokens where Node.js runs.",
    });
  }
  if (platform === "local") return localPlatformAt({ apiUrl, apiToken, organization, databaseUrl, concurrency });
  if (platform === "persql") return persqlPlatform({ apiUrl, apiToken, organization, concurrency });
  if (platform === "tenantsdb") {
    throw new TenantryError("unsupported", "platform: TenantsDB opens no tenant at the edge.", {
      fix: "Give the application its tenants' connection strings, which a TenantDatabase has.",
    });
  }
  return tursoPlatform({ apiUrl, apiToken, organization: organization!, databaseUrl, concurrency });
}

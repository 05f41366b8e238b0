import { TenantryError } from "../../provider/platform/errors";
import type { Platform } from "../../provider/platform/platform";

export interface ConnectionStringOptions {
  /** Which of the tenant's databases. Default: its only one. */
  readonly blueprint?: string;
  /** A Redis string holds the project's API key, which opens every tenant: only true has it. @default false */
  readonly allowApiKey?: boolean;
}

/** What a client of the database's own kind takes; for people it is a secret. One look at the platform. */
export async function connectionStringOf(
  platform: Platform,
  name: string,
  { blueprint, allowApiKey = false }: ConnectionStringOptions,
): Promise<string> {
  if (platform.capabilities.engines.includes("sqlite")) {
    throw new TenantryError(
      "unsupported",
      `${name}: databases of ${platform.name} are libSQL, which no string opens.`,
      { fix: "Use connect." },
    );
  }
  const parts = (await platform.getDatabase(name))?.parts;
  if (!parts) {
    throw new TenantryError("database-not-found", `There is no tenant "${name}".`, { fix: "Check the tenant's id." });
  }
  const part =
    blueprint === undefined && parts.length === 1 ? parts[0] : parts.find((one) => one.blueprint === blueprint);
  if (!part) {
    const known = parts.map((one) => `"${one.blueprint}"`).join(", ");
    throw new TenantryError("invalid-input", `blueprint: ${name} has ${known}.`, { fix: "Name one of them." });
  }
  if (part.engine === "redis" && !allowApiKey) {
    throw new TenantryError(
      "needs-decision",
      `${name}: the string of "${part.blueprint}" (redis) holds the project's API key.`,
      { fix: "Say allowApiKey: true where whoever gets it may have all of the project." },
    );
  }
  if (part.connectionString !== undefined) return part.connectionString;
  throw new TenantryError(
    "credentials-missing",
    `${name}: ${platform.name} shows the password of "${part.blueprint}" masked.`,
    { fix: "Set TENANTRY_PROXY_PASSWORD to the project's password for connections." },
  );
}

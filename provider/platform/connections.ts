import { TenantryError } from "./errors";
import { refuseUnknownKeys } from "./setting-checks";

/** Configuration as it arrives: texts by key. */
export type Config = Record<string, string | undefined>;

/** What a named connection can set; the stack's own connection can set the same, and more. */
export const connectionKeys = [
  "platform",
  "organization",
  "apiUrl",
  "apiToken",
  "databaseUrl",
  "signingKey",
  "proxyPassword",
] as const;

/** The variable with a named connection's token: "eu-prod" has TENANTRY_API_TOKEN_EU_PROD. */
export function tokenVariable(connection: string): string {
  return variableOf("TENANTRY_API_TOKEN", connection);
}

/** The same for any variable; the stack's own connection has it as it is. */
export function variableOf(variable: string, connection: string | undefined): string {
  return connection === undefined ? variable : `${variable}_${connection.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
}

/** `tenantry:connections` as a map; a Map, so that a connection may be called "constructor". */
export function readConnections(text: string | undefined): ReadonlyMap<string, Config> {
  if (!text?.trim()) return new Map();
  const where = "tenantry:connections";
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The text may hold secrets: the parser's message, which quotes it, is left out.
    throw notAnObject(where);
  }
  const connections = new Map<string, Config>();
  for (const [name, value] of entriesOf(parsed, where)) {
    const connection: [string, string | undefined][] = [];
    for (const [key, one] of entriesOf(value, `${where}.${name}`)) {
      if (one !== null && typeof one !== "string") {
        throw new TenantryError("invalid-input", `${where}.${name}.${key}: it is not a string.`, {
          fix: "Write it as a string.",
        });
      }
      connection.push([key, one ?? undefined]);
    }
    const config: Config = Object.fromEntries(connection);
    refuseUnknownKeys(config, connectionKeys, `${where}.${name}.`);
    connections.set(name, config);
  }
  return connections;
}

function entriesOf(value: unknown, where: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw notAnObject(where);
  return Object.entries(value);
}

function notAnObject(where: string): TenantryError {
  return new TenantryError("invalid-input", `${where}: it is not an object.`, {
    fix: "Set its parts one by one, such as `pulumi config set --path tenantry:connections.eu.platform turso`.",
  });
}

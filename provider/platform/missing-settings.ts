import { tokenVariable, variableOf } from "./connections";
import { TenantryError } from "./errors";
import type { PlatformName } from "./platform";

/** What of a connection's settings is there. */
interface Given {
  readonly organization: unknown;
  readonly apiUrl: unknown;
  readonly apiToken: unknown;
  readonly databaseUrl: unknown;
  readonly signingKey: unknown;
}

/** Refuses a connection that lacks what its platform cannot be used without, with the command that sets it. */
export function requireSettings(platform: PlatformName, given: Given, connection: string | undefined): void {
  const path = connection === undefined ? "tenantry:" : `tenantry:connections.${connection}.`;
  const flags = connection === undefined ? "" : "--path ";
  const whose = connection === undefined ? "" : ` for the connection "${connection}"`;
  // PerSQL docs: a token belongs to one namespace, so that need not be named.
  if (platform === "turso" || platform === "persql") {
    if (!given.apiToken) throw tokenMissing(platform, connection, path, flags, whose);
    if (platform === "turso" && !given.organization) throw organizationMissing(connection, path, flags);
  }
  if (platform === "tenantsdb") requireProject(given, path, flags, whose, connection);
  if (platform !== "libsql-server") return;
  if (!given.apiUrl) {
    throw new TenantryError("not-configured", `No admin API${whose} is configured (${path}apiUrl).`, {
      fix: `Run \`pulumi config set ${flags}${path}apiUrl http://127.0.0.1:9090\`, with the server's --admin-listen-addr.`,
    });
  }
  if (!given.databaseUrl) {
    throw new TenantryError("not-configured", `No template of addresses${whose} is configured (${path}databaseUrl).`, {
      fix: `Run \`pulumi config set ${flags}${path}databaseUrl http://{name}.localhost:8080\`: libsql-server finds a database by the first label of its host's name.`,
    });
  }
  if (!given.signingKey) {
    const variable = variableOf("TENANTRY_SIGNING_KEY", connection);
    throw new TenantryError("credentials-missing", `No signing key${whose} is configured (${path}signingKey).`, {
      fix: `Make one with \`npx tenantry keygen | pulumi config set ${flags}--secret ${path}signingKey\`, or set the environment variable ${variable}.`,
    });
  }
}

/** An API key of TenantsDB does not say of which project it is, and state has to. */
function requireProject(
  given: Given,
  path: string,
  flags: string,
  whose: string,
  connection: string | undefined,
): void {
  if (!given.apiToken) {
    const variable = connection === undefined ? "TENANTRY_API_TOKEN" : tokenVariable(connection);
    throw new TenantryError("credentials-missing", `No API key of TenantsDB${whose} is configured.`, {
      fix: `Run \`pulumi config set ${flags}--secret ${path}apiToken\`, or set the environment variable ${variable}.`,
    });
  }
  if (given.organization) return;
  throw new TenantryError("not-configured", `No project of TenantsDB${whose} is configured (${path}organization).`, {
    fix: `Run \`pulumi config set ${flags}${path}organization <id>\` with the project's id, such as tdb_2abf90d3: it is the user in its connection strings.`,
  });
}

const vendors = {
  turso: { title: "Turso", variable: "TURSO_API_TOKEN" },
  persql: { title: "PerSQL", variable: "TENANTRY_API_TOKEN" },
};

function tokenMissing(
  platform: keyof typeof vendors,
  connection: string | undefined,
  path: string,
  flags: string,
  whose: string,
): TenantryError {
  const { title, variable: own } = vendors[platform];
  const variable = connection === undefined ? own : tokenVariable(connection);
  return new TenantryError("credentials-missing", `No ${title} API token${whose} is configured.`, {
    fix: `Run \`pulumi config set ${flags}--secret ${path}apiToken\`, or set the environment variable ${variable}.`,
  });
}

function organizationMissing(connection: string | undefined, path: string, flags: string): TenantryError {
  const variable = connection === undefined ? ", or set the environment variable TURSO_ORGANIZATION" : "";
  return new TenantryError("not-configured", `No Turso organization is configured (${path}organization).`, {
    fix: `Run \`pulumi config set ${flags}${path}organization <slug>\`${variable}; \`turso org list\` shows the slugs.`,
  });
}

import {
  type Project,
  type StoredDatabase,
  type StoredDeployment,
  type StoredTenant,
  type StoredWorkspace,
  databaseName,
  versionText,
  workspaceDatabase,
} from "./state";

export interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** TenantsDB docs, envelope: fields stand beside `success`, `http_status` and `code`. */
export const ok = (body: Record<string, unknown>, status = 200): Reply => ({
  status,
  body: { success: true, http_status: status, code: status === 201 ? "created" : "ok", ...body },
});

const codes: Record<number, string> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  429: "rate_limited",
  500: "internal_error",
};

export const failure = (status: number, error: string, code = codes[status]!): Reply => ({
  status,
  body: { success: false, http_status: status, code, error },
});

/** TenantsDB docs, connection strings: the project's id and password for all but Redis, which takes tenant and API key. */
export function stringOf(
  { id: project, proxyPassword, apiKey }: Project,
  tenant: string,
  { blueprint, engine }: StoredDatabase,
): string {
  const user = `${project}:${proxyPassword}`;
  const name = databaseName(blueprint, tenant);
  if (engine === "PostgreSQL") return `postgresql://${user}@pg.tenantsdb.com:5432/${name}?sslmode=require`;
  if (engine === "MySQL") return `mysql://${user}@mysql.tenantsdb.com:3306/${name}`;
  if (engine === "MongoDB") {
    return `mongodb://${user}@mongo.tenantsdb.com:27017/${name}?authMechanism=PLAIN&directConnection=true&tls=true`;
  }
  return `rediss://${tenant}:${apiKey}@redis.tenantsdb.com:6379/0`;
}

const bullets = "\u2022".repeat(8);

/** A create shows the string whole, inside of `connection`; on L2 there is none yet. */
export const createdDatabase = (project: Project, tenant: string, database: StoredDatabase) => ({
  blueprint: database.blueprint,
  database_type: database.engine,
  isolation_level: database.level,
  ...(database.level === 2
    ? { region: database.region ?? "eu-central" }
    : {
        connection: {
          database: databaseName(database.blueprint, tenant),
          connection_string: stringOf(project, tenant, database),
        },
      }),
});

/** A look shows it beside `connection`, with the password masked, levels as texts and engines in lower case; no region. */
export function lookedUpDatabase(project: Project, tenant: string, database: StoredDatabase) {
  const text = stringOf(project, tenant, database);
  return {
    blueprint: database.blueprint,
    database_type: database.engine.toLowerCase(),
    isolation_level: `L${database.level}`,
    connection: { host: new URL(text).hostname, database: databaseName(database.blueprint, tenant), password: bullets },
    connection_string: text.replace(/:[^:@/]+@/, `:${bullets}@`),
    version: versionText(database.version),
  };
}

export const lookedUpTenant = (project: Project, tenant: StoredTenant) => ({
  tenant_id: tenant.id,
  // TenantsDB docs: its examples of a look say "active" where all others say "ready".
  status: tenant.status === "ready" ? "active" : tenant.status,
  databases: tenant.databases.map((one) => lookedUpDatabase(project, tenant.id, one)),
  created_at: tenant.createdAt,
  ...(tenant.undoUntil
    ? { recovery_undo: { available: true, expires_at: tenant.undoUntil.toISOString(), expires_in: "23h" } }
    : {}),
});

export const listedTenant = ({ id, status, databases, createdAt }: StoredTenant) => ({
  tenant_id: id,
  status,
  databases: databases.map(({ blueprint, engine, level }) => ({
    blueprint,
    database_type: engine,
    isolation_level: level,
  })),
  created_at: createdAt,
});

export const shownWorkspace = (workspace: StoredWorkspace) => ({
  id: workspace.name,
  name: workspace.name,
  mode: workspace.mode,
  database: workspace.engine,
  created_at: workspace.createdAt,
  ...(workspace.mode === "tenant" ? { version: versionText(workspace.statements.length) } : {}),
});

export const workspaceString = ({ id, proxyPassword }: Project, workspace: string): string =>
  `postgresql://${id}:${proxyPassword}@pg.tenantsdb.com:5432/${workspaceDatabase(workspace)}`;

export const shownDeployment = (one: StoredDeployment) => ({
  id: one.id,
  blueprint_name: one.blueprint,
  version: versionText(one.version),
  status: one.status,
  tenants_total: one.total,
  tenants_completed: one.completed,
  created_at: one.createdAt,
});

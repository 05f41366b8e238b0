import { createHttpClient } from "../http/client";
import { type Clock, systemClock } from "../http/clock";
import type { RetryPolicy } from "../http/retry";
import { TenantryError } from "../platform/errors";
import type { Platform, PlatformDatabase, Scope } from "../platform/platform";
import { createApi } from "./tenantsdb/api";
import { tenantsdbCapabilities } from "./tenantsdb/capabilities";
import { createDeployments } from "./tenantsdb/deployments";
import { tenantsdbLife } from "./tenantsdb/life";
import { postgresSql } from "./tenantsdb/postgres-sql";
import { tenantsdbProject } from "./tenantsdb/project";
import { tenantsdbTenants } from "./tenantsdb/tenants";
import { asDatabase, isWorkspace, requireControl, tenantsdbWorkspaces } from "./tenantsdb/workspaces";

export interface TenantsdbOptions {
  /** Default "https://api.tenantsdb.com". */
  readonly apiUrl?: string;
  /** An API key; it belongs to one project. */
  readonly apiToken: string;
  /** The project's id, such as "tdb_2abf90d3". */
  readonly project: string;
  /** The project's password for connections, for strings that the platform shows masked. Default: learned where it is shown. */
  readonly proxyPassword?: string;
  /** Requests at the same time. Default 32. */
  readonly concurrency?: number;
  /** Per attempt, in ms. Default 30,000. */
  readonly timeout?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * TenantsDB docs, rate limits: 100 requests a second from one address, and after five times more than that it is banned
 * for five minutes. A program, its provider and a command may ask at the same time, and know nothing of each other.
 */
const perSecond = 30;
/** After a 429 nothing is sent for so long, in ms: what is sent during a ban may make it longer. */
const pauseWhenLimited = 10_000;

/** TenantsDB's API (docs.tenantsdb.com): projects of tenants, each with databases of blueprints. */
export function tenantsdbPlatform(options: TenantsdbOptions): Platform {
  const { apiToken, project, proxyPassword, clock = systemClock } = options;
  const apiUrl = options.apiUrl ?? "https://api.tenantsdb.com";
  const client = createHttpClient({
    baseUrl: apiUrl,
    token: apiToken,
    secrets: proxyPassword === undefined ? [] : [proxyPassword],
    concurrency: options.concurrency,
    perSecond,
    pauseWhenLimited,
    timeout: options.timeout,
    retry: options.retry,
    clock,
    rejected: ({ where, problem, requestId }) =>
      new TenantryError("credentials-rejected", `The API key was rejected (${where}, 401: ${problem}).`, {
        fix:
          "Set a valid key of the project: `pulumi config set --secret tenantry:apiToken`, or TENANTRY_API_TOKEN in the environment. " +
          "Refresh and destroy use the config of the last `pulumi up`; there only the environment takes effect.",
        requestId,
      }),
  });
  const api = createApi(client);
  const tenants = tenantsdbTenants({ api, project, apiKey: apiToken, proxyPassword, clock });
  const workspaces = tenantsdbWorkspaces(api);
  const scope: Scope = { platform: "tenantsdb", organization: project, host: new URL(apiUrl).host };

  async function* listDatabases(filter: { readonly group?: string } = {}): AsyncIterable<PlatformDatabase> {
    if (filter.group !== undefined && filter.group !== project) return;
    const [living, own] = await Promise.all([tenants.listAll(), workspaces.list()]);
    yield* living;
    for (const workspace of own) if (isRegistry(workspace.name)) yield asDatabase(workspace, project);
  }

  return {
    name: "tenantsdb",
    capabilities: tenantsdbCapabilities,
    scope: async () => scope,
    knownScope: () => scope,
    ...tenantsdbProject({ api, project, listAll: () => tenants.listAll() }),
    listDatabases,
    async getDatabase(name) {
      if (!isWorkspace(name)) return tenants.getDatabase(name);
      const workspace = await workspaces.find(name);
      return workspace && asDatabase(workspace, project);
    },
    async createDatabase(spec) {
      if (spec.group !== project) throw otherGroup(spec.group, project);
      if (!isWorkspace(spec.name)) return tenants.createDatabase(spec);
      const made = requireControl(await workspaces.create(spec.name, "control"));
      // Its answer does not say when, which a later look does.
      return asDatabase((await workspaces.find(made.name)) ?? made, project);
    },
    configureDatabase: tenants.configureDatabase,
    getConfiguration: async (name) => (isWorkspace(name) ? {} : tenants.getConfiguration(name)),
    deleteDatabase: (name) => (isWorkspace(name) ? workspaces.remove(name) : tenants.deleteDatabase(name)),
    ...tenantsdbLife({ api, tenants, clock }),
    deployments: createDeployments({ api, workspaces, clock }),

    mintToken: async () => {
      throw noTokens();
    },
    rotateTokens: async () => {
      throw noTokens();
    },
    databaseUrl: ({ name }) => `${apiUrl}/tenants/${encodeURIComponent(name)}`,
    openSql({ name }) {
      if (!isWorkspace(name)) throw notOurs(name);
      return postgresSql(workspaces.queries(name), `workspace "${name}"`, clock);
    },
  };
}

const isRegistry = (name: string): boolean => name.startsWith("tenantry-registry-");

const noTokens = (): TenantryError =>
  new TenantryError(
    "unsupported",
    "TenantsDB has no tokens of a database: all tenants of a project share its credential.",
    { fix: "Use the TenantDatabase's connectionStrings." },
  );

const notOurs = (name: string): TenantryError =>
  new TenantryError(
    "unsupported",
    `${name}: tenants of TenantsDB do not speak libSQL, and Tenantry runs no SQL there.`,
    { fix: "Connect with the tenant's connection string; change its schema in its SchemaTemplate." },
  );

const otherGroup = (group: string, project: string): TenantryError =>
  new TenantryError(
    "group-not-found",
    `There is no group "${group}": on TenantsDB the project is the one group there is.`,
    { fix: `Use the project's id, "${project}".` },
  );

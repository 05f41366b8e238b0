import { createHttpClient } from "../http/client";
import { type Clock, systemClock } from "../http/clock";
import type { RetryPolicy } from "../http/retry";
import { TenantryError, hasCode } from "../platform/errors";
import type { Platform } from "../platform/platform";
import { persqlAccount } from "./persql/account";
import { createApi } from "./persql/api";
import { type Branches, persqlBranches } from "./persql/branches";
import { persqlCapabilities } from "./persql/capabilities";
import { catalogueName, createCatalogue } from "./persql/catalogue";
import { createDirectory } from "./persql/directory";
import { persqlDatabases } from "./persql/databases";
import { persqlGroups } from "./persql/groups";
import { openPersqlSql } from "./persql/sql";
import { persqlTokens } from "./persql/tokens";
import { database, read } from "./persql/wire";

export interface PersqlOptions {
  /** E.g. "https://api.persql.com". */
  readonly apiUrl: string;
  /** An admin token of the namespace, `psql_live_...`, limited to no database and no table. */
  readonly apiToken: string;
  /** The namespace's slug; another one's token is then refused. Default: whichever the token belongs to. */
  readonly organization?: string;
  /** Requests at the same time. Default 32. */
  readonly concurrency?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Default: the system's. */
  readonly clock?: Clock;
}

const noRetry = { attempts: 1, outageAttempts: 1, unreadableAttempts: 1 };

export interface PersqlPlatform extends Platform {
  /** Not in the port: no other platform has branches without rows. */
  readonly branches: Branches;
}

/** PerSQL, over the calls that take a bearer token (PerSQL docs: /v1). */
export function persqlPlatform(options: PersqlOptions): PersqlPlatform {
  const { apiUrl, apiToken, organization, concurrency, clock = systemClock } = options;
  const host = new URL(apiUrl).host;
  const settings = {
    ...{ baseUrl: apiUrl, token: apiToken, concurrency, clock },
    rejected: ({ where, problem }: { readonly where: string; readonly problem: string }) =>
      new TenantryError(
        "credentials-rejected",
        `The API token was rejected (${where}, 401${problem ? `: ${problem}` : ""}).`,
        { fix: tokenFix, platformText: problem || undefined },
      ),
  };
  const client = createHttpClient({ ...settings, retry: options.retry });
  const once = createHttpClient({ ...settings, retry: noRetry });
  const api = createApi(client, organization);
  const openAt = (hostname: string) =>
    openPersqlSql({ path: `/v1/db/${hostname}`, client, once, clock, access: "full-access" });
  const catalogue = createCatalogue(
    async () => openAt(`${(await api.me()).namespaceSlug}/${catalogueName}`),
    async () => {
      if ((await api.list()).some(({ slug }) => slug === catalogueName)) return;
      const doing = { doing: `create database "${catalogueName}"`, kind: "create" } as const;
      const body = { name: catalogueName, slug: catalogueName };
      try {
        read(database, await api.call(doing, { method: "POST", path: "/v1/databases", body }));
      } catch (error) {
        // Another process makes it in the same moment: its one is as good.
        if (!hasCode(error, "already-exists")) throw error;
      }
    },
  );
  const directory = createDirectory(api, catalogue, clock);
  const scopeOf = (namespace: string) => ({ platform: "persql" as const, organization: namespace, host });
  const prefix = `${apiUrl}/v1/db/`;

  return {
    name: "persql",
    capabilities: persqlCapabilities,
    scope: async () => scopeOf((await api.me()).namespaceSlug),
    knownScope: () => (organization === undefined ? undefined : scopeOf(organization)),
    ...persqlAccount(api),
    ...persqlGroups(api),
    ...persqlDatabases(api, directory, catalogue),
    ...persqlTokens(api, directory, catalogue),
    branches: persqlBranches(api, directory),
    databaseUrl: ({ hostname }) => `${prefix}${hostname}`,
    openSql({ name, url }, opened) {
      const hostname = url.startsWith(prefix) ? url.slice(prefix.length).replace(/\/$/, "") : "";
      // The API's own token goes along: nowhere but to the API, and to nothing of it but a database.
      if (!/^[a-z0-9][\w.-]*\/[a-z0-9][\w.-]*$/i.test(hostname)) {
        throw new TenantryError("invalid-input", `${name}: its address is none of PerSQL's at ${host}.`, {
          fix: `Give the address that its outputs have, ${prefix}<namespace>/<database>.`,
        });
      }
      return openPersqlSql({ ...opened, path: `/v1/db/${hostname}`, client, once, clock });
    },
  };
}

/** The last sentence is for refresh and destroy: the engine hands them the config of the last `up`. */
const tokenFix =
  "Set an admin token of the namespace: `pulumi config set --secret tenantry:apiToken`, or TENANTRY_API_TOKEN in the environment. " +
  "Refresh and destroy use the config of the last `pulumi up`; there only the environment takes effect.";

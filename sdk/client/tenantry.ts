import { TenantryError, hasCode } from "../../provider/platform/errors";
import type { Client } from "../../provider/platform/libsql-client";
import type { Access, Platform } from "../../provider/platform/platform";
import { ClientCache } from "./client-cache";
import { type ConnectionStringOptions, connectionStringOf } from "./connection-string";
import { type Deprovision, createDeprovision } from "./deprovision";
import { type ForEachTenant, createForEachTenant } from "./for-each-tenant";
import type { Ground } from "./ground";
import { explained, requireTenantName } from "./no-tenant";
import { refuseUnknownOptions } from "./options";
import { createOwnAccess } from "./own-access";
import { type Provision, createProvision } from "./provision";
import { subjectName } from "./subject";
import { type Sources, createTenantAccess } from "./tenant-access";
import { openTenantClient } from "./tenant-client";
import { type ListedTenant, listTenants } from "./tenant-list";
import { type Usage, usageOf } from "./usage";

export type { Client } from "../../provider/platform/libsql-client";

/** A tenant's id in the manifest or in `tenants`, else the name of its database; or who it was provisioned for. */
export type Tenant = string | { readonly subject: string };

export interface Tenantry {
  /**
   * A client of `@libsql/client` for the tenant, from the cache where it is there. Its token is minted or asked for, and
   * renewed before it ends; a request that is refused (401) is sent once more with a new one. Do not keep it: ask again
   * for each request, which costs next to nothing. Its `close` does nothing.
   */
  connect(tenant: Tenant): Promise<Client>;
  /** Where tenants' databases are not libSQL (TenantsDB): what a client of theirs takes, with its password. */
  connectionString(tenant: string, of?: ConnectionStringOptions): Promise<string>;
  /** The subject's database, made where there is none, and a token for it. */
  readonly provision: Provision;
  readonly deprovision: Deprovision;
  /**
   * Calls `fn` for each tenant, several at a time, and answers each one's result as it comes; a failure is a result too.
   * `fn` gets a client for this call only, with a token that can only read unless `access` says otherwise.
   */
  readonly forEachTenant: ForEachTenant;
  /** What each tenant, and all together, used in this period of billing, as the platform counts it. */
  usage(): Promise<Usage>;
  /** Lets all clients go. Those that are in use stay usable. */
  close(): void;
}

export interface Defaults {
  readonly group?: string;
  readonly template?: string;
  readonly access?: Access;
  readonly tokenTtl?: string;
}

export interface CacheSettings {
  /** Clients at a time. @default 500 */
  readonly clients?: number;
  /** After which an unused one is let go, in seconds. @default 300 */
  readonly idle?: number;
}

export function tenantryOn(
  ground: Ground,
  { cache = {}, ...options }: Sources & Defaults & { readonly cache?: CacheSettings },
): Tenantry {
  const { tenants = {}, group, template, access: rights, tokenTtl } = options;
  const own = createOwnAccess(ground);
  const access = createTenantAccess(ground, own, options);
  refuseUnknownOptions(cache, ["clients", "idle"], "cache");
  for (const key of ["clients", "idle"] as const) {
    if (cache[key] === undefined || cache[key] > 0) continue;
    throw new TenantryError("invalid-input", `cache.${key}: ${String(cache[key])} is not more than 0.`);
  }
  const idle = cache.idle === undefined ? undefined : cache.idle * 1000;
  const clients = new ClientCache<Client>({ capacity: cache.clients, idle });

  /** An application with addresses and tokens of its own may have none configured; its databases then speak libSQL. */
  const platform = (): Platform | undefined => {
    try {
      return ground.platform();
    } catch (error) {
      if (hasCode(error, "not-configured", "credentials-missing")) return undefined;
      throw error;
    }
  };

  const open = async (tenant: string, subject: boolean): Promise<Client> => {
    const known = !subject && Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
    const name = subject ? await subjectName(tenant) : (known?.name ?? tenant);
    requireTenantName(name, tenant, tenants);
    const right = known?.access ?? rights ?? "read-write";
    const token = access.token(tenant, name, right);
    // Together: a tenant that is not there, or not ours, is told here and not at the first query.
    const [url] = await Promise.all([access.url(tenant, name), token()]).catch((error: unknown) => {
      throw subject ? error : explained(error, tenant, tenants);
    });
    return openTenantClient(platform(), { id: tenant, name, url, token, access: right });
  };

  const deprovision = createDeprovision(ground, own, { group });
  return {
    // Not async: what is cached is answered as it is, without a promise around it.
    connect(tenant) {
      if (typeof tenant === "string") return clients.get(tenant, () => open(tenant, false));
      const { subject } = tenant;
      return clients.get(`\0${subject}`, () => open(subject, true));
    },
    async connectionString(tenant, of = {}) {
      const name = Object.hasOwn(tenants, tenant) ? (tenants[tenant]?.name ?? tenant) : tenant;
      requireTenantName(name, tenant, tenants);
      return connectionStringOf(ground.platform(), name, of);
    },
    provision: createProvision(ground, own, { group, template, access: rights, tokenTtl }),
    async deprovision(subject, how) {
      const done = await deprovision(subject, how);
      clients.delete(`\0${subject}`);
      if (done.database) clients.delete(done.database.name);
      return done;
    },
    forEachTenant: createForEachTenant({
      list: (where) => listTenants(tenants, ground, where),
      async open(tenant: ListedTenant, asked, signal) {
        const { id, name } = tenant;
        requireTenantName(name, id, tenants);
        const [url, token] = [await access.urlOfMany(tenant), access.tokenOfMany(tenant, asked)];
        return openTenantClient(platform(), { id, name, url, token, access: asked, signal });
      },
    }),
    usage: async () => usageOf(ground.platform()),
    close: () => clients.clear(),
  };
}

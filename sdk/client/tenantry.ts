import type { Client } from "../../provider/platform/libsql-client";
import { TenantryError } from "../../provider/platform/errors";
import type { Access, Platform } from "../../provider/platform/platform";
import { ClientCache } from "./client-cache";
import { type Deprovision, createDeprovision } from "./deprovision";
import type { Ground } from "./ground";
import { createOwnAccess, requireAccess } from "./own-access";
import { type Provision, createProvision } from "./provision";
import { subjectName } from "./subject";
import { openTenantClient } from "./tenant-client";
import { expiryOf } from "./token-claims";
import { type TenantToken, createTokenKeeper } from "./token-keeper";

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
  readonly provision: Provision;
  readonly deprovision: Deprovision;
  /** Lets all clients go. Those that are in use stay usable. */
  close(): void;
}

/** Where an application has addresses and tokens from, instead of the platform. */
export interface Sources {
  /** By tenant's id: what a fleet's or a tenant's outputs say. */
  readonly tenants?: Readonly<Record<string, { readonly name?: string; readonly url?: string }>>;
  readonly urlFor?: (tenant: string) => string | undefined | Promise<string | undefined>;
  readonly tokenFor?: (tenant: string) => string | TenantToken | Promise<string | TenantToken>;
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

/** How long tokens of `connect` live, in seconds. */
const connectLifetime = 3_600;

export function tenantryOn(
  ground: Ground,
  { urlFor, tokenFor, tenants = {}, cache = {}, ...defaults }: Sources & Defaults & { readonly cache?: CacheSettings },
): Tenantry {
  const own = createOwnAccess(ground);
  const idle = cache.idle === undefined ? undefined : cache.idle * 1000;
  const clients = new ClientCache<Client>({ capacity: cache.clients, idle });

  const addressFor = async (tenant: string, name: string): Promise<string> => {
    const given = (await urlFor?.(tenant)) ?? (Object.hasOwn(tenants, tenant) ? tenants[tenant]?.url : undefined);
    return given ?? lookUp(ground.platform(), name);
  };

  const tokenOf = async (tenant: string, name: string): Promise<TenantToken> => {
    if (tokenFor) {
      const given = await tokenFor(tenant);
      return typeof given === "string" ? { token: given } : given;
    }
    const platform = ground.platform();
    const access = requireAccess(platform, defaults.access ?? "read-write");
    return platform.mintToken({ database: name }, { access, lifetime: connectLifetime });
  };

  const open = async (tenant: string, subject: boolean): Promise<Client> => {
    const known = !subject && Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
    const name = subject ? await subjectName(tenant) : (known?.name ?? tenant);
    const token = createTokenKeeper(() => tokenOf(tenant, name), expiryOf);
    // Together: a tenant that is not there, or not ours, is told here and not at the first query.
    const [url] = await Promise.all([addressFor(tenant, name), token()]);
    return openTenantClient(tenant, url, token);
  };

  const provision = createProvision(ground, own, defaults);
  const deprovision = createDeprovision(ground, own, { group: defaults.group });
  return {
    // Not async: what is cached is answered as it is, without a promise around it.
    connect(tenant) {
      if (typeof tenant === "string") return clients.get(tenant, () => open(tenant, false));
      const { subject } = tenant;
      return clients.get(`\0${subject}`, () => open(subject, true));
    },
    provision,
    async deprovision(subject, options) {
      const done = await deprovision(subject, options);
      clients.delete(`\0${subject}`);
      if (done.database) clients.delete(done.database.name);
      return done;
    },
    close: () => clients.clear(),
  };
}

/** From the name alone where that is enough; the platform is asked otherwise. */
async function lookUp(platform: Platform, name: string): Promise<string> {
  const marker = "hostname.invalid";
  const byName = platform.databaseUrl({ name, hostname: marker });
  if (!byName.includes(marker)) return byName;
  const database = await platform.getDatabase(name);
  if (database) return platform.databaseUrl(database);
  throw new TenantryError("database-not-found", `There is no database "${name}".`, {
    fix: "Check the tenant's id; a new tenant's database is made by provision, or by a deploy.",
  });
}

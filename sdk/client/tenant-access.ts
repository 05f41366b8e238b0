import { TenantryError } from "../../provider/platform/errors";
import type { TokenFor } from "../../provider/platform/bearer";
import type { Access, Platform } from "../../provider/platform/platform";
import type { Ground } from "./ground";
import { type OwnAccess, requireAccess } from "./own-access";
import type { KnownTenant, ListedTenant } from "./tenant-list";
import { expiryOf } from "./token-claims";
import { type TenantToken, createTokenKeeper } from "./token-keeper";

/** Where an application has addresses and tokens from, instead of the platform. */
export interface Sources {
  /** By tenant's id: what a fleet's or a tenant's outputs say. */
  readonly tenants?: Readonly<Record<string, KnownTenant>>;
  readonly urlFor?: (tenant: string) => string | undefined | Promise<string | undefined>;
  readonly tokenFor?: (tenant: string) => string | TenantToken | Promise<string | TenantToken>;
}

export interface TenantAccess {
  /** The application's own word; else the platform's. */
  url(id: string, name: string): Promise<string>;
  /** The same for one of many: where the platform has to be asked, it is asked for all at once. */
  urlOfMany(tenant: ListedTenant): Promise<string>;
  /** A token for this database alone. */
  token(id: string, name: string, access: Access): TokenFor;
  /** The same for one of many: one token serves a group, where the platform has such. */
  tokenOfMany(tenant: ListedTenant, access: Access): TokenFor;
}

/** How long tokens for one database live, in seconds. */
const lifetime = 3_600;
/** In place of a host's name, to see whether an address needs one. */
const marker = "hostname.invalid";
/** How long a list of hosts is good for, in ms. */
const listGood = 60_000;

export function createTenantAccess(
  ground: Ground,
  own: OwnAccess,
  { tenants = {}, urlFor, tokenFor }: Sources,
): TenantAccess {
  let hosts: { readonly names: Promise<ReadonlyMap<string, string>>; readonly at: number } | undefined;

  const given = async (id: string): Promise<string | undefined> =>
    (await urlFor?.(id)) ?? (Object.hasOwn(tenants, id) ? tenants[id]?.url : undefined);

  const lookUp = async (name: string): Promise<string> => {
    const platform = ground.platform();
    const byName = platform.databaseUrl({ name, hostname: marker });
    if (!byName.includes(marker)) return byName;
    const database = await platform.getDatabase(name);
    if (database) return platform.databaseUrl(database);
    throw new TenantryError("database-not-found", `There is no database "${name}".`, {
      fix: "Check the tenant's id; a new tenant's database is made by provision, or by a deploy.",
    });
  };

  const listed = (platform: Platform): Promise<ReadonlyMap<string, string>> => {
    if (!hosts || Date.now() - hosts.at > listGood) {
      const taken = { names: hostsOf(platform), at: Date.now() };
      taken.names.catch(() => taken === hosts && (hosts = undefined));
      hosts = taken;
    }
    return hosts.names;
  };

  const token: TenantAccess["token"] = (id, name, access) =>
    createTokenKeeper(async (): Promise<TenantToken> => {
      if (tokenFor) {
        const answered = await tokenFor(id);
        return typeof answered === "string" ? { token: answered } : answered;
      }
      const platform = ground.platform();
      return platform.mintToken({ database: name }, { access: requireAccess(platform, access), lifetime });
    }, expiryOf);

  return {
    url: async (id, name) => (await given(id)) ?? lookUp(name),
    async urlOfMany({ id, name, hostname }) {
      const answered = await given(id);
      if (answered !== undefined) return answered;
      const platform = ground.platform();
      if (hostname !== undefined) return platform.databaseUrl({ name, hostname });
      if (!platform.databaseUrl({ name, hostname: marker }).includes(marker)) return lookUp(name);
      const host = (await listed(platform)).get(name);
      return host === undefined ? lookUp(name) : platform.databaseUrl({ name, hostname: host });
    },
    token,
    tokenOfMany({ id, name, group }, access) {
      const platform = tokenFor ? undefined : ground.platform();
      if (!platform?.capabilities.groupTokens || group === undefined) return token(id, name, access);
      return own.token(group, requireAccess(platform, access));
    },
  };
}

async function hostsOf(platform: Platform): Promise<ReadonlyMap<string, string>> {
  const hosts = new Map<string, string>();
  for await (const { name, hostname } of platform.listDatabases()) hosts.set(name, hostname);
  return hosts;
}

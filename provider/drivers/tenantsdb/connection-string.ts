import type { TenantEngine } from "../../platform/platform";

/** What all tenants of a project share (TenantsDB docs, connection strings): its id as user, and one password. */
export interface ProxyCredential {
  readonly project: string;
  readonly password: string | undefined;
  readonly apiKey: string;
}

/** TenantsDB docs: a look shows the password as bullets, or stars. Encoded in an address or not. */
const mask = /(?:[•●∙*·]|%e2%80%a2|%e2%97%8f|%2a){3,}/i;

export const isMasked = (connectionString: string): boolean => mask.test(connectionString);

/** The password of a string that is whole and of this project; all of its tenants have the same. */
export function passwordIn(connectionString: string, project: string): string | undefined {
  if (isMasked(connectionString) || !URL.canParse(connectionString)) return undefined;
  const { username, password } = new URL(connectionString);
  return decodeURIComponent(username) === project && password ? decodeURIComponent(password) : undefined;
}

/** The project that a string is of, where it names one. */
export function projectIn(connectionString: string): string | undefined {
  const user = URL.canParse(connectionString) ? new URL(connectionString).username : "";
  return /^tdb_/.test(user) ? user : undefined;
}

/** Where clients of each engine connect (TenantsDB docs, connection strings). */
const hosts: Record<TenantEngine, string> = {
  postgresql: "pg.tenantsdb.com",
  mysql: "mysql.tenantsdb.com",
  mongodb: "mongo.tenantsdb.com",
  redis: "redis.tenantsdb.com",
};

export const isEngine = (text: string | undefined): text is TenantEngine => text !== undefined && text in hosts;

export const hostOf = (engine: string | undefined): string =>
  isEngine(engine) ? hosts[engine] : "proxy.tenantsdb.com";

/** The string as the platform would have shown it, for where it shows it masked; undefined: what it takes is not known. */
export function composed(
  engine: string | undefined,
  { blueprint, tenant }: { readonly blueprint: string; readonly tenant: string },
  { project, password, apiKey }: ProxyCredential,
): string | undefined {
  const at = encodeURIComponent;
  if (engine === "redis") return `rediss://${at(tenant)}:${at(apiKey)}@${hosts.redis}:6379/0`;
  if (password === undefined) return undefined;
  const user = `${at(project)}:${at(password)}`;
  const name = `${blueprint}__${tenant}`;
  switch (engine) {
    case "postgresql":
      return `postgresql://${user}@${hosts.postgresql}:5432/${name}?sslmode=require`;
    case "mysql":
      return `mysql://${user}@${hosts.mysql}:3306/${name}`;
    case "mongodb":
      return `mongodb://${user}@${hosts.mongodb}:27017/${name}?authMechanism=PLAIN&directConnection=true&tls=true`;
    default:
      return undefined;
  }
}

import { RunError } from "./pulumi";
import type { Platform } from "../provider/platform/platform";
import { platformOf } from "./preflight";

/** A database as it is on the platform, looked up without owning it. */
export interface TenantDatabaseInfo {
  readonly name: string;
  readonly databaseId: string;
  readonly hostname: string;
  readonly url: string;
  readonly group: string | undefined;
}

export interface LookupOptions {
  /** One of `tenantry:connections`. @default the stack's own */
  readonly connection?: string;
}

/** The database of that name; undefined when there is none. One call. */
export async function getTenantDatabase(
  name: string,
  options: LookupOptions = {},
): Promise<TenantDatabaseInfo | undefined> {
  return ask(options.connection, async (platform) => {
    const database = await platform.getDatabase(name);
    return database && { ...infoOf(database), url: platform.databaseUrl(database) };
  });
}

/**
 * Every tenant database of the organization, or of one group. Tenantry's own databases are left out, and what is kept for a
 * while: in the trash, or left by a move or a rename. One call per 1,000, and three for each group that has such.
 */
export async function listTenants(
  options: LookupOptions & { readonly group?: string } = {},
): Promise<TenantDatabaseInfo[]> {
  const [{ tenantsOf }, { registryName }] = await Promise.all([
    import("../provider/registry/tenants.js"),
    import("../provider/registry/reserved-names.js"),
  ]);
  return ask(options.connection, async (platform) => {
    const found: TenantDatabaseInfo[] = [];
    const databases = platform.listDatabases({ group: options.group });
    for await (const database of tenantsOf(platform, { registryName, databases })) {
      found.push({ ...infoOf(database), url: platform.databaseUrl(database) });
    }
    return found;
  });
}

/** Where a group can be put: code and description. One call. */
export async function getLocations(options: LookupOptions = {}): Promise<{ code: string; description: string }[]> {
  return ask(options.connection, (platform) => platform.listLocations());
}

/** What goes wrong is said as a RunError, which the engine shows as its message alone, without a stack. */
async function ask<T>(connection: string | undefined, work: (platform: Platform) => Promise<T>): Promise<T> {
  try {
    return await work(await platformOf(connection));
  } catch (error) {
    const { TenantryError } = await import("../provider/platform/errors.js");
    throw error instanceof TenantryError ? new RunError(error.message) : error;
  }
}

const infoOf = (database: { name: string; id: string; hostname: string; group: string | undefined }) => ({
  name: database.name,
  databaseId: database.id,
  hostname: database.hostname,
  group: database.group,
});

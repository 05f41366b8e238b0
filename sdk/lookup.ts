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
  const platform = await platformOf(options.connection);
  const database = await platform.getDatabase(name);
  return database && { ...infoOf(database), url: platform.databaseUrl(database) };
}

/**
 * Every tenant database of the organization, or of one group; Tenantry's own databases are left out. One call per 1,000.
 */
export async function listTenants(
  options: LookupOptions & { readonly group?: string } = {},
): Promise<TenantDatabaseInfo[]> {
  const platform = await platformOf(options.connection);
  const { isReserved } = await import("../provider/registry/reserved-names.js");
  const found: TenantDatabaseInfo[] = [];
  for await (const database of platform.listDatabases({ group: options.group })) {
    if (!isReserved(database.name)) found.push({ ...infoOf(database), url: platform.databaseUrl(database) });
  }
  return found;
}

/** Where a group can be put: code and description. One call. */
export async function getLocations(options: LookupOptions = {}): Promise<{ code: string; description: string }[]> {
  return (await platformOf(options.connection)).listLocations();
}

const infoOf = (database: { name: string; id: string; hostname: string; group: string | undefined }) => ({
  name: database.name,
  databaseId: database.id,
  hostname: database.hostname,
  group: database.group,
});

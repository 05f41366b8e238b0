import type { DatabaseUsage } from "../../provider/platform/account";
import type { Platform } from "../../provider/platform/platform";
import { isReserved } from "../../provider/registry/own-names";

export interface TenantUsage extends DatabaseUsage {
  /** Of the database. */
  readonly name: string;
  readonly group: string | undefined;
}

export interface Usage {
  /** Of the present period of billing, as the platform counts; without Tenantry's own databases. Sorted by name. */
  readonly tenants: readonly TenantUsage[];
  /** Of all databases, Tenantry's own too: what the plan counts. */
  readonly total: Omit<DatabaseUsage, "id"> & { readonly databases: number };
}

/** Costs one call, and one for each 1,000 databases. */
export async function usageOf(platform: Platform): Promise<Usage> {
  const counted = await platform.usage();
  const byId = new Map(counted.map((one) => [one.id, one]));
  const tenants: TenantUsage[] = [];
  for await (const { id, name, group } of platform.listDatabases()) {
    const used = byId.get(id) ?? { id, rowsRead: 0, rowsWritten: 0, storageBytes: 0, bytesSynced: 0 };
    if (!isReserved(name)) tenants.push({ ...used, name, group });
  }
  const sum = (key: keyof Omit<DatabaseUsage, "id">): number => counted.reduce((all, one) => all + one[key], 0);
  return {
    tenants: tenants.sort((a, b) => (a.name < b.name ? -1 : 1)),
    total: {
      databases: counted.length,
      rowsRead: sum("rowsRead"),
      rowsWritten: sum("rowsWritten"),
      storageBytes: sum("storageBytes"),
      bytesSynced: sum("bytesSynced"),
    },
  };
}

import { resolve } from "node:path";
import { RunError } from "./pulumi";
import type { Platform, PlatformDatabase } from "../provider/platform/platform";
import type { SchemaDifference } from "../provider/rollout/schema/compare";
import type { DriftTenant, TenantDrift } from "../provider/rollout/schema/drift";
import type { LookupOptions } from "./lookup";
import { stackConfig } from "./preflight";

export type { SchemaDifference, TenantDrift };

export interface SchemaDriftOptions extends LookupOptions {
  /** The folder that the SchemaTemplate reads, looked up from the program's folder. */
  readonly migrations: string;
  /** Names of databases. @default every tenant database of the group, or of the organization */
  readonly tenants?: readonly string[];
  /** @default all groups */
  readonly group?: string;
  /** Tenants at a time. @default 16 */
  readonly concurrency?: number;
}

/**
 * Compares the schema of tenants with what the migrations make of an empty database, each at the version that its own
 * ledger says. Nothing is changed. One call per 1,000 databases, and two a tenant.
 *
 * A tenant that cannot be looked at is "unknown"; a folder that cannot be read, or refused credentials, fail.
 *
 * ```ts
 * const drift = await tenantry.getSchemaDrift({ migrations: "./migrations", group: "eu" });
 * export const drifted = drift.filter(({ state }) => state === "drifted");
 * ```
 */
export async function getSchemaDrift(options: SchemaDriftOptions): Promise<TenantDrift[]> {
  const [{ createContext }, { readSettings }, { selectPlatform }, { readMigrations }, drift] = await Promise.all([
    import("../provider/context.js"),
    import("../provider/platform/settings.js"),
    import("../provider/platform/select.js"),
    import("../provider/rollout/source/index.js"),
    import("../provider/rollout/schema/drift.js"),
  ]);
  const { TenantryError } = await import("../provider/platform/errors.js");
  try {
    const { migrations } = readMigrations(resolve(options.migrations), options.migrations);
    const settings = readSettings(stackConfig(), process.env, options.connection);
    const context = createContext(selectPlatform(settings), settings);
    const { byName } = await context.listing.databases();
    const names = options.tenants ?? (await tenantNames(context.platform, byName.values(), options.group));
    const tenants = names.map((name): DriftTenant => ({
      name,
      async sql() {
        const database = byName.get(name) ?? (await context.listing.database(name));
        const group = database?.group ?? options.group;
        if (database && group !== undefined) return context.sql({ name, hostname: database.hostname, group });
        throw new TenantryError(
          "database-not-found",
          database ? `The platform does not tell the group of ${name}.` : `There is no database "${name}".`,
        );
      },
    }));
    return await drift.findDrift({ migrations, tenants, concurrency: options.concurrency });
  } catch (error) {
    throw error instanceof TenantryError ? new RunError(error.message) : error;
  }
}

async function tenantNames(
  platform: Platform,
  databases: Iterable<PlatformDatabase>,
  asked: string | undefined,
): Promise<string[]> {
  const [{ tenantsOf }, { registryName }] = await Promise.all([
    import("../provider/registry/tenants.js"),
    import("../provider/registry/reserved-names.js"),
  ]);
  const names: string[] = [];
  const meant = [...databases].filter(({ group }) => asked === undefined || group === asked);
  for await (const { name } of tenantsOf(platform, { registryName, databases: meant })) names.push(name);
  return names;
}

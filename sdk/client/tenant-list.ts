import type { Access } from "../../provider/platform/platform";
import { tenantsOf } from "../../provider/registry/tenants";
import type { TenantInfo, Where } from "./for-each-tenant";
import type { Ground } from "./ground";
import { noTenant } from "./no-tenant";

/** What an application knows of its tenants by itself: from a manifest, or from outputs. */
export interface KnownTenant {
  readonly name?: string;
  /** Undefined, as in a fleet's output: there is no database now. */
  readonly url?: string | undefined;
  readonly group?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** What the application's token may do there. @default that of createTenantry */
  readonly access?: Access;
}

/** A tenant as it was found, with its host where the platform has named it. */
export interface ListedTenant extends TenantInfo {
  readonly hostname?: string;
}

/** The application's own tenants where it names any; else the database of every tenant, page by page. */
export async function* listTenants(
  known: Readonly<Record<string, KnownTenant>>,
  { platform: configured, registryName }: Pick<Ground, "platform" | "registryName">,
  { group, tenants }: Where,
): AsyncGenerator<ListedTenant> {
  const ids = Object.keys(known);
  const names = new Set(ids.flatMap((id) => [id, known[id]!.name ?? id]));
  const stranger = ids.length > 0 ? tenants?.find((tenant) => !names.has(tenant)) : undefined;
  if (stranger !== undefined) throw noTenant(stranger, known);
  for (const id of ids) {
    const { name = id, group: its, labels = {} } = known[id]!;
    yield { id, name, group: its, labels };
  }
  if (ids.length > 0) return;
  if (tenants && tenants.length <= few) {
    for (const name of tenants) yield { id: name, name, group, labels: {} };
    return;
  }
  const platform = configured();
  const databases = platform.listDatabases({ group });
  for await (const { name, hostname, group: its = group } of tenantsOf(platform, { registryName, databases })) {
    yield { id: name, name, group: its, labels: {}, hostname };
  }
}

/** So many are asked for one by one; of more, a list is cheaper. */
const few = 20;

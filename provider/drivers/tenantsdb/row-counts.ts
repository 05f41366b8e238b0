import { TenantryError } from "../../platform/errors";
import type { Counted } from "../../platform/life";
import type { Api } from "./api";
import { marked, markedIn } from "./postgres-sql";
import type { WireTenant } from "./wire";

/** Rows of every table of a PostgreSQL database, in one statement: an API that takes one text says nothing of several. */
const text = `SELECT ${marked("coalesce(jsonb_object_agg(name, counted), '{}')::text")} AS answer FROM (
  SELECT format('%s.%s', n.nspname, c.relname) AS name, (xpath('/row/n/text()',
    query_to_xml(format('SELECT count(*) AS n FROM %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint AS counted
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_') AS tables`;

/**
 * Rows of the tenant's tables (TenantsDB docs: POST /admin/query, for keys of an administrator). Only PostgreSQL's: what a
 * query is on the others, the docs do not say.
 */
export async function countRows(api: Api, { name, databases }: WireTenant): Promise<Counted> {
  const rows: Record<string, number> = {};
  for (const { blueprint, engine } of databases) {
    if (engine !== "postgresql")
      return { rows: undefined, why: `"${blueprint}" is of ${engine ?? "an unknown engine"}, which is not asked` };
    const doing = `count the rows of "${blueprint}" of tenant "${name}"`;
    const body = { tenant_id: name, query: text, database_type: "PostgreSQL", blueprint, all_tenants: false };
    try {
      const call = { method: "POST", path: "/admin/query", body, idempotent: true } as const;
      const found = markedIn(await api.call({ doing, kind: "query" }, call));
      if (typeof found !== "object" || found === null) return { rows: undefined, why: `the answer did not show them` };
      for (const [table, count] of Object.entries(found)) rows[`${blueprint}.${table}`] = Number(count);
    } catch (error) {
      // A key that may not ask, or an API without that call, is no reason to keep a tenant that is to go.
      if (error instanceof TenantryError && error.whose === "yours") return { rows: undefined, why: error.message };
      throw error;
    }
  }
  return { rows };
}

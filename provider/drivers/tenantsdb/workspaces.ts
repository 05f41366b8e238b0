import { TenantryError, hasCode } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import type { Api } from "./api";
import type { RunQuery } from "./postgres-sql";
import { type WireWorkspace, allWorkspaces, oneWorkspace, read } from "./wire";

/** TenantsDB docs, workspaces: "control" ones have neither blueprint nor tenants, "tenant" ones are a blueprint's source. */
export type WorkspaceMode = "control" | "tenant";

export interface Workspaces {
  list(): Promise<WireWorkspace[]>;
  find(name: string): Promise<WireWorkspace | undefined>;
  /** On PostgreSQL. Fails with "already-exists" where there is one. */
  create(name: string, mode: WorkspaceMode): Promise<WireWorkspace>;
  /** Absence is success. */
  remove(name: string): Promise<void>;
  /** Runs queries in its database. */
  queries(name: string): RunQuery;
}

export function tenantsdbWorkspaces(api: Api): Workspaces {
  const list = async (): Promise<WireWorkspace[]> =>
    read(
      allWorkspaces,
      await api.call({ doing: "list workspaces", kind: "look" }, { method: "GET", path: "/workspaces" }),
    );

  /** Its id is what a path takes; in every example it is the name. */
  const at = (id: string): string => `/workspaces/${encodeURIComponent(id)}`;

  return {
    list,
    async find(name) {
      const doing = { doing: `look up workspace "${name}"`, kind: "look" } as const;
      const answer = await api.find(doing, { method: "GET", path: at(name) });
      const found = answer && read(oneWorkspace, answer);
      return found && { ...found, id: found.id || name, name: found.name || name };
    },
    async create(name, mode) {
      const doing = { doing: `create workspace "${name}"`, kind: "create" } as const;
      const body = { name, database: "PostgreSQL", mode };
      const call = { method: "POST", path: "/workspaces", body, idempotent: true } as const;
      const made = read(oneWorkspace, await api.call(doing, call));
      return { ...made, id: made.id || name, name: made.name || name };
    },
    async remove(name) {
      const doing = { doing: `delete workspace "${name}"`, kind: "delete" } as const;
      await api.find(doing, { method: "DELETE", path: at(name) });
    },
    queries: (name) => (query, idempotent) =>
      api.call(
        { doing: `run SQL in workspace "${name}"`, kind: "query" },
        { method: "POST", path: `${at(name)}/queries`, body: { query }, idempotent },
      ),
  };
}

/**
 * Tenantry's own databases (the registry, the ledger of schemas) are control workspaces. Their names have dashes, which no
 * tenant's can have.
 */
export const isWorkspace = (name: string): boolean => name.includes("-");

/** A control workspace as a database of the project. */
export function asDatabase(workspace: WireWorkspace, project: string): PlatformDatabase {
  return {
    name: workspace.name,
    id: `${workspace.id}@${workspace.createdAt ?? ""}`,
    hostname: "pg.tenantsdb.com",
    group: project,
    archived: false,
    blockReads: undefined,
    blockWrites: undefined,
    deleteProtection: undefined,
    parentId: undefined,
  };
}

/** One of ours, where nobody else has the name for something that holds tenants' schemas. */
export async function ensureControl(workspaces: Workspaces, name: string): Promise<WireWorkspace> {
  const known = await workspaces.find(name);
  if (known) return requireControl(known);
  try {
    return await workspaces.create(name, "control");
  } catch (error) {
    const found = hasCode(error, "already-exists") ? await workspaces.find(name) : undefined;
    if (!found) throw error;
    return requireControl(found);
  }
}

export function requireControl(workspace: WireWorkspace): WireWorkspace {
  const isOurs = (workspace.mode ?? "control") === "control" && (workspace.engine ?? "postgresql") === "postgresql";
  if (isOurs) return workspace;
  throw new TenantryError(
    "already-exists",
    `The workspace "${workspace.name}", which Tenantry keeps its records in, is a ${workspace.mode} one on ${workspace.engine}.`,
    { fix: "Rename it in TenantsDB: what Tenantry writes there must not become a blueprint." },
  );
}

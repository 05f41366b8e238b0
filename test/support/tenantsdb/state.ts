import { randomBytes } from "node:crypto";

/** What the stand-in remembers of one project. */
export interface Project {
  readonly id: string;
  readonly apiKey: string;
  readonly proxyPassword: string;
  readonly tenants: Map<string, StoredTenant>;
  readonly workspaces: Map<string, StoredWorkspace>;
  readonly deployments: Map<string, StoredDeployment>;
}

export type Engine = "PostgreSQL" | "MySQL" | "MongoDB" | "Redis";

export interface StoredDatabase {
  readonly blueprint: string;
  readonly engine: Engine;
  level: 1 | 2;
  region: string | undefined;
  /** How many statements of its blueprint it has had. */
  version: number;
}

export interface StoredBackup {
  readonly path: string;
  readonly type: string;
  readonly at: Date;
  readonly engine: Engine;
  /** Which database it is of, and what that had of its blueprint. */
  readonly of?: { readonly blueprint: string; readonly version: number };
  readonly snapshots: ReadonlyMap<string, string>;
}

export interface StoredTenant {
  readonly id: string;
  status: string;
  readonly databases: StoredDatabase[];
  readonly createdAt: string;
  readonly backups: StoredBackup[];
  readonly logs: { query: string; source: string; success: boolean; ms: number; at: string }[];
  readonly deployments: StoredDeployment[];
  undoUntil: Date | undefined;
}

export interface StoredWorkspace {
  readonly name: string;
  readonly mode: "tenant" | "control";
  readonly engine: Engine;
  readonly createdAt: string;
  /** DDL in the order in which it was run: the blueprint. */
  readonly statements: string[];
  deployedAt: string | undefined;
}

export interface StoredDeployment {
  readonly id: string;
  readonly blueprint: string;
  readonly version: number;
  status: string;
  readonly total: number;
  completed: number;
  failed: number;
  readonly results: { tenant_id: string; status: string; duration: string; error?: string }[];
  readonly createdAt: string;
}

export const emptyProject = (id = `tdb_${randomBytes(4).toString("hex")}`): Project => ({
  id,
  apiKey: `tenantsdb_sk_${randomBytes(32).toString("hex")}`,
  proxyPassword: `tdb_${randomBytes(8).toString("hex")}`,
  tenants: new Map(),
  workspaces: new Map(),
  deployments: new Map(),
});

/** TenantsDB docs: versions are shown as "1.0", "1.5"; each statement of DDL is a new one. */
export const versionText = (version: number): string => `1.${version}`;

export const databaseName = (blueprint: string, tenant: string): string => `${blueprint}__${tenant}`;
export const workspaceDatabase = (workspace: string): string => `${workspace}_workspace`;

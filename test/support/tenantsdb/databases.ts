import type { PostgresServer } from "../../../tools/postgres/server";
import { type StoredDatabase, type StoredTenant, databaseName, workspaceDatabase } from "./state";

/** The databases behind tenants and workspaces: real ones where the engine is PostgreSQL and a server is there. */
export interface Databases {
  makeWorkspace(name: string): Promise<void>;
  dropWorkspace(name: string): Promise<void>;
  /** Rows of a query; what PostgreSQL refuses is its error. */
  query(workspace: string, sql: string): Promise<Record<string, unknown>[]>;
  /** Rows of a query in a tenant's database. */
  queryTenant(tenant: string, database: StoredDatabase, sql: string): Promise<Record<string, unknown>[]>;
  make(tenant: string, database: StoredDatabase, statements: readonly string[]): Promise<void>;
  drop(tenant: string, database: StoredDatabase): Promise<void>;
  /** Runs the statements that the database lacks. */
  upgrade(tenant: string, database: StoredDatabase, statements: readonly string[], to: number): Promise<void>;
  /** A copy of each of the tenant's databases, by database. */
  snapshot(tenant: StoredTenant, label: string): Promise<Map<string, string>>;
  putBack(snapshots: ReadonlyMap<string, string>): Promise<void>;
}

/** `prefix`: several stand-ins may share a server. */
export function createDatabases(server: PostgresServer | undefined, prefix: string): Databases {
  const postgres = server && prefixed(server, prefix);
  const real = (database: StoredDatabase): typeof postgres => (database.engine === "PostgreSQL" ? postgres : undefined);
  const copies: string[] = [];

  const copy = async (from: string, to: string): Promise<void> => {
    const text = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${prefix}${from}'`;
    await server!.query("postgres", text);
    await server!.query("postgres", `CREATE DATABASE "${prefix}${to}" TEMPLATE "${prefix}${from}"`);
  };

  return {
    makeWorkspace: async (name) => postgres?.createDatabase(workspaceDatabase(name)),
    dropWorkspace: async (name) => postgres?.dropDatabase(workspaceDatabase(name)),
    async query(workspace, sql) {
      if (!postgres) throw new Error("This stand-in was started without PostgreSQL.");
      const result: unknown = await postgres.query(workspaceDatabase(workspace), sql);
      // Of several statements, the last one's.
      const last = (Array.isArray(result) ? result.at(-1) : result) as { rows: Record<string, unknown>[] };
      return last.rows;
    },
    async queryTenant(tenant, database, sql) {
      const found = await real(database)!.query(databaseName(database.blueprint, tenant), sql);
      return found.rows as Record<string, unknown>[];
    },
    async make(tenant, database, statements) {
      const server = real(database);
      const name = databaseName(database.blueprint, tenant);
      if (server) {
        await server.createDatabase(name);
        for (const statement of statements) await server.query(name, statement);
      }
      database.version = statements.length;
    },
    drop: async (tenant, database) => real(database)?.dropDatabase(databaseName(database.blueprint, tenant)),
    async upgrade(tenant, database, statements, to) {
      const server = real(database);
      for (const statement of statements.slice(database.version, to)) {
        await server?.query(databaseName(database.blueprint, tenant), statement);
        database.version += 1;
      }
    },
    async snapshot(tenant, label) {
      const found = new Map<string, string>();
      for (const database of tenant.databases) {
        if (!real(database)) continue;
        const from = databaseName(database.blueprint, tenant.id);
        const to = `backup_${copies.length}_${label.replace(/\W/g, "")}`;
        copies.push(to);
        await copy(from, to);
        found.set(from, to);
      }
      return found;
    },
    async putBack(snapshots) {
      for (const [name, from] of snapshots) {
        await postgres!.dropDatabase(name);
        await copy(from, name);
      }
    },
  };
}

const prefixed = ({ query, createDatabase, dropDatabase }: PostgresServer, prefix: string) => ({
  query: (database: string, sql: string) => query(prefix + database, sql),
  createDatabase: (name: string) => createDatabase(prefix + name),
  dropDatabase: (name: string) => dropDatabase(prefix + name),
});

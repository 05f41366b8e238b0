import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { PostgresServer } from "../../../tools/postgres/server";
import { createDatabases } from "./databases";
import { type LimitSettings, type Limits, createLimits } from "./limits";
import { type Operations, createOperations } from "./operations";
import { type Reply, failure, ok } from "./replies";
import { type Project, emptyProject } from "./state";
import { tenantRoutes } from "./tenants";
import { schemaRoutes } from "./workspaces";

export interface StandInOptions {
  /** The server on which PostgreSQL tenants are real databases. Default: they are names alone. */
  readonly postgres?: PostgresServer;
  /** The id of its project. Default: a random one. */
  readonly project?: string;
  /** Other API keys of its project. */
  readonly keys?: readonly string[];
  /** TenantsDB docs: L2 is for paid plans. Default "paid". */
  readonly plan?: "free" | "paid";
  /** How long each status of something asynchronous lasts, in ms; "looks": see operations.ts. Default 30. */
  readonly step?: number | "looks";
  readonly limits?: LimitSettings;
  /** Looks at each request first; what it answers is sent in place of the true answer. "lost": done, and not answered. */
  readonly interfere?: (request: StandInRequest) => Reply | "lost" | "drop" | undefined;
}

export interface StandInRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly authorization: string | undefined;
}

/** TenantsDB as its docs describe it, for one project, by HTTP on a free port of this machine. */
export interface StandIn {
  readonly url: string;
  readonly project: Project;
  readonly operations: Operations;
  readonly limits: Limits;
  readonly requests: readonly StandInRequest[];
  /** Rows of a query in the database itself, past the API: "app__acme", "app_workspace". */
  sql(database: string, query: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const { postgres, keys = [], plan = "paid", step = 30, interfere } = options;
  const project = emptyProject(options.project);
  const operations = createOperations(step);
  const limits = createLimits(options.limits);
  const databases = createDatabases(postgres, `${project.id}_`);
  const tenants = tenantRoutes({ project, databases, operations, plan });
  const schema = schemaRoutes(project, databases, operations);
  const requests: StandInRequest[] = [];

  const route = async ({ method, path, body }: StandInRequest, query: URLSearchParams): Promise<Reply> => {
    const [area, id, ...rest] = path.split("/").slice(1).map(decodeURIComponent);
    const request = { method, id, action: rest.length > 0 ? rest.join("/") : undefined, query, body };
    const found =
      area === "tenants"
        ? await tenants(request)
        : area === "workspaces"
          ? await schema.workspaceRoutes(request)
          : area === "blueprints"
            ? schema.blueprintRoutes(request)
            : area === "deployments"
              ? schema.deploymentRoutes(request)
              : area === "admin" && method === "POST" && id === "query"
                ? await adminQuery(body)
                : undefined;
    return found ?? failure(404, "endpoint not found");
  };

  /** TenantsDB docs, admin: a query on a tenant; what it answers is not shown. A query on another engine than PostgreSQL is not stood in for. */
  const adminQuery = async ({ tenant_id, blueprint, query }: Record<string, unknown>): Promise<Reply> => {
    const tenant = project.tenants.get(String(tenant_id));
    const database = tenant?.databases.find((one) => one.blueprint === blueprint);
    if (!tenant || !database) return failure(404, "tenant or blueprint not found");
    if (tenant.status !== "ready") return failure(409, `tenant '${tenant.id}' is ${tenant.status}`);
    if (database.engine !== "PostgreSQL" || !postgres) return failure(400, "unsupported database_type");
    try {
      return ok({
        results: [{ tenant_id: tenant.id, rows: await databases.queryTenant(tenant.id, database, String(query)) }],
      });
    } catch (error) {
      return failure(400, (error as Error).message);
    }
  };

  const answer = async (incoming: IncomingMessage): Promise<Reply | "drop"> => {
    // TenantsDB docs: the limit is of an address, and comes before the key.
    if (!limits.admit()) return failure(429, "rate limit exceeded");
    const url = new URL(incoming.url ?? "/", "http://stand-in");
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString("utf8");
    const request: StandInRequest = {
      method: incoming.method ?? "GET",
      path: url.pathname,
      body: text ? (JSON.parse(text) as Record<string, unknown>) : {},
      authorization: incoming.headers.authorization,
    };
    requests.push(request);
    await operations.looked();
    const instead = interfere?.(request);
    if (instead === "drop") return "drop";
    if (instead !== undefined && instead !== "lost") return instead;
    const reply = await authorized(request, url.searchParams);
    return instead === "lost" ? "drop" : reply;
  };

  const authorized = async (request: StandInRequest, query: URLSearchParams): Promise<Reply> => {
    if (request.path === "/regions") return ok({ regions: ["eu-central", "us-east"] });
    if (request.path === "/health") return ok({ status: "healthy" });
    // TenantsDB docs: this answer has neither `http_status` nor `code`.
    if (!request.authorization)
      return { status: 401, body: { success: false, error: "authorization header required" } };
    if (![project.apiKey, ...keys].some((key) => request.authorization === `Bearer ${key}`))
      return failure(401, "invalid api key");
    return route(request, query);
  };

  const failures: unknown[] = [];
  const server = createServer((incoming, response) => {
    answer(incoming).then(
      (reply) => {
        if (reply === "drop") return void response.destroy();
        const text = JSON.stringify(reply.body);
        response.writeHead(reply.status, { "content-type": "application/json" }).end(text);
      },
      (error: unknown) => {
        failures.push(error);
        response.destroy();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    project,
    operations,
    limits,
    requests,
    sql: async (database, query) =>
      (await postgres!.query(`${project.id}_${database}`, query)).rows as Record<string, unknown>[],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await operations.close();
      if (failures.length > 0) throw failures[0];
    },
  };
}

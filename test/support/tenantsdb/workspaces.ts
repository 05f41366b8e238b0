import { randomBytes } from "node:crypto";
import type { Databases } from "./databases";
import type { Operations } from "./operations";
import { type Reply, failure, ok, shownDeployment, shownWorkspace, workspaceString } from "./replies";
import { type Engine, type Project, type StoredDeployment, type StoredWorkspace, versionText } from "./state";

export interface SchemaRequest {
  readonly method: string;
  readonly id: string | undefined;
  readonly action: string | undefined;
  readonly body: Record<string, unknown>;
}

const engines: readonly Engine[] = ["PostgreSQL", "MySQL", "MongoDB", "Redis"];

/** TenantsDB docs, workspaces, blueprints and deployments. */
export function schemaRoutes(project: Project, databases: Databases, operations: Operations) {
  const { workspaces, tenants, deployments } = project;

  const create = async (body: Record<string, unknown>): Promise<Reply> => {
    const name = String(body["name"] ?? "");
    const engine = engines.find((one) => one === body["database"]);
    const mode = body["mode"] === "control" ? "control" : body["mode"] === "tenant" ? "tenant" : undefined;
    if (!name || name.includes("__")) return failure(400, "invalid workspace name: must not contain '__'");
    if (!engine) return failure(400, "database must be PostgreSQL, MySQL, MongoDB or Redis");
    if (!mode) return failure(400, "mode must be 'tenant' or 'control'");
    if (workspaces.has(name)) return failure(409, `workspace '${name}' already exists`);
    const workspace: StoredWorkspace = {
      name,
      mode,
      engine,
      createdAt: new Date().toISOString(),
      statements: [],
      deployedAt: undefined,
    };
    workspaces.set(name, workspace);
    if (engine === "PostgreSQL") await databases.makeWorkspace(name);
    const blueprint = mode === "tenant" ? { blueprint: name } : {};
    return ok(
      { id: name, mode, ...blueprint, database: engine, connection_string: workspaceString(project, name) },
      201,
    );
  };

  const run = async (workspace: StoredWorkspace, body: Record<string, unknown>): Promise<Reply> => {
    const query = String(body["query"] ?? "");
    try {
      const rows = await databases.query(workspace.name, query);
      // TenantsDB docs: what is typed in a tenant workspace and is DDL is logged, and is the blueprint.
      if (workspace.mode === "tenant" && /^\s*(?:--[^\n]*\n\s*)*(?:create|alter|drop|comment)\b/i.test(query)) {
        workspace.statements.push(query.trim());
      }
      return ok({ rows, count: rows.length });
    } catch (error) {
      return failure(400, (error as Error).message);
    }
  };

  const workspaceRoutes = async ({ method, id, action, body }: SchemaRequest): Promise<Reply | undefined> => {
    if (id === undefined) {
      if (method === "POST") return create(body);
      if (method === "GET")
        return ok({ workspaces: [...workspaces.values()].map(shownWorkspace), count: workspaces.size });
      return undefined;
    }
    const workspace = workspaces.get(id);
    if (!workspace) return failure(404, `workspace '${id}' not found`);
    if (method === "GET" && !action) return ok({ ...shownWorkspace(workspace), undeployed_changes: 0 });
    if (method === "POST" && action === "queries") return run(workspace, body);
    if (method === "DELETE" && !action) {
      workspaces.delete(id);
      if (workspace.engine === "PostgreSQL") await databases.dropWorkspace(id);
      return ok({ message: "workspace deleted" });
    }
    return undefined;
  };

  const blueprint = ({ name, engine, statements }: StoredWorkspace) => ({
    name,
    database: engine,
    workspace_id: name,
    current_version: versionText(statements.length),
    tenant_count: [...tenants.values()].filter((one) => one.databases.some((database) => database.blueprint === name))
      .length,
  });

  const blueprintRoutes = ({ method, id, action }: SchemaRequest): Reply | undefined => {
    if (method !== "GET") return undefined;
    const all = [...workspaces.values()].filter(({ mode }) => mode === "tenant");
    if (id === undefined) return ok({ blueprints: all.map(blueprint), count: all.length });
    const found = all.find(({ name }) => name === id);
    if (!found) return failure(404, `blueprint '${id}' not found`);
    if (action === "versions") {
      const versions = found.statements.map((_, at) => ({
        version: versionText(at + 1),
        ddl_count: at + 1,
        deployed_at: found.deployedAt ?? null,
      }));
      return ok({ versions, count: versions.length });
    }
    return ok({ ...blueprint(found), schema: found.statements });
  };

  const deploy = (body: Record<string, unknown>): Reply => {
    const workspace = workspaces.get(String(body["blueprint_name"]));
    if (!workspace || workspace.mode === "control")
      return failure(404, `blueprint '${String(body["blueprint_name"])}' not found`);
    const running = [...deployments.values()].some(
      ({ blueprint: name, status }) => name === workspace.name && status !== "completed",
    );
    if (running) return failure(409, `a deployment of '${workspace.name}' is in progress`);
    const version = workspace.statements.length;
    const behind = [...tenants.values()].filter(
      ({ status, databases: own }) =>
        status !== "deleted" && own.some((one) => one.blueprint === workspace.name && one.version < version),
    );
    const made: StoredDeployment = {
      id: `dep_${randomBytes(4).toString("hex")}`,
      blueprint: workspace.name,
      version,
      status: "pending",
      total: behind.length,
      completed: 0,
      failed: 0,
      results: [],
      createdAt: new Date().toISOString(),
    };
    deployments.set(made.id, made);
    const ending = operations.endingOf("deploy");
    operations.later(() => {
      made.status = "in_progress";
      if (ending === "stuck") return;
      if (ending) return void (made.status = ending.status);
      operations.later(() => void work());
    });
    const work = async (): Promise<void> => {
      for (const tenant of behind) {
        const database = tenant.databases.find((one) => one.blueprint === workspace.name)!;
        try {
          await databases.upgrade(tenant.id, database, workspace.statements, version);
          made.completed += 1;
          made.results.push({ tenant_id: tenant.id, status: "completed", duration: "12ms" });
        } catch (error) {
          made.failed += 1;
          made.results.push({
            tenant_id: tenant.id,
            status: "failed",
            duration: "12ms",
            error: (error as Error).message,
          });
        }
        tenant.deployments.push(made);
      }
      workspace.deployedAt = new Date().toISOString();
      made.status = "completed";
    };
    // TenantsDB docs do not show what it answers; here it is no more than that.
    return ok({ message: "deployment started" }, 201);
  };

  const deploymentRoutes = ({ method, id, body }: SchemaRequest): Reply | undefined => {
    if (id === undefined) {
      if (method === "POST") return deploy(body);
      if (method === "GET")
        return ok({ deployments: [...deployments.values()].reverse().map(shownDeployment), count: deployments.size });
      return undefined;
    }
    const found = deployments.get(id);
    if (!found) return failure(404, `deployment '${id}' not found`);
    if (method !== "GET") return undefined;
    return ok({ ...shownDeployment(found), tenants_failed: found.failed, results: found.results });
  };

  return { workspaceRoutes, blueprintRoutes, deploymentRoutes };
}

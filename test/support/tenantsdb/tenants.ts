import type { Databases } from "./databases";
import type { Operations } from "./operations";
import { type Reply, createdDatabase, failure, listedTenant, lookedUpTenant, ok } from "./replies";
import type { Project, StoredDatabase, StoredTenant } from "./state";

export interface TenantRoutesOptions {
  readonly project: Project;
  readonly databases: Databases;
  readonly operations: Operations;
  readonly plan: "free" | "paid";
}

export interface TenantRequest {
  readonly method: string;
  readonly id: string | undefined;
  readonly action: string | undefined;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
}

/** TenantsDB docs, tenants: every route under /tenants. */
export function tenantRoutes({ project, databases, operations, plan }: TenantRoutesOptions) {
  const { tenants, workspaces } = project;
  let last = 0;
  /** A moment that no other tenant has. */
  const moment = (): string => new Date((last = Math.max(Date.now(), last + 1))).toISOString();

  const create = async (body: Record<string, unknown>): Promise<Reply> => {
    const id = String(body["tenant_id"] ?? "");
    const asked = body["databases"] as { blueprint: string; isolation_level: number; region?: string }[] | undefined;
    if (!/^[a-z0-9_]+$/.test(id) || id.includes("__"))
      return failure(400, "invalid tenant_id: lowercase letters, digits and underscores, no double underscore");
    if (!asked?.length) return failure(400, "databases is required");
    const known = tenants.get(id);
    if (known?.status === "deleted") {
      // TenantsDB docs: the text names the two ways out; the code is that of a live duplicate.
      return failure(
        409,
        `tenant '${id}' is in trash. Restore it with POST /tenants/${id}/restore or delete it permanently with DELETE /tenants/${id}?hard=true`,
      );
    }
    if (known) return failure(409, `tenant '${id}' already exists`);
    const made: StoredDatabase[] = [];
    for (const one of asked) {
      const workspace = workspaces.get(one.blueprint);
      if (!workspace) return failure(404, `blueprint '${one.blueprint}' not found`);
      if (workspace.mode === "control")
        return failure(400, `blueprint '${one.blueprint}' belongs to a control mode workspace`);
      const level = one.isolation_level;
      if (level !== 1 && level !== 2) return failure(400, "isolation_level must be 1 or 2");
      if (level === 2 && plan === "free")
        return failure(403, "L2 isolation is not available on the free plan. Upgrade to use dedicated databases");
      made.push({ blueprint: one.blueprint, engine: workspace.engine, level, region: one.region, version: 0 });
    }
    const tenant: StoredTenant = {
      id,
      status: "provisioning",
      databases: made,
      createdAt: moment(),
      backups: [],
      logs: [],
      deployments: [],
      undoUntil: undefined,
    };
    tenants.set(id, tenant);
    const makeAll = async (): Promise<void> => {
      for (const one of made) await databases.make(id, one, workspaces.get(one.blueprint)!.statements);
    };
    if (made.some(({ level }) => level === 2)) operations.begin(tenant, "provision", ["provisioning"], makeAll);
    else {
      await makeAll();
      tenant.status = "ready";
    }
    const shown = made.map((one) => createdDatabase(project, id, one));
    return ok({ tenant_id: id, status: tenant.status, databases: shown }, 201);
  };

  const wrongState = (tenant: StoredTenant, wanted: string): Reply =>
    failure(409, `tenant '${tenant.id}' is ${tenant.status}, must be ${wanted}`);

  const remove = async (tenant: StoredTenant, hard: boolean): Promise<Reply> => {
    if (["provisioning", "migrating", "syncing"].includes(tenant.status)) {
      return failure(409, `cannot delete tenant '${tenant.id}' while it is ${tenant.status}`);
    }
    if (hard) {
      for (const one of tenant.databases) await databases.drop(tenant.id, one);
      tenants.delete(tenant.id);
      return ok({ message: "tenant permanently deleted" });
    }
    if (tenant.status === "deleted") return failure(409, `tenant '${tenant.id}' is already deleted`);
    // TenantsDB docs: shared databases are made anew by a restore, so that they are gone until then.
    for (const one of tenant.databases) if (one.level === 1) await databases.drop(tenant.id, one);
    tenant.status = "deleted";
    return ok({ message: "tenant moved to trash" });
  };

  const restore = async (tenant: StoredTenant): Promise<Reply> => {
    if (tenant.status !== "deleted") return wrongState(tenant, "deleted");
    for (const one of tenant.databases) {
      if (one.level === 1) await databases.make(tenant.id, one, workspaces.get(one.blueprint)?.statements ?? []);
    }
    tenant.status = "ready";
    return ok({ tenant: { tenant_id: tenant.id, status: "ready" } });
  };

  const move = (tenant: StoredTenant, body: Record<string, unknown>): Reply => {
    const database = tenant.databases.find(({ blueprint }) => blueprint === body["blueprint"]);
    const level = body["isolation_level"];
    const region = body["region"] as string | undefined;
    if (!database) return failure(404, `blueprint '${String(body["blueprint"])}' not found for tenant`);
    if (level !== 1 && level !== 2) return failure(400, "isolation_level must be 1 or 2");
    if (level === 2 && plan === "free")
      return failure(403, "L2 isolation is not available on the free plan. Upgrade to use it");
    if (tenant.status !== "ready") return wrongState(tenant, "ready");
    const isRegion = level === 2 && database.level === 2 && region !== undefined;
    const from = database.level;
    operations.begin(tenant, "move", ["syncing", "migrating"], async () => {
      database.level = level;
      if (level === 2) database.region = region ?? database.region;
    });
    const regions = isRegion
      ? { change: "region", from_region: database.region ?? "eu-central", to_region: region }
      : {};
    return ok({
      blueprint: database.blueprint,
      status: "migrating",
      from,
      to: level,
      message: "migration started",
      ...regions,
    });
  };

  const backup = async (tenant: StoredTenant, type: string): Promise<Reply> => {
    if (tenant.status !== "ready") return wrongState(tenant, "ready");
    const stamp = moment();
    const day = stamp.slice(0, 19).replaceAll(":", "-");
    const paths: string[] = [];
    for (const database of tenant.databases) {
      const number = tenant.backups.length + paths.length;
      const path = `s3://tenantsdb-backups/${project.id}/${tenant.id}/${database.blueprint}_${day}_${stamp.slice(20, 23)}_${number}.sql`;
      const { blueprint, version } = database;
      const snapshots = await databases.snapshot({ ...tenant, databases: [database] }, `${tenant.id}${number}`);
      operations.later(() =>
        tenant.backups.push({
          path,
          type,
          at: new Date(stamp),
          engine: database.engine,
          of: { blueprint, version },
          snapshots,
        }),
      );
      paths.push(path);
    }
    return ok({ type, timestamp: day, paths, message: "backup scheduled" });
  };

  const rollback = (tenant: StoredTenant, body: Record<string, unknown>): Reply => {
    const found = tenant.backups.find(({ path }) => path === body["storage_path"]);
    if (!found) return failure(404, "backup not found");
    if (tenant.status !== "ready") return wrongState(tenant, "ready");
    operations.begin(tenant, "rollback", ["restoring"], async () => {
      await databases.putBack(found.snapshots);
      // TenantsDB docs do not say what version a tenant then shows; that of its schema is taken to be shown.
      const database = tenant.databases.find(({ blueprint }) => blueprint === found.of?.blueprint);
      if (database && found.of) database.version = found.of.version;
    });
    return ok({ status: "restoring", paths: [found.path] });
  };

  const recover = (tenant: StoredTenant, body: Record<string, unknown>): Reply => {
    if (tenant.databases.some(({ level }) => level === 1))
      return failure(403, "point-in-time recovery requires L2 isolation");
    if (tenant.status !== "ready") return wrongState(tenant, "ready");
    const target = String(body["timestamp"]);
    if (Number.isNaN(Date.parse(target))) return failure(400, "timestamp must be ISO 8601");
    const begun = Date.now();
    operations.begin(tenant, "recover", ["recovering"], async () => {
      tenant.undoUntil = new Date(begun + 86_400_000);
    });
    return ok({ tenant: { tenant_id: tenant.id, status: "recovering", target_timestamp: target } });
  };

  const undo = (tenant: StoredTenant): Reply => {
    if (tenant.status !== "ready") return wrongState(tenant, "ready");
    if (!tenant.undoUntil || tenant.undoUntil < new Date()) return failure(409, "no recovery to undo");
    tenant.undoUntil = undefined;
    return ok({ tenant: { tenant_id: tenant.id, status: "ready" } });
  };

  const logs = (tenant: StoredTenant, query: URLSearchParams): Reply => {
    const limit = Math.min(Number(query.get("limit") ?? 50), 1_000);
    const offset = Number(query.get("offset") ?? 0);
    const spans: Record<string, number> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };
    const since = Date.now() - (spans[query.get("since") ?? "30d"] ?? 720) * 3_600_000;
    const found = tenant.logs.filter(
      (one) =>
        (query.get("type") !== "error" || !one.success) &&
        (query.get("type") !== "slow" || one.ms > 1_000) &&
        one.query.includes(query.get("search") ?? "") &&
        (query.get("source") ?? one.source) === one.source &&
        Date.parse(one.at) >= since,
    );
    const page = found.slice(offset, offset + limit);
    const shown = page.map(({ query: text, source, success, ms, at }) => ({
      query: text,
      source,
      success,
      duration_ms: ms,
      created_at: at,
    }));
    return ok({ tenant_id: tenant.id, logs: shown, count: shown.length, has_more: offset + limit < found.length });
  };

  const figures = {
    stats: ({ logs: all }: StoredTenant): Reply => {
      const failed = all.filter(({ success }) => !success).length;
      const bySource: Record<string, number> = {};
      for (const { source } of all) bySource[source] = (bySource[source] ?? 0) + 1;
      const total = all.length;
      return ok({
        total_queries: total,
        successful: total - failed,
        failed,
        by_source: bySource,
        avg_duration_ms: 1.5,
        slow_queries: 0,
      });
    },
    metrics: ({ id, databases: all }: StoredTenant): Reply =>
      ok({
        tenant_id: id,
        isolation_level: all[0]!.level,
        database_type: all[0]!.engine,
        query_metrics: { queries_today: 3, avg_latency_ms: 1.5, success_rate: 100 },
        database_metrics: all[0]!.level === 2 ? { storage_bytes: 8_192, connections: 1 } : { note: "L2 only" },
      }),
  };

  return async ({ method, id, action, query, body }: TenantRequest): Promise<Reply | undefined> => {
    if (id === undefined) {
      if (method === "POST") return create(body);
      // Whether the trash is listed is not documented: here it is, since that is the harder case.
      if (method === "GET") return ok({ tenants: [...tenants.values()].map(listedTenant), count: tenants.size });
      return undefined;
    }
    const tenant = tenants.get(id);
    if (!tenant) return failure(404, `tenant '${id}' not found`);
    switch (`${method} ${action ?? ""}`) {
      case "GET ":
        return ok(lookedUpTenant(project, tenant));
      case "DELETE ":
        return remove(tenant, query.get("hard") === "true");
      case "POST restore":
        return restore(tenant);
      case "POST suspend":
        if (tenant.status !== "ready") return wrongState(tenant, "ready");
        tenant.status = "suspended";
        return ok({ message: "tenant suspended" });
      case "POST resume":
        if (tenant.status !== "suspended") return wrongState(tenant, "suspended");
        tenant.status = "ready";
        return ok({ message: "tenant resumed" });
      case "PATCH isolation":
        return move(tenant, body);
      case "POST backup":
        return backup(tenant, "manual");
      case "GET backups":
        return ok({
          count: tenant.backups.length,
          backups: tenant.backups.map(({ path, type, at, engine }) => ({
            type,
            date: at
              .toISOString()
              .slice(0, 19)
              .replaceAll(/(?<=T.*):/g, "-"),
            database_type: engine.toLowerCase(),
            storage_path: path,
            size_bytes: 4_096,
            created_at: at.toISOString(),
          })),
        });
      case "POST rollback":
        return rollback(tenant, body);
      case "POST recover":
        return recover(tenant, body);
      case "POST recover-undo":
        return undo(tenant);
      case "GET deployments":
        return ok({
          count: tenant.deployments.length,
          deployments: tenant.deployments
            .slice(-Number(query.get("limit") ?? 50))
            .reverse()
            .map((one) => ({
              id: one.id,
              blueprint_name: one.blueprint,
              version: `1.${one.version}`,
              status: one.status,
              created_at: one.createdAt,
            })),
        });
      case "GET logs":
        return logs(tenant, query);
      case "GET logs/stats":
        return figures.stats(tenant);
      case "GET metrics":
        return figures.metrics(tenant);
      default:
        return undefined;
    }
  };
}

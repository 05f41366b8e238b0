/**
 * What TenantsDB sends, validated at the edge and turned into one form: its docs contradict each other on statuses
 * ("active" and "ready"), isolation levels (1 and "L1"), the case of engines, and where a connection string stands.
 */
import { z } from "zod";
import type { HttpAnswer } from "../../http/answer";
import { excerpt } from "../../http/redact";
import { TenantryError } from "../../platform/errors";

/** The body as `schema` has it, or "bad-answer" naming the call and the field. */
export function read<Schema extends z.ZodType>(schema: Schema, answer: HttpAnswer): z.output<Schema> {
  const result = schema.safeParse(answer.body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") || "the answer";
  throw new TenantryError("bad-answer", `${answer.where} answered something unexpected: ${path}: ${issue?.message}.`, {
    fix: "Check the API address; if it is right, the platform has changed and Tenantry needs an update.",
    requestId: answer.requestId,
    // The call itself succeeded.
    afterLostReply: true,
  });
}

/** What was answered, if it is about the one asked for. */
export function named<Thing>(name: string, answered: string, thing: Thing, answer: HttpAnswer): Thing {
  if (answered === name) return thing;
  throw new TenantryError("bad-answer", `${answer.where} answered about "${excerpt(answered)}" instead of "${name}".`, {
    fix: "Try again; if it lasts, check for a proxy that mixes up answers, and tell the platform's operator.",
    requestId: answer.requestId,
    afterLostReply: true,
  });
}

const text = z.string().min(1);
const maybe = z.string().nullish();

/** TenantsDB docs: ISO 8601 in newer answers, unix seconds in older ones. */
const moment = z
  .union([text, z.number()])
  .transform((value) => (typeof value === "number" ? new Date(value * 1000).toISOString() : value));

/** "L1", "L2"; another one passes as it is, so that it can be named. */
const level = z
  .union([z.string(), z.number()])
  .transform((value) => (/^\d+$/.test(String(value)) ? `L${value}` : String(value).toUpperCase()));

const engines: Record<string, string> = { postgres: "postgresql", mongo: "mongodb" };
const engine = z.string().transform((value) => engines[value.toLowerCase()] ?? value.toLowerCase());

/** "active" in the docs' answers to a look is the "ready" of all others. */
const status = z.string().transform((value) => (value.toLowerCase() === "active" ? "ready" : value.toLowerCase()));

const version = z.union([z.string(), z.number().transform(String)]).nullish();

const database = z
  .object({
    blueprint: text,
    database_type: engine.nullish(),
    isolation_level: level.nullish(),
    region: maybe,
    version,
    connection: z.object({ connection_string: maybe, host: maybe }).nullish().catch(undefined),
    connection_string: maybe,
  })
  .transform((wire) => ({
    blueprint: wire.blueprint,
    engine: wire.database_type ?? undefined,
    isolation: wire.isolation_level ?? undefined,
    region: wire.region ?? undefined,
    version: wire.version ?? undefined,
    host: wire.connection?.host ?? undefined,
    connectionString: wire.connection_string ?? wire.connection?.connection_string ?? undefined,
  }));

const undo = z.object({ available: z.boolean().nullish(), expires_at: maybe }).nullish().catch(undefined);

const tenant = z
  .object({
    tenant_id: text,
    status,
    databases: z.array(database).nullish(),
    created_at: moment.nullish(),
    recovery_undo: undo,
  })
  .transform((wire) => ({
    name: wire.tenant_id,
    status: wire.status,
    databases: wire.databases ?? [],
    createdAt: wire.created_at ?? undefined,
    undoUntil: wire.recovery_undo?.available === false ? undefined : (wire.recovery_undo?.expires_at ?? undefined),
  }));

export type WireTenant = z.output<typeof tenant>;

/** Some answers have the tenant in a field of its own. */
const unwrapped = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "tenant" in value && typeof value.tenant === "object"
    ? value.tenant
    : value;

export const oneTenant = z.preprocess(unwrapped, tenant);
/** Whatever a list lacks is taken for absent, so it must be in the answer. */
export const allTenants = z.object({ tenants: z.array(tenant) }).transform((wire) => wire.tenants);

const workspace = z
  .object({ id: text.optional(), name: maybe, mode: maybe, database: engine.nullish(), created_at: moment.nullish() })
  .refine(({ id, name }) => id ?? name, "it has no id")
  .transform((wire) => ({
    id: wire.id ?? wire.name ?? "",
    name: wire.name ?? wire.id ?? "",
    mode: wire.mode ?? undefined,
    engine: wire.database ?? undefined,
    createdAt: wire.created_at ?? undefined,
  }));

export type WireWorkspace = z.output<typeof workspace>;
export const oneWorkspace = workspace;
export const allWorkspaces = z.object({ workspaces: z.array(workspace) }).transform((wire) => wire.workspaces);

export const oneBlueprint = z
  .object({
    name: maybe,
    database: engine.nullish(),
    database_type: engine.nullish(),
    current_version: version,
    version,
    schema: z.array(z.unknown()).nullish().catch(undefined),
  })
  .refine(({ name, current_version, version }) => name ?? current_version ?? version, "it has no name")
  .transform((wire) => ({
    engine: wire.database ?? wire.database_type ?? undefined,
    version: wire.current_version ?? wire.version ?? undefined,
    schema: (wire.schema ?? []).filter((one) => typeof one === "string"),
  }));

const count = z.number().int().nonnegative().nullish();
/** TenantsDB docs: newer and older names of the same fields. */
const deployment = z
  .object({
    id: text.optional(),
    job_id: text.optional(),
    deployment_id: text.optional(),
    blueprint_name: maybe,
    blueprint_id: maybe,
    version,
    status: status.nullish(),
    tenants_total: count,
    total_tenants: count,
    tenants_completed: count,
    completed_tenants: count,
    tenants_failed: count,
    failed_tenants: count,
    created_at: moment.nullish(),
    started_at: moment.nullish(),
    results: z
      .array(z.object({ tenant_id: text, status: z.string().nullish(), error: maybe }))
      .nullish()
      .catch(undefined),
  })
  .transform((wire) => ({
    id: wire.id ?? wire.job_id ?? wire.deployment_id,
    blueprint: wire.blueprint_name ?? wire.blueprint_id ?? undefined,
    version: wire.version ?? undefined,
    status: wire.status ?? undefined,
    total: wire.tenants_total ?? wire.total_tenants ?? undefined,
    completed: wire.tenants_completed ?? wire.completed_tenants ?? undefined,
    failed: wire.tenants_failed ?? wire.failed_tenants ?? undefined,
    createdAt: wire.created_at ?? wire.started_at ?? undefined,
    results: wire.results ?? [],
  }));

export type WireDeployment = z.output<typeof deployment>;
export const oneDeployment = z.preprocess(
  (value) =>
    typeof value === "object" && value !== null && "deployment" in value && typeof value.deployment === "object"
      ? value.deployment
      : value,
  deployment,
);
export const allDeployments = z
  .object({ deployments: z.array(deployment).optional(), jobs: z.array(deployment).optional() })
  .refine(({ deployments, jobs }) => deployments ?? jobs, "there is no list of deployments")
  .transform((wire) => wire.deployments ?? wire.jobs ?? []);

export const allBackups = z
  .object({
    backups: z.array(
      z.object({
        type: maybe,
        date: maybe,
        database_type: engine.nullish(),
        storage_path: text,
        size_bytes: z.number().nullish(),
        created_at: moment.nullish(),
      }),
    ),
  })
  .transform((wire) => wire.backups);

export const scheduled = z.object({ paths: z.array(z.string()).nullish() });

export const logPage = z.object({
  logs: z.array(
    z.object({
      query: z.string().nullish(),
      source: maybe,
      success: z.boolean().nullish(),
      duration_ms: z.number().nullish(),
      created_at: moment.nullish(),
    }),
  ),
  has_more: z.boolean().nullish(),
});

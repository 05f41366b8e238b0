import type { Context, DatabaseAddress } from "../../context";
import { TenantryError } from "../../platform/errors";
import { isOfDatabase } from "../../platform/sql-failure";
import { type Canary, createCanary } from "../../rollout/canary";
import { readLedger } from "../../rollout/ledger";
import { migrate, standingOf } from "../../rollout/migrate";
import { deployedVersion } from "../../rollout/deployed/version";
import { ensureTemplateDatabase } from "../../rollout/template";
import type { TemplateRef } from "../../rollout/template-ref";
import { templateMigrations } from "../../rollout/template-source";
import type { Registry } from "../../registry/registry";
import { templateName } from "../../registry/reserved-names";
import { sinceLifted } from "./configuration";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";

/** Template databases this process has seen complete, by group and digest. */
const templates = new WeakMap<Context, Map<string, Promise<string>>>();
const canaries = new WeakMap<Context, Map<string, Canary>>();

/**
 * The database to copy a new tenant from, where the platform copies; undefined: it is migrated from empty.
 * `anew`: the one that was known is gone.
 */
export async function templateFor(
  context: Context,
  inputs: TenantDatabaseInputs,
  anew: boolean,
): Promise<string | undefined> {
  const { group } = inputs;
  const schema = schemaOf(inputs);
  if (schema?.start !== "copy" || !context.platform.capabilities.seedFromDatabase) return undefined;
  const key = `${group}\n${schema.name}\n${schema.digest}`;
  if (anew) {
    templates.get(context)?.delete(key);
    context.listing.gone(templateName(group, schema.name, schema.digest));
  }
  return remembered(context, key, () => ensureTemplateDatabase(context, group, schema, templateMigrations(schema)));
}

/** Makes sure that the database can be read or written, where its program keeps it blocked. */
export type Open = (what: "reads" | "writes") => Promise<void>;

/** Brings a database that was just acquired to its template's version; answers the version it then has. */
export async function migrateNew(
  context: Context,
  database: DatabaseAddress,
  schema: TemplateRef,
  registry: Registry | undefined,
  open: Open,
): Promise<string | undefined> {
  // What brings a new tenant there is its blueprint; an existing one, the deployment that its template has made.
  if (context.platform.deployments) return deployedVersion(context, database.name, schema);
  const migrations = templateMigrations(schema);
  const sql = context.sql(database);
  await open("reads");
  const look = { sql, database: database.name, migrations };
  const { adopted, pending } = await sinceLifted(context, database.name, () => standingOf(look));
  if (adopted.length + pending.length > 0) {
    await open("writes");
    const request = { ...look, run: await registry?.run() };
    await sinceLifted(context, database.name, () => migrate(request));
  }
  return migrations.at(-1)?.id;
}

/** The same for a tenant that has been in use: one of them goes first, and its failure stops the rest. */
export async function migrateExisting(
  context: Context,
  database: DatabaseAddress,
  schema: TemplateRef,
  registry: Registry | undefined,
  open: Open,
): Promise<string | undefined> {
  const key = `${schema.name}\n${schema.digest}`;
  const known = canaries.get(context) ?? new Map<string, Canary>();
  const canary = known.get(key) ?? createCanary();
  canaries.set(context, known.set(key, canary));
  return canary.run(database.name, () => migrateNew(context, database, schema, registry, open));
}

/**
 * The version a database has, as its own ledger says. Where that cannot be read (blocked, address or token refused,
 * archived, no answer), the last `known` one stands: it is a hint. What the platform itself refuses is told.
 */
export async function reportVersion(
  context: Context,
  database: DatabaseAddress,
  known: string | undefined,
): Promise<string | undefined> {
  try {
    if (context.platform.deployments) return known;
    return (await readLedger(context.sql(database))).filter(({ appliedAt }) => appliedAt).at(-1)?.id;
  } catch (error) {
    if (error instanceof TenantryError && error.whose === "yours" && !isOfDatabase(error)) throw error;
    return known;
  }
}

function remembered(context: Context, key: string, make: () => Promise<string>): Promise<string> {
  const map = templates.get(context) ?? new Map<string, Promise<string>>();
  templates.set(context, map);
  const known = map.get(key);
  if (known) return known;
  const made = make();
  made.catch(() => map.delete(key));
  map.set(key, made);
  return made;
}

import type { Context, DatabaseAddress } from "../../context";
import { type Canary, createCanary } from "../../rollout/canary";
import { readLedger } from "../../rollout/ledger";
import { migrate } from "../../rollout/migrate";
import { pendingMigrations } from "../../rollout/plan";
import { ensureTemplateDatabase } from "../../rollout/template";
import type { TemplateRef } from "../../rollout/template-ref";
import { templateMigrations } from "../../rollout/template-source";
import type { Registry } from "../../registry/registry";
import { templateName } from "../../registry/reserved-names";
import { parseSelf } from "../self";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";

/** With more existing tenants than this, one is migrated first and the rest only after it succeeded. */
const canaryAbove = 10;

/** Template databases this process has seen complete, by group and digest. */
const templates = new WeakMap<Context, Map<string, string | Promise<string>>>();
const canaries = new WeakMap<Context, Map<string, Canary | Promise<Canary>>>();

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
  return remembered(templates, context, key, async () => {
    const registry = await context.registry(group, parseSelf(inputs.self).stack);
    return ensureTemplateDatabase(context, group, schema, templateMigrations(schema), await registry.run());
  });
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
  const migrations = templateMigrations(schema);
  const sql = context.sql(database);
  await open("reads");
  const pending = pendingMigrations(await readLedger(sql), migrations, database.name);
  if (pending.length > 0) {
    await open("writes");
    await migrate({ sql, database: database.name, migrations, run: await registry?.run() });
  }
  return migrations.at(-1)?.id;
}

/** The same for a tenant that has been in use: where there are many, one goes first, and its failure stops the rest. */
export async function migrateExisting(
  context: Context,
  database: DatabaseAddress,
  schema: TemplateRef,
  registry: Registry | undefined,
  self: string,
  open: Open,
): Promise<string | undefined> {
  const key = `${schema.name}\n${schema.digest}`;
  const canary = await remembered(canaries, context, key, async () => {
    // Without a registry nobody knows how many there are, so caution it is.
    if (!registry) return createCanary(true);
    const claims = await registry.ofStack(parseSelf(self).stack);
    const tenants = claims.filter((claim) => claim.template === schema.name && claim.state === "held").length;
    return createCanary(tenants > canaryAbove);
  });
  return canary.run(database.name, () => migrateNew(context, database, schema, registry, open));
}

/** The version a database has, as its own ledger says. */
export async function observeVersion(context: Context, database: DatabaseAddress): Promise<string | undefined> {
  const sql = context.sql(database);
  return (await readLedger(sql)).at(-1)?.id;
}

function remembered<Value>(
  store: WeakMap<Context, Map<string, Value | Promise<Value>>>,
  context: Context,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const map = store.get(context) ?? new Map<string, Value | Promise<Value>>();
  store.set(context, map);
  const known = map.get(key);
  if (known !== undefined) return Promise.resolve(known);
  const made = make();
  made.catch(() => map.delete(key));
  map.set(key, made);
  return made;
}

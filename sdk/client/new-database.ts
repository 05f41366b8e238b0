import { TenantryError, hasCode } from "../../provider/platform/errors";
import type { DatabaseConfiguration, Platform, PlatformDatabase } from "../../provider/platform/platform";
import { readLedger } from "../../provider/rollout/ledger";
import type { Sql } from "../../provider/platform/sql";
import type { Ground, Template } from "./ground";
import { type OwnAccess, createOrGet } from "./own-access";

/**
 * Creates the database, as a copy of the template's own where that is possible: it holds no rows but the ledger's.
 * Fails with "already-exists" when the name is taken.
 */
export async function createFrom(
  ground: Ground,
  own: OwnAccess,
  { name, group, template }: { readonly name: string; readonly group: string; readonly template?: Template },
): Promise<PlatformDatabase> {
  const platform = ground.platform();
  if (!template?.copied || !platform.capabilities.seedFromDatabase) return platform.createDatabase({ name, group });
  const database = await ground.templateName(group, template.name, template.digest);
  const create = () => platform.createDatabase({ name, group, seed: { database } });
  try {
    return await create();
  } catch (error) {
    if (!hasCode(error, "database-not-found")) throw error;
  }
  await makeTemplateDatabase(ground, own, database, group, template);
  return create();
}

/** The first tenant of a template in its group makes what the others are copied from. */
async function makeTemplateDatabase(
  ground: Ground,
  own: OwnAccess,
  name: string,
  group: string,
  { name: template, bringUp }: Template,
): Promise<void> {
  if (!bringUp) {
    throw new TenantryError("not-ready", `template: group "${group}" has no template database of "${template}" yet.`, {
      fix: "Deploy one tenant with that schema there, or provision one from Node.js, which can read the migrations.",
    });
  }
  const sql = own.sql(group, await createOrGet(ground.platform(), name, group));
  try {
    await sql.ready();
    await bringUp(sql, `template "${template}"`);
  } finally {
    sql.close();
  }
}

/** Waits until the database answers, and has all that its template has. */
export async function complete(sql: Sql, database: string, template: Template | undefined): Promise<void> {
  await sql.ready();
  if (!template) return;
  if (template.bringUp) return template.bringUp(sql, database);
  const last = (await readLedger(sql)).at(-1)?.id;
  if (last === template.version) return;
  throw new TenantryError(
    "not-ready",
    `${database}: it is at ${last ?? "no migration"}, not at ${template.version} of template "${template.name}".`,
    { fix: "Provision it from Node.js, which can read the migrations, or by a deploy." },
  );
}

/** What a manifest says of new databases, if the platform can do all of it: nothing of it is left out in silence. */
export function requireConfigurable(
  { name, capabilities }: Platform,
  configuration: DatabaseConfiguration = {},
): DatabaseConfiguration {
  const { block, suspend, deleteProtection, allowedIps, sizeLimit } = capabilities;
  const blocks = block || (suspend && configuration.blockReads === configuration.blockWrites);
  const can = { blockReads: blocks, blockWrites: blocks, deleteProtection, allowedIps, sizeLimit };
  const cannot = (Object.keys(configuration) as (keyof typeof can)[]).find((key) => !can[key]);
  if (cannot === undefined) return configuration;
  throw new TenantryError("unsupported", `${cannot}: the manifest asks for it, and ${name} cannot do that.`, {
    fix: "Name another plan, or take it out of the plan and the defaults.",
  });
}

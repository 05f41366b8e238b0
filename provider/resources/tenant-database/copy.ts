import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import { parseSelf } from "../self";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";
import { type TenantDatabaseOutputs, outputsOf } from "./outputs";
import { declaredConfiguration } from "./configuration";
import { randomId } from "../random-id";

/**
 * A rename that loses nothing: block writes on the source, copy it under the new name, compare both, switch the claim,
 * retire the source. Repeated after a crash it goes on where it was: the copy is claimed before it is made, and the
 * source is deleted only after the new claim is held.
 */
export async function copyUnderNewName(
  id: string,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  context: Context,
): Promise<TenantDatabaseOutputs> {
  const registry = await context.registry(olds.group, parseSelf(news.self).stack);
  const source = await context.listing.database(olds.name);
  if (source?.id !== olds.databaseId) {
    throw new TenantryError("database-not-found", `${olds.name}: it cannot be copied, because it is not there.`, {
      fix: "Run `pulumi refresh` first.",
    });
  }
  const incarnation = randomId();
  const existing = await context.listing.database(news.name);
  const claim = await registry.claim({
    kind: "database",
    name: news.name,
    address: news.self,
    formerAddresses: [olds.self],
    owner: id,
    incarnation,
    existed: existing !== undefined,
    defaultName: news.nameIsDefault === true,
    template: schemaOf(news)?.name,
    tenant: news.tenant,
    expiresAt: olds.expiresAt,
    force: false,
  });
  if (claim.incarnation !== incarnation || claim.existed) {
    if (claim.incarnation === incarnation) await registry.release(claim);
    throw new TenantryError("already-exists", `name: there is a database "${news.name}" already.`, {
      fix: "Choose another name.",
    });
  }
  await context.platform.configureDatabase(olds.name, { blockWrites: true });
  const copy = existing ?? (await makeCopy(context, olds, news));
  const target = context.sql({ name: copy.name, hostname: copy.hostname, group: olds.group });
  await target.ready();
  await compare(context, olds, copy);
  await registry.hold(claim, copy.id, olds.adopted === true);
  context.listing.made({ ...copy, group: olds.group });
  context.identities.set(copy.name, copy.id);

  const old = await registry.find("database", olds.name);
  if (old?.owner === id && old.incarnation === olds.incarnation && olds.deletionPolicy !== "retain" && !olds.adopted) {
    await registry.deleting(old);
    await context.platform.deleteDatabase(olds.name);
    context.listing.gone(olds.name);
  }
  if (old?.owner === id) await registry.release(old);
  return {
    ...outputsOf(
      context,
      { ...news, group: olds.group },
      copy,
      declaredConfiguration({ ...olds, blockWrites: undefined }),
      { ...olds, incarnation },
    ),
    schema: olds.schema,
    schemaVersion: olds.schemaVersion,
  };
}

async function makeCopy(
  context: Context,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
): Promise<PlatformDatabase> {
  try {
    return await context.platform.createDatabase({ name: news.name, group: olds.group, seed: { database: olds.name } });
  } catch (error) {
    const found =
      error instanceof TenantryError && error.code === "already-exists" && error.afterLostReply
        ? await context.platform.getDatabase(news.name)
        : undefined;
    if (found) return found;
    throw error;
  }
}

/** Every table must be there with as many rows; else the copy is not trusted and the source stays what it was. */
async function compare(context: Context, olds: TenantDatabaseOutputs, copy: PlatformDatabase): Promise<void> {
  const source = await rowCounts(context, { name: olds.name, hostname: olds.hostname, group: olds.group });
  const target = await rowCounts(context, { name: copy.name, hostname: copy.hostname, group: olds.group });
  if (JSON.stringify(source) === JSON.stringify(target)) return;
  throw new TenantryError(
    "unavailable",
    `${olds.name}: the copy "${copy.name}" is not complete, so nothing was switched.`,
    { fix: "Run `pulumi up` again." },
  );
}

async function rowCounts(context: Context, address: { name: string; hostname: string; group: string }) {
  const sql = context.sql(address);
  const { rows } = await sql.execute(
    {
      sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
      args: [],
    },
    { idempotent: true },
  );
  const names = rows.map((row) => String(row["name"]));
  if (names.length === 0) return [];
  const counts = await sql.batch(
    names.map((name) => ({ sql: `SELECT count(*) AS rows FROM "${name.replaceAll('"', '""')}"`, args: [] })),
    "read",
    { idempotent: true },
  );
  return names.map((name, i) => [name, Number(counts[i]!.rows[0]!["rows"])]);
}

import type { Context } from "../context";
import { hasCode } from "../platform/errors";
import { templateName } from "../registry/reserved-names";
import { type Standing, migrate } from "./migrate";
import type { Migration } from "./source";

/**
 * The database that new tenants of one group are copied from: holds the template's schema and ledger, and no rows. It is
 * named by its content, so it is made once, never changed, and a second run that makes it too makes the same. Stacks share
 * it and none goes before another, so no run's number is written there.
 */
export async function ensureTemplateDatabase(
  context: Context,
  group: string,
  template: { readonly name: string; readonly digest: string },
  migrations: readonly Migration[],
): Promise<string> {
  const name = templateName(group, template.name, template.digest);
  // The list need not be confirmed: a create finds one that it lacks.
  let database = (await context.listing.databases()).byName.get(name);
  let standing: Standing | undefined;
  if (!database) {
    try {
      database = await context.platform.createDatabase({ name, group });
      // Empty, as far as we know; if others fill it at the same time, their ledger rows say so.
      standing = { adopted: [], pending: migrations, applied: 0 };
    } catch (error) {
      if (!hasCode(error, "already-exists")) throw error;
      database = await context.platform.getDatabase(name);
      if (!database) throw error;
    }
    context.listing.made({ ...database, group });
  }
  const sql = context.sql({ name, hostname: database.hostname, group });
  await sql.expectReady();
  await migrate({ sql, database: `template "${template.name}"`, migrations, run: undefined, standing });
  return name;
}

import type { Context } from "../context";
import { hasCode } from "../platform/errors";
import { templateName } from "../registry/reserved-names";
import { migrate } from "./migrate";
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
  let database = await context.listing.database(name);
  if (!database) {
    try {
      database = await context.platform.createDatabase({ name, group });
    } catch (error) {
      if (!hasCode(error, "already-exists")) throw error;
      database = await context.platform.getDatabase(name);
      if (!database) throw error;
    }
    context.listing.made({ ...database, group });
  }
  const sql = context.sql({ name, hostname: database.hostname, group });
  await sql.ready();
  await migrate({ sql, database: `template "${template.name}"`, migrations, run: undefined });
  return name;
}

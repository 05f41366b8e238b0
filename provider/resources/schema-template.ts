import { z } from "zod";
import { TenantryError, hasCode } from "../platform/errors";
import { pendingMigrations } from "../rollout/plan";
import { type MigrationFormat, type MigrationRef, migrationFormats } from "../rollout/source";
import { templateName } from "../registry/reserved-names";
import type { Context } from "../context";
import type { CommonInputs, Handler } from "./handler";
import { commonShape, judge, judgeName, keepDefaultName, nameShape } from "./inputs";
import { randomId } from "../random-id";
import { requireKnownScope, requireScope } from "./scope";
import { hasUnknown } from "./unknown";

export interface SchemaTemplateInputs extends CommonInputs {
  readonly name: string;
  readonly nameIsDefault?: boolean;
  readonly version: string;
  readonly digest: string;
  readonly migrations: readonly MigrationRef[];
  /** The folder, relative to the project's. */
  readonly path: string;
  readonly format?: "auto" | MigrationFormat;
  readonly seedFrom?: "template" | "migrations";
  readonly migrate?: "tenant" | "rollout";
  /** What a tenant takes; an input, so that a preview knows it. */
  readonly ref: string;
}

export interface SchemaTemplateOutputs extends SchemaTemplateInputs {
  readonly scope: string;
}

const migration = z.strictObject({ id: z.string(), hash: z.string() });
const schema = z.strictObject({
  ...commonShape,
  ...nameShape,
  version: z.string(),
  digest: z.string(),
  migrations: z.array(migration),
  path: z.string(),
  format: z.enum(["auto", ...migrationFormats]).optional(),
  seedFrom: z.enum(["template", "migrations"]).optional(),
  migrate: z.enum(["tenant", "rollout"]).optional(),
  ref: z.string(),
});
const known = ["name", "migrations", "format", "seedFrom", "migrate", "connection"];

/**
 * A named, ordered history of migrations. It costs the platform nothing by itself: the databases that tenants are copied
 * from are made, one a group and digest, when the first tenant needs one, and are deleted here.
 */
export const schemaTemplate: Handler<SchemaTemplateInputs, SchemaTemplateOutputs> = {
  check: ({ news, olds, capabilities }) => ({
    inputs: keepDefaultName(news, olds),
    failures: [...judge(schema, news, known), ...judgeName("name", news.name, capabilities)],
  }),

  diff({ olds, news, context }) {
    requireKnownScope(context, olds.scope);
    if (Object.values(news).some(hasUnknown)) return { changes: true };
    const changes = (["name", "digest", "path", "seedFrom", "migrate", "format", "connection"] as const).some(
      (key) => (olds[key] ?? null) !== (news[key] ?? null),
    );
    return { changes, note: rewritten(olds, news) };
  },

  async create({ inputs, context }) {
    return { id: randomId(), outputs: { ...inputs, scope: await context.scope() } };
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    return outputs;
  },

  async update({ olds, news, context }) {
    const scope = await requireScope(context, olds.scope);
    if (olds.digest !== news.digest || olds.name !== news.name) await removeTemplateDatabases(context, olds);
    return { ...news, scope };
  },

  async delete({ outputs, context }) {
    await requireScope(context, outputs.scope);
    await removeTemplateDatabases(context, outputs);
  },
};

/**
 * Which file is not as it was. That alone is no error: a migration that failed everywhere is corrected in place. Whether
 * a tenant has had the file is for that tenant's own diff to say.
 */
function rewritten(olds: SchemaTemplateOutputs, news: SchemaTemplateInputs): string | undefined {
  try {
    pendingMigrations(olds.migrations, news.migrations, `template "${news.name}"`);
    return undefined;
  } catch (error) {
    return hasCode(error, "migration-invalid") ? error.message.replace(` ${error.fix}`, "") : undefined;
  }
}

/** Template databases hold no rows and are made again when needed, so removing one that another stack uses is harmless. */
async function removeTemplateDatabases(context: Context, { name, digest }: SchemaTemplateOutputs): Promise<void> {
  const { byName } = await context.listing.databases();
  const groups = new Set([...byName.values()].flatMap((database) => database.group ?? []));
  for (const group of groups) {
    const database = templateName(group, name, digest);
    if (!byName.has(database)) continue;
    try {
      await context.platform.deleteDatabase(database);
      context.listing.gone(database);
    } catch (error) {
      // Its group may be going at the same time.
      if (!(error instanceof TenantryError && error.code === "group-not-found")) throw error;
    }
  }
}

import { z } from "zod";
import { engineLog } from "../engine-log";
import type { Capabilities } from "../platform/capabilities";
import { TenantryError, hasCode } from "../platform/errors";
import { parseTemplateRef } from "../rollout/template-ref";
import { deployTemplate } from "../rollout/deployed/deploy";
import { templateMigrations } from "../rollout/template-source";
import { pendingMigrations } from "../rollout/plan";
import { type MigrationFormat, type MigrationRef, migrationFormats } from "../rollout/source";
import { templateName } from "../registry/reserved-names";
import type { Context } from "../context";
import type { CommonInputs, Failure, Handler } from "./handler";
import { commonShape, judge, judgeName, keepDefaultName, nameShape } from "./inputs";
import { randomId } from "../random-id";
import { requireKnownScope, requireScope } from "./scope";
import { typeToken, urnOf } from "./self";
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
  readonly dialect?: string;
  /** What a tenant takes; an input, so that a preview knows it. */
  readonly ref: string;
}

export interface SchemaTemplateOutputs extends SchemaTemplateInputs {
  readonly scope: string;
}

const dialects = ["sqlite", "postgresql", "mysql", "mongodb", "redis"] as const;
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
  dialect: z.enum(dialects, `must be one of ${dialects.map((one) => `"${one}"`).join(", ")}`).optional(),
  ref: z.string(),
});
const known = ["name", "migrations", "format", "seedFrom", "migrate", "dialect", "connection"];

/**
 * A named, ordered history of migrations. It costs the platform nothing by itself: the databases that tenants are copied
 * from are made, one a group and digest, when the first tenant needs one, and are deleted here.
 */
export const schemaTemplate: Handler<SchemaTemplateInputs, SchemaTemplateOutputs> = {
  check: ({ news, olds, capabilities, platform }) => ({
    inputs: keepDefaultName(news, olds),
    failures: [
      ...judge(schema, news, known),
      ...judgeName("name", news.name, capabilities),
      ...judgeDialect(news, capabilities, platform),
    ],
  }),

  diff({ olds, news, context }) {
    requireKnownScope(context, olds.scope);
    if (Object.values(news).some(hasUnknown)) return { changes: true };
    const changes = (
      ["name", "digest", "path", "seedFrom", "migrate", "dialect", "format", "connection"] as const
    ).some((key) => (olds[key] ?? null) !== (news[key] ?? null));
    if (context.platform.deployments) return { changes, note: deploymentNote(olds, news) };
    return { changes, note: rewritten(olds, news) };
  },

  async create({ inputs, context }) {
    const scope = await context.scope();
    await deploy(context, inputs);
    return { id: randomId(), outputs: { ...inputs, scope } };
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    return outputs;
  },

  async update({ olds, news, context }) {
    const scope = await requireScope(context, olds.scope);
    if (context.platform.deployments) {
      await deploy(context, news);
      return { ...news, scope };
    }
    if (olds.digest !== news.digest || olds.name !== news.name) await removeTemplateDatabases(context, olds);
    return { ...news, scope };
  },

  async delete({ outputs, context }) {
    await requireScope(context, outputs.scope);
    if (context.platform.deployments) {
      return `${outputs.name}: its workspace and blueprint stay, since tenants may have them, in the trash too; delete the workspace in ${context.platform.name} when none has`;
    }
    await removeTemplateDatabases(context, outputs);
    return undefined;
  },
};

function judgeDialect(news: Partial<SchemaTemplateInputs>, capabilities: Capabilities, platform: string): Failure[] {
  if (hasUnknown(news.dialect)) return [];
  const failures: Failure[] = [];
  const { dialects: known, schemas } = capabilities;
  const dialect = news.dialect ?? "sqlite";
  if (!known.some((one) => one === dialect)) {
    const can = known.map((one) => `"${one}"`).join(" or ");
    failures.push(
      `dialect: ${news.dialect === undefined ? "migrations are SQLite's where nothing else is said" : `"${dialect}"`}, and ${platform} takes ${can}; say so if they are.`,
    );
  }
  if (schemas === "deployments" && news.migrate === "rollout") {
    failures.push(
      `migrate: ${platform} deploys to all tenants of a blueprint at once, and has no rollouts; leave it out.`,
    );
  }
  return failures;
}

/** Statement by statement into the blueprint's workspace, then to all of its tenants, where the platform does it so. */
async function deploy(context: Context, inputs: SchemaTemplateInputs): Promise<void> {
  if (!context.platform.deployments) return;
  const urn = urnOf(inputs.self, typeToken("schemaTemplate"));
  const say = (text: string, isStatus = false): void => void engineLog("info", text, urn, isStatus);
  await deployTemplate(context, inputs.name, templateMigrations(parseTemplateRef(inputs.ref)!), say);
}

/** What goes to every tenant at once; there is no way back. Fails where applied files are not as they were. */
function deploymentNote(olds: SchemaTemplateOutputs, news: SchemaTemplateInputs): string | undefined {
  if (olds.name !== news.name) {
    throw new TenantryError(
      "needs-decision",
      `name: a blueprint cannot be renamed from "${olds.name}" to "${news.name}".`,
      { fix: `Set it back, or declare another SchemaTemplate beside it.` },
    );
  }
  const pending = pendingMigrations(olds.migrations, news.migrations, `template "${news.name}"`);
  if (pending.length === 0) return undefined;
  const all = pending.map(({ id }) => id).join(", ");
  return `${news.name}: ${olds.version} -> ${news.version}, to all of its tenants at once, forward only: ${all}`;
}

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

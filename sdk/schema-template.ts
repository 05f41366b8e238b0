import { isAbsolute, relative, resolve } from "node:path";
import * as pulumi from "./pulumi";
import { nameFrom } from "../provider/resources/name";
import { type MigrationFormat, type MigrationRef, digestOf, readMigrations } from "../provider/rollout/source";
import { formatTemplateRef } from "../provider/rollout/template-ref";
import { joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf } from "./remote";

export interface SchemaTemplateArgs {
  /** @default the resource's name, made valid */
  name?: string;
  /**
   * Folder of migrations, looked up from the program's folder: ordered .sql files ("0001_init.sql", ...), what drizzle-kit
   * or Prisma Migrate wrote, or dbmate's files.
   */
  migrations: string;
  /**
   * Which of them it is. "auto" looks, and fails where it could be more than one.
   * @default "auto"
   */
  format?: "auto" | MigrationFormat;
  /**
   * How a new tenant gets the schema: copied from a template database in one call (one such database per group), or by
   * running all migrations.
   * @default "template" where the platform copies
   */
  seedFrom?: "template" | "migrations";
  /**
   * By whom its tenants are migrated: "tenant", each TenantDatabase by itself; "rollout", only by a SchemaRollout or
   * `tenantry schema apply`.
   * @default "tenant"
   */
  migrate?: "tenant" | "rollout";
  /**
   * What the migrations are written in, which the platform has to take: "sqlite" everywhere but on TenantsDB, "postgresql"
   * there. TenantsDB runs them in a workspace of the template's name and deploys them to all tenants of that blueprint.
   * @default "sqlite"
   */
  dialect?: "sqlite" | "postgresql";
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * A schema as an ordered history of migrations. New tenants are copied from it; when it gains a migration, a preview
 * names it for each tenant and `pulumi up` applies it to each.
 *
 * ```ts
 * const app = new tenantry.SchemaTemplate("app", { migrations: "./migrations" });
 * ```
 */
export class SchemaTemplate extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  /** Id of the last migration. */
  declare readonly version: pulumi.Output<string>;
  /** One hash over all ids and texts. */
  declare readonly digest: pulumi.Output<string>;
  declare readonly migrations: pulumi.Output<MigrationRef[]>;
  /** What a TenantDatabase takes as its `schema`: name, version, digest and folder in one line. */
  declare readonly ref: pulumi.Output<string>;

  /** Where it lives: platform, organization and host. */
  declare readonly scope: pulumi.Output<string>;

  static override isInstance(value: unknown): value is SchemaTemplate {
    return isKind(value, "schemaTemplate");
  }

  constructor(name: string, args: SchemaTemplateArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { migrations: folder, ...rest } = args;
    const migrations = readInProgram(name, folder, args.format).map(({ id, hash }) => ({ id, hash }));
    const template = {
      name: args.name ?? nameFrom(name),
      version: migrations.at(-1)!.id,
      digest: digestOf(migrations),
      path: fromProject(folder),
    };
    const ref = formatTemplateRef({
      ...template,
      start: args.seedFrom === "migrations" ? "migrate" : "copy",
      rollout: args.migrate === "rollout" || undefined,
      format: args.format === "auto" ? undefined : args.format,
    });
    const inputs = { ...rest, ...template, nameIsDefault: args.name === undefined || undefined, migrations, ref };
    super(
      typeOf("schemaTemplate"),
      name,
      { scope: undefined, ...remoteInputs("schemaTemplate", name, inputs, opts) },
      opts,
    );
    joinPreflight(args.connection, this.scope);
  }
}

function readInProgram(name: string, folder: string, format: SchemaTemplateArgs["format"]) {
  try {
    return readMigrations(resolve(folder), folder, format).migrations;
  } catch (error) {
    // A RunError is shown as its message alone, without a stack.
    throw new pulumi.RunError(`${name}: ${(error as Error).message}`);
  }
}

/** The folder as seen from the project's, so that state is the same on every machine. */
function fromProject(folder: string): string {
  const path = relative(pulumi.getRootDirectory(), resolve(folder)).replaceAll("\\", "/");
  return isAbsolute(path) ? resolve(folder) : path || ".";
}

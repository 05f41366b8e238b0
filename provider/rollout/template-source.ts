import { resolve } from "node:path";
import { TenantryError } from "../platform/errors";
import { projectFolder } from "../project-folder";
import type { TemplateRef } from "./template-ref";
import { type Migration, digestOf, readMigrations } from "./source";

const read = new Map<string, Migration[]>();

/**
 * The template's migrations as they are on disk, once a process. Fails when the text is no longer what the program
 * hashed: only what was previewed is run.
 */
export function templateMigrations({
  name,
  digest,
  path,
  format,
}: Pick<TemplateRef, "name" | "digest" | "path" | "format">): Migration[] {
  const key = `${path}\n${digest}\n${format ?? "auto"}`;
  const known = read.get(key);
  if (known) return known;
  const { migrations } = readMigrations(resolve(projectFolder(), path), path, format);
  if (digestOf(migrations) !== digest) {
    throw new TenantryError(
      "migration-invalid",
      `schema: the files in "${path}" are not those that template "${name}" was declared with.`,
      { fix: "They changed since the program ran: run `pulumi up` again." },
    );
  }
  read.set(key, migrations);
  return migrations;
}

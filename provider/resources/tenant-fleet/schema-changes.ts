import { TenantryError } from "../../platform/errors";
import { judgeDestruction } from "../../rollout/fleet/destruction";
import { type Migration, digestOf } from "../../rollout/source";
import { type TemplateRef, parseTemplateRef } from "../../rollout/template-ref";
import { templateMigrations } from "../../rollout/template-source";
import type { Change, FleetChanges } from "./changes";
import type { TenantFleetInputs } from "./inputs";

/** Lines of findings that a preview shows. */
const shown = 4;

/**
 * What can be held against the schema changes by their files and by the recorded versions, before anything is touched:
 * "migration-invalid" where files that tenants have had are others by now, "needs-decision" where data would be destroyed
 * and nobody allowed it. Answers lines for the reader about what was allowed.
 */
export async function judgeSchemaChanges(
  { bring }: Pick<FleetChanges, "bring">,
  { rollout }: Pick<TenantFleetInputs, "rollout">,
): Promise<string[]> {
  const lines: string[] = [];
  for (const [schema, behind] of bring) {
    const template = parseTemplateRef(schema)!;
    const migrations = templateMigrations(template);
    const position = new Map(migrations.map(({ id }, i) => [id, i + 1]));
    requireSameHistory(template, migrations, behind, position);
    const had = behind.map(({ record: { schemaVersion } }) =>
      schemaVersion === undefined ? 0 : (position.get(schemaVersion) ?? migrations.length),
    );
    const least = had.reduce((a, b) => Math.min(a, b), migrations.length);
    const allowed = rollout?.allowDestructive ?? [];
    const { findings, refusal } = await judgeDestruction(template.name, migrations, least, allowed);
    if (refusal) throw refusal;
    lines.push(...findings.map(({ file, line, kind, what }) => `${kind}: ${file}:${line}: ${what}`));
  }
  return lines.length > shown ? [...lines.slice(0, shown), `and ${lines.length - shown} more findings`] : lines;
}

/** Who has what the template has no more is left to the rollout, which looks at the ledger. */
function requireSameHistory(
  template: TemplateRef,
  migrations: readonly Migration[],
  behind: readonly Change[],
  position: ReadonlyMap<string, number>,
): void {
  const seen = new Set<string>();
  for (const { record, tenant } of behind) {
    const before = parseTemplateRef(record.profile.schema ?? "");
    if (!before || before.name !== template.name || before.version !== record.schemaVersion) continue;
    if (seen.size === seen.add(before.digest).size) continue;
    const had = position.get(before.version);
    if (had === undefined) continue;
    const now = digestOf(migrations.slice(0, had));
    if (now === before.digest) continue;
    throw new TenantryError(
      "migration-invalid",
      `schema: ${tenant.id} has had the migrations up to ${before.version}, and these were edited, removed or put in ` +
        `another order since (digest then ${before.digest}, now ${now}).`,
      { fix: "Put the applied files back as they were and write the change as a new migration." },
    );
  }
}

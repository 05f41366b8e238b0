import { TenantryError } from "../../platform/errors";
import { type Finding, type FindingKind } from "../schema/finding";
import { type HistoryProblem, replayHistory } from "../schema/history";
import type { Migration } from "../source";

/** What the migrations to be applied would destroy, and whether that stands in the way of them. */
export interface Destruction {
  /** Of pending migrations only, in their order. */
  readonly findings: readonly Finding[];
  /** Why nothing may be run: data would be lost and nobody allowed it, or a file that SQLite refuses. */
  readonly refusal: TenantryError | undefined;
  /** Why findings are guessed from the statements' texts. */
  readonly problem: HistoryProblem | undefined;
}

/** What loses rows or values for good. The other kinds fail where rows do not fit, and then keep nothing of the file. */
const loses: readonly FindingKind[] = ["drop-table", "drop-column", "delete-rows"];

/** `had`: how many migrations the tenant has that lacks most; undefined: nobody lacks any. */
export async function judgeDestruction(
  template: string,
  migrations: readonly Migration[],
  had: number | undefined,
  allowed: readonly string[],
): Promise<Destruction> {
  requireKnown(allowed, migrations);
  const pending = had === undefined ? [] : migrations.slice(had);
  if (pending.length === 0) return { findings: [], refusal: undefined, problem: undefined };
  const history = await replayHistory(migrations);
  const ids = new Set(pending.map(({ id }) => id));
  const findings = history.findings.filter(({ migration }) => ids.has(migration));
  const problem = history.problem && ids.has(history.problem.migration) ? history.problem : undefined;
  const refused = findings.filter(({ migration }) => !allowed.includes(migration));
  return { findings, problem, refusal: brokenFile(template, problem) ?? unallowed(template, refused) };
}

function requireKnown(allowed: readonly string[], migrations: readonly Migration[]): void {
  const stranger = allowed.find((id) => !migrations.some((one) => one.id === id));
  if (stranger === undefined) return;
  throw new TenantryError("invalid-input", `allowDestructive: the template has no migration "${stranger}".`, {
    fix: "Give the file's name without .sql, or the folder's name where each migration has one.",
  });
}

/** Names that no migration makes may be there in databases that were not empty when the template came. */
function brokenFile(template: string, problem: HistoryProblem | undefined): TenantryError | undefined {
  if (problem?.reason !== "refused") return undefined;
  const where = `${problem.file}, line ${problem.line}`;
  return new TenantryError("migration-invalid", `schema "${template}": ${where}: ${problem.message}.`, {
    fix: "Correct the file. No tenant was touched.",
  });
}

function unallowed(template: string, refused: readonly Finding[]): TenantryError | undefined {
  if (refused.length === 0) return undefined;
  const ids = [...new Set(refused.map(({ migration }) => migration))];
  const list = refused.map(({ file, line, kind, what }) => `\n  ${file}, line ${line}: ${kind}: ${what}`).join("");
  const whole = refused.some(({ kind }) => loses.includes(kind))
    ? "would destroy data"
    : "may fail on, or change, what is there";
  return new TenantryError("needs-decision", `schema "${template}": what is to be applied ${whole}:${list}`, {
    fix: `\nNo tenant was touched. Change the files, or allow it: allowDestructive: ${JSON.stringify(ids)}.`,
  });
}

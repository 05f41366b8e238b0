import { type FleetPlan, type PlannedTenant, plannedTenants } from "../../../provider/rollout/fleet/plan";
import { versionAt } from "../../../provider/rollout/fleet/tally";
import type { Policy } from "../../../provider/rollout/fleet/policy";
import type { Finding } from "../../../provider/rollout/schema/finding";
import type { Migration } from "../../../provider/rollout/source";
import type { Statement } from "../../../provider/rollout/statements";
import { withoutComments } from "./history";
import { reasonLines } from "./reasons";
import { type Style, clip, fold, paint } from "./screen";
import { counted, indented, listed, table } from "./table";

/** What a plan changes from one version to the template's: how many tenants, and which migrations they lack. */
export interface PlannedStep {
  /** Undefined: nothing of the template is applied yet. */
  readonly from: string | undefined;
  readonly pending: readonly string[];
  readonly tenants: readonly PlannedTenant[];
}

/** Those furthest behind first. */
export function stepsOf(plan: FleetPlan): PlannedStep[] {
  const byHad = new Map<number, PlannedTenant[]>();
  for (const tenant of plannedTenants(plan)) byHad.set(tenant.had, [...(byHad.get(tenant.had) ?? []), tenant]);
  return [...byHad]
    .sort(([a], [b]) => a - b)
    .map(([had, tenants]) => ({
      from: versionAt(plan, had),
      pending: plan.history.slice(had).map(({ id }) => id),
      tenants,
    }));
}

/** A migration that somebody lacks. */
export interface PendingMigration {
  readonly migration: Migration;
  readonly tenants: number;
}

export function pendingOf(plan: FleetPlan, migrations: readonly Migration[]): PendingMigration[] {
  const planned = plannedTenants(plan);
  return migrations.flatMap((migration, i) => {
    const tenants = planned.filter(({ had }) => had <= i).length;
    return tenants > 0 ? [{ migration, tenants }] : [];
  });
}

export interface PlanPicture {
  readonly plan: FleetPlan;
  readonly migrations: readonly Migration[];
  readonly findings: readonly Finding[];
}

/** For people: who is brought from where to where, in which waves, who is not and why, and what is run. */
export function drawPlan(
  { plan, migrations, findings }: PlanPicture,
  { allowDestructive }: Pick<Policy, "allowDestructive">,
  style: Style & { live: boolean },
): string[] {
  const target = plan.history.at(-1)!.id;
  const planned = plannedTenants(plan).length;
  const all = planned + plan.settled.length;
  const current = plan.settled.filter(({ state }) => state === "current").length;
  const others = plan.settled.filter(({ state }) => state !== "current");
  const left = others.length > 0 ? ["", "Left as they are:", ...indented(reasonLines(others, style))] : [];
  const head = `${plan.template}: ${planned} of ${counted(all, "tenant")} to be brought to ${target}, ${current} there already.`;
  if (planned === 0) return [head, ...left];
  return [
    head,
    "",
    ...indented(
      table(
        [
          ["FROM", "TO", "TENANTS", "PENDING"],
          ...stepsOf(plan).map(({ from, pending, tenants }) => [
            ...[from ?? "none", target, String(tenants.length), listed(pending)],
          ]),
        ],
        [2],
      ).map((line) => clipped(line, style)),
    ),
    "",
    ...indented(
      table(
        [
          ["WAVE", "TENANTS", "WHO"],
          ...plan.waves.map(({ title, tenants }) => [
            ...[title, String(tenants.length), listed(tenants.map(({ name }) => name))],
          ]),
        ],
        [1],
      ).map((line) => clipped(line, style)),
    ),
    ...left,
    "",
    ...pendingOf(plan, migrations).flatMap((one) => drawMigration(one, findings, allowDestructive, style)),
  ];
}

const clipped = (line: string, { live, width }: Style & { live: boolean }): string =>
  live && line.length > width - 2 ? `${line.slice(0, width - 5)}...` : line;

/** Of a statement: on a terminal so many lines, elsewhere so many characters; all of it is in the file. */
const mostLines = 12;
const longest = 200;

function drawMigration(
  { migration, tenants }: PendingMigration,
  findings: readonly Finding[],
  allowed: readonly string[],
  style: Style & { live: boolean },
): string[] {
  const { id, file } = migration;
  const statements = migration.statements.flatMap(({ sql, line }) => {
    const label = `  ${file}:${line}  `;
    const room = Math.max(30, style.width - label.length);
    const text = withoutComments(sql);
    const [first = "", ...rest] = style.live ? fold(text, style, room, mostLines) : [clip(text, longest)];
    const marks = findingsAt(findings, id, { sql, line });
    return [
      `${label}${first}`,
      ...rest.map((more) => `${" ".repeat(label.length)}${more}`),
      ...marks.map((one) =>
        paint(style, losesData(one) ? "red" : "yellow", `${" ".repeat(label.length)}${markOf(one, allowed)}`),
      ),
    ];
  });
  return [`${paint(style, "bold", id)}, for ${counted(tenants, "tenant")}`, ...statements];
}

/** Several statements may stand on one line; a finding's leaves out the comments before it. */
export const findingsAt = (findings: readonly Finding[], migration: string, at: Statement): Finding[] =>
  findings.filter((one) => one.migration === migration && one.line === at.line && at.sql.endsWith(one.sql));

function markOf(finding: Finding, allowed: readonly string[]): string {
  const kind = losesData(finding) ? "LOSES DATA" : "MAY FAIL OR CHANGE ROWS";
  const more = [
    ...(finding.guessed ? ["guessed from the text"] : []),
    ...(allowed.includes(finding.migration) ? ["allowed"] : []),
  ];
  return `${kind}: ${finding.what}${more.length > 0 ? ` (${more.join(", ")})` : ""}`;
}

/** Whether rows or values are gone afterwards; the other findings are about rows that may not fit. */
export const losesData = ({ kind }: Finding): boolean =>
  kind === "drop-table" || kind === "drop-column" || kind === "delete-rows";

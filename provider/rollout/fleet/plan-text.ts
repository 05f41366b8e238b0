import type { Finding } from "../schema/finding";
import type { Migration } from "../source";
import { type FleetPlan, type SettledTenant, plannedTenants } from "./plan";
import { shortWhy } from "./report";
import { versionAt } from "./tally";
import type { FleetTenant } from "./waves";

export interface PlanTextOptions {
  /** Whether the statements are shown. */
  readonly migrations?: readonly Migration[];
  /** What those to be applied would destroy, or may fail on. */
  readonly findings?: readonly Finding[];
  /** Databases that are not there yet and will be made, with the template's schema. */
  readonly fresh?: ReadonlySet<string>;
}

/** How many lines of a kind are written out; the rest is counted. */
const most = { versions: 4, waves: 6, statements: 6, findings: 4, names: 3, letters: 100 };

/** A plan for people: at most some 25 lines, however many tenants there are. The first names template, target and counts. */
export function planText(plan: FleetPlan, { migrations, findings = [], fresh }: PlanTextOptions = {}): string[] {
  const planned = plannedTenants(plan);
  const settled = plan.settled.filter(({ name }) => !fresh?.has(name));
  const made = plan.settled.length - settled.length;
  const target = plan.history.at(-1)!.id;
  const all = planned.length + plan.settled.length;
  const head = `schema "${plan.template}": ${count(planned.length)} of ${tenants(all)} to be brought to ${target}`;
  const current = settled.filter(({ state }) => state === "current").length;
  return [
    head,
    ...(made > 0 ? [`  new: ${count(made)}, made with ${target}`] : []),
    ...(current > 0 && planned.length > 0 ? [`  at ${target}: ${count(current)}`] : []),
    ...versions(plan),
    ...(["skipped", "quarantined", "unknown"] as const).flatMap((state) => leftOut(state, settled)),
    ...waves(plan),
    ...(migrations && planned.length > 0 ? statements(plan, migrations) : []),
    ...cut(findings.map(findingLine), most.findings, "findings"),
  ];
}

/** From which version how many come, the oldest first. */
function versions(plan: FleetPlan): string[] {
  const counts = new Map<number, number>();
  for (const { had } of plannedTenants(plan)) counts.set(had, (counts.get(had) ?? 0) + 1);
  const lines = [...counts]
    .sort(([a], [b]) => a - b)
    .map(([had, number]) => {
      const pending = plan.history.slice(had).map(({ id }) => id);
      return `  from ${versionAt(plan, had) ?? "nothing"}: ${count(number)}, to apply: ${some(pending)}`;
    });
  return cut(lines, most.versions, "versions");
}

function leftOut(state: SettledTenant["state"], settled: readonly SettledTenant[]): string[] {
  const those = settled.filter((tenant) => tenant.state === state);
  if (those.length === 0) return [];
  const first = those.slice(0, most.names).map(({ name, why }) => `${name} (${short(shortWhy(name, why ?? ""))})`);
  const until = state === "quarantined" ? "; left out until `tenantry schema release` or another template" : "";
  return [`  ${state}: ${count(those.length)}: ${some(first, those.length)}${until}`];
}

function waves(plan: FleetPlan): string[] {
  const lines = plan.waves.map(({ title, tenants: members }) => {
    const names = members.slice(0, most.names).map(({ name }: FleetTenant) => name);
    return `  ${title}: ${count(members.length)}: ${some(names, members.length)}`;
  });
  return cut(lines, most.waves, "waves");
}

function statements(plan: FleetPlan, migrations: readonly Migration[]): string[] {
  const first = Math.min(...plannedTenants(plan).map(({ had }) => had));
  const lines = migrations
    .slice(first)
    .flatMap(({ file, statements: own }) =>
      own.map((one) => `  ${file}:${one.line}: ${short(one.sql.replace(/\s+/g, " "))}`),
    );
  return cut(lines, most.statements, "statements");
}

const findingLine = ({ file, line, kind, what }: Finding): string => `  ${kind}: ${file}:${line}: ${short(what)}`;

const cut = (lines: readonly string[], limit: number, what: string): string[] =>
  lines.length <= limit ? [...lines] : [...lines.slice(0, limit - 1), `  and ${lines.length - limit + 1} more ${what}`];

/** "a, b, c and 4 more", of `all` where only the first are given. */
function some(names: readonly string[], all = names.length): string {
  const first = names.slice(0, most.names);
  return all > first.length ? `${first.join(", ")} and ${count(all - first.length)} more` : first.join(", ");
}

const count = (number: number): string => number.toLocaleString("en-US");
const tenants = (number: number): string => (number === 1 ? "1 tenant" : `${count(number)} tenants`);
const short = (text: string): string => (text.length > most.letters ? `${text.slice(0, most.letters)}...` : text);

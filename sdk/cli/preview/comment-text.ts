import type { BranchReport, PreviewReport } from "../../../provider/preview/report";
import { counted } from "../schema/table";
import { block, code, table } from "./markdown";

/** Tenants in a table, and failures in full. */
interface Shown {
  readonly rows: number;
  readonly failures: number;
}
const most: Shown = { rows: 40, failures: 20 };
/** In characters. GitHub takes 65,536 of them. */
const longest = 60_000;

/**
 * A pull request's comment about its branches: plan, addresses, migrations, failures. No token, nothing of the time when
 * it is made: the same report is the same text. Its first line is not to be seen, and finds the comment again.
 */
export function commentText(report: PreviewReport): string {
  for (let { rows, failures } = most; ; rows >>= 1, failures >>= 1) {
    const text = textOf(report, { rows, failures });
    if (text.length <= longest || rows === 0) return text;
  }
}

function textOf(report: PreviewReport, shown: Shown): string {
  const { branches } = report;
  const failed = branches.filter(({ state }) => state !== "ready");
  const lines = [
    markerOf(report),
    "### Preview databases",
    "",
    verdict(report, failed),
    "",
    ...(branches.length === 0 ? [] : [...planTable(branches, shown), "", ...addresses(branches, shown), ""]),
    ...migrations(report, shown),
    ...failures(failed, shown),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** `<!-- tenantry-preview owner/name#42 -->`: the same for every push to a pull request, and for no other. */
export function markerOf({ repository, pullRequest }: Pick<PreviewReport, "repository" | "pullRequest">): string {
  // What could end the comment early is not written as it is.
  const name = repository.replace(/[^\w./]/gu, (sign) => encodeURIComponent(sign).replaceAll("-", "%2D"));
  return `<!-- tenantry-preview ${name}#${pullRequest} -->`;
}

const contents = {
  "schema-only": "tables without rows",
  copy: "copies with all their rows",
  masked: "copies with masked rows",
} as const;

function verdict({ branches, data, expiresAt }: PreviewReport, failed: readonly BranchReport[]): string {
  const migrating = failed.filter(({ state }) => state === "migration-failed").length;
  const others = failed.length - migrating;
  const bad = [
    ...(migrating > 0 ? [`**A migration fails on ${counted(migrating, "tenant")}.**`] : []),
    ...(others > 0 ? [`**${counted(others, "branch").replace(/branchs$/, "branches")} could not be made.**`] : []),
  ];
  if (branches.length === 0) return "No branches.";
  const good = `${branches.length - failed.length} of ${branches.length} ready: ${contents[data]}.`;
  const end =
    expiresAt === null
      ? "They have no end of their own."
      : `They end when this is merged or closed, at the latest at ${code(minute(expiresAt))}.`;
  return [...bad, good, end].join(" ");
}

/** `2026-12-04 10:00 UTC` */
const minute = (iso: string): string =>
  iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z$/, (_all, day, time) => `${day} ${time} UTC`);

const rest = (count: number, some: number): string[] => (count > some ? ["", `And ${count - some} more.`] : []);

function planTable(branches: readonly BranchReport[], shown: Shown): string[] {
  const rows = branches
    .slice(0, shown.rows)
    .map(({ tenant, source, branch, created, from, to, state, error }) => [
      code(tenant),
      code(source),
      `${state === "failed" ? "" : created ? "new: " : "kept: "}${code(branch)}`,
      from === to || state === "failed" ? version(from) : `${version(from)} → ${version(to)}`,
      state === "ready" ? "ready" : `**failed**${error?.migration ? ` at ${code(error.migration)}` : ""}`,
    ]);
  return [...table(["Tenant", "Of", "Branch", "Schema", ""], rows), ...rest(branches.length, shown.rows)];
}

const version = (id: string | null): string => (id === null ? "none" : code(id));

function addresses(branches: readonly BranchReport[], shown: Shown): string[] {
  const made = branches.filter(({ url }) => url !== "");
  if (made.length === 0) return [];
  const rows = made.slice(0, shown.rows).map(({ tenant, url }) => [code(tenant), code(bare(url), 160)]);
  return [...table(["Tenant", "Address"], rows), ...rest(made.length, shown.rows)];
}

/** Without user, password, query and fragment, where a token could be. */
function bare(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
  } catch {
    return url.replace(/^([^/]*\/\/)[^/@]*@/, "$1").replace(/[?#].*$/s, "");
  }
}

function migrations({ branches, fleet }: PreviewReport, shown: Shown): string[] {
  const migrated = branches.filter(({ applied }) => applied.length > 0);
  const sum = (branch: BranchReport, of: "ms" | "rowsWritten"): number =>
    branch.applied.reduce((total, one) => total + one[of], 0);
  const rows = migrated
    .slice(0, shown.rows)
    .map((branch) => [
      code(branch.tenant),
      names(branch.applied.map(({ id }) => id)),
      time(sum(branch, "ms")),
      number(sum(branch, "rowsWritten")),
      time(Math.max(...branch.applied.map(({ lockedMs }) => lockedMs))),
    ]);
  const head = ["Tenant", "Migrations", "Took", "Rows written", "Longest lock"];
  return [
    "#### Migrations",
    "",
    ...(migrated.length > 0
      ? [...table(head, rows), ...rest(migrated.length, shown.rows)]
      : ["Nothing was to be applied to a branch."]),
    "",
    fleet.projectedMs === null
      ? `How long they would take over the whole fleet (${counted(fleet.tenants, "tenant")}) cannot be told.`
      : `Over the whole fleet (${counted(fleet.tenants, "tenant")}), this would take ${fleet.projectedMs < 1_000 ? "" : "about "}${time(fleet.projectedMs)}.`,
    "",
  ];
}

function names(ids: readonly string[]): string {
  const more = ids.length > 2 ? ` and ${ids.length - 2} more` : "";
  return ids
    .slice(0, 2)
    .map((id) => code(id))
    .join(", ")
    .concat(more);
}

function failures(failed: readonly BranchReport[], shown: Shown): string[] {
  if (failed.length === 0) return [];
  const told = failed.slice(0, shown.failures).flatMap(({ tenant, error }) => {
    const where = error?.migration ? `, in ${code(error.migration)}` : "";
    return [`${code(tenant)}${where}:`, "", ...block(error?.message ?? "It did not say why."), ""];
  });
  return ["#### What failed", "", ...told, ...rest(failed.length, shown.failures).slice(1)];
}

const number = (value: number): string => value.toLocaleString("en-US");

/** Coarse, so that two runs of the same say the same. */
function time(ms: number): string {
  if (ms < 1_000) return "under 1 s";
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

import type { BranchReport, PreviewReport } from "../../../provider/preview/report";
import { type Ground, groundLine } from "../schema/ground";
import { counted, table } from "../schema/table";
import type { HandOnFlags } from "./hand-on";

const states = { ready: "ready", "migration-failed": "migration failed", failed: "failed" } as const;

/** For people who run it by hand. No token is in it. */
export function upText(
  ground: Ground,
  report: PreviewReport,
  notes: ReadonlyMap<string, readonly string[]>,
  { toEnvFile, githubOutput }: Pick<HandOnFlags, "toEnvFile" | "githubOutput">,
): string {
  const { repository, pullRequest, branches, data, expiresAt, fleet } = report;
  const lines = [groundLine(ground), ...ground.notes, ""];
  const cells = branches.map((one) => [one.tenant, one.branch, states[one.state], historyOf(one), timeOf(one)]);
  lines.push(...table([["TENANT", "BRANCH", "", "SCHEMA", "MIGRATIONS"], ...cells]), "");
  for (const { tenant, error } of branches) if (error) lines.push(`${tenant}: ${error.message}`);
  const [first] = notes.values();
  if (first && first.length > 0)
    lines.push("No rule names these, and they cannot be null:", ...first.map((note) => `  ${note}`));
  const ready = branches.filter(({ state }) => state === "ready").length;
  const end = expiresAt === null ? "without end" : `until ${expiresAt}`;
  lines.push(
    `${repository}#${pullRequest}: ${ready} of ${counted(branches.length, "branch").replace(/branchs$/, "branches")} ready (${data}), ${end}.`,
  );
  if (fleet.projectedMs !== null) {
    lines.push(
      `Over ${counted(fleet.tenants, "tenant")} these migrations take about ${duration(fleet.projectedMs)}, 16 at a time.`,
    );
  }
  const where = [...(toEnvFile === undefined ? [] : [toEnvFile]), ...(githubOutput ? ["the step's outputs"] : [])];
  lines.push(
    where.length > 0
      ? `Addresses and tokens are in ${where.join(" and ")}.`
      : "Tokens are shown nowhere: --to-env-file or --github-output writes them.",
  );
  return `${lines.join("\n")}\n`;
}

const historyOf = ({ from, to }: BranchReport): string =>
  from === to ? (to ?? "-") : `${from ?? "none"} -> ${to ?? "?"}`;

function timeOf({ applied }: BranchReport): string {
  if (applied.length === 0) return "-";
  const sum = (of: (one: BranchReport["applied"][number]) => number): number =>
    applied.reduce((all, one) => all + of(one), 0);
  const rows = sum(({ rowsWritten }) => rowsWritten);
  return `${applied.length} in ${duration(sum(({ ms }) => ms))}, ${counted(rows, "row")} written, locked ${duration(sum(({ lockedMs }) => lockedMs))}`;
}

export const duration = (ms: number): string =>
  ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`;

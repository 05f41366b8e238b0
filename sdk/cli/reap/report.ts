import { type Ground, groundLine } from "../schema/ground";
import { counted, table } from "../schema/table";
import type { EndingRow, EndingStatus } from "./endings";

const words: Record<EndingStatus, string> = {
  due: "to be deleted",
  later: "later",
  kept: "kept",
  reaped: "deleted",
  gone: "gone already",
  failed: "failed",
};

export interface Telling {
  readonly yes?: boolean;
  readonly json?: boolean;
  /** Every registry has answered. */
  readonly isWhole: boolean;
}

/** Prints what became of all, and sets the exit code that the help of both reapers names. */
export function tell(ground: Ground, rows: readonly EndingRow[], { yes, json, isWhole }: Telling): void {
  if (!isWhole || rows.some(({ status }) => status === "failed")) process.exitCode = 3;
  else if (!yes && rows.some(({ status }) => status === "due")) process.exitCode = 2;
  process.stdout.write(json ? documentOf(ground, rows, !yes) : reportOf(ground, rows, !yes));
}

function reportOf(ground: Ground, rows: readonly EndingRow[], isDryRun: boolean): string {
  const shown = rows.filter(({ status }) => status !== "later");
  const lines = [groundLine(ground), ...ground.notes, ""];
  if (shown.length > 0) {
    const cells = shown.map((one) => [one.name, one.group, one.endsAt, textOf(one)]);
    lines.push(...table([["DATABASE", "GROUP", "ENDED", ""], ...cells]), "");
  }
  lines.push(`${summary(rows)}.`);
  const due = rows.filter(({ status }) => status === "due").length;
  if (isDryRun && due > 0) lines.push("Nothing was deleted: --yes deletes what is due.");
  return `${lines.join("\n")}\n`;
}

const textOf = ({ status, why, because }: EndingRow): string => {
  if (why !== null) return `${words[status]}: ${why}`;
  return because === "unfinished" ? `${words[status]}: a reaper was broken off over it` : words[status];
};

function summary(rows: readonly EndingRow[]): string {
  const parts = (["due", "reaped", "gone", "kept", "failed"] as const).flatMap((status) => {
    const count = rows.filter((row) => row.status === status).length;
    return count > 0 ? [`${count} ${words[status]}`] : [];
  });
  const later = rows.filter(({ status }) => status === "later");
  const next = later[0]
    ? [`${counted(later.length, "database")} with an end to come, the next at ${later[0].endsAt}`]
    : [];
  const all = [...parts, ...next];
  return all.length > 0 ? all.join(", ") : "Nothing has an end";
}

function documentOf({ scope, notes }: Ground, rows: readonly EndingRow[], dryRun: boolean): string {
  return `${JSON.stringify({ format: 1, scope, dryRun, databases: rows, notes }, undefined, 2)}\n`;
}

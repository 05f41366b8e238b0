import type { OrganizationPlan, PlanLimit } from "../../../provider/platform/directory";
import type { Platform } from "../../../provider/platform/platform";
import { table } from "../schema/table";

/** What the plan allows and what is used of it; without a directory what every platform tells of it. */
export async function planOf(platform: Platform): Promise<OrganizationPlan> {
  if (platform.directory) return platform.directory.plan();
  const { plan: name, quotas } = await platform.account();
  return { name, overages: undefined, limits: quotas, offered: [] };
}

export function usageLines({ name, overages, limits }: OrganizationPlan): string[] {
  const rows = limits.map((one) => [one.what, amount(one, one.used), amount(one, one.limit), shareOf(one)]);
  const beyond = overages ? "; what is beyond its limits is paid for, and not refused" : "";
  return [`Plan: ${name ?? "not told"}${beyond}.`, ...table([["WHAT", "USED", "LIMIT", ""], ...rows], [1, 2, 3])];
}

/** A column for each plan on offer, a star at the present one. */
export function planLines(plan: OrganizationPlan): string[] {
  const { offered } = plan;
  if (offered.length === 0) return usageLines(plan);
  const head = ["LIMIT", ...offered.map(({ name, isPresent }) => `${name.toUpperCase()}${isPresent ? " *" : ""}`)];
  const rows = offered[0]!.limits.map(({ what }, i) => [
    what,
    ...offered.map(({ limits }) => (limits[i] ? amount(limits[i], limits[i].limit) : "-")),
  ]);
  const right = offered.map((_, i) => i + 1);
  return [
    ...table([head, ...rows], right),
    ...(offered.some(({ isPresent }) => isPresent) ? ["* the present one"] : []),
  ];
}

function amount({ unit }: Pick<PlanLimit, "unit">, value: number | "unlimited" | undefined): string {
  if (value === undefined) return "-";
  if (value === "unlimited") return "no limit";
  return `${value.toLocaleString("en-US")}${unit ? ` ${unit}` : ""}`;
}

function shareOf({ used, limit }: PlanLimit): string {
  return used === undefined || typeof limit !== "number" || limit === 0 ? "" : `${Math.round((used / limit) * 100)} %`;
}

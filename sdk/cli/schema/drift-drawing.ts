import type { TenantDrift } from "../../../provider/rollout/schema/drift";
import { reasonLines } from "./reasons";
import { type Style, paint } from "./screen";
import { indented, listed, table } from "./table";

const states = ["in-sync", "drifted", "other-history", "unknown"] as const;

/** For people: how many, then the differences, once for all tenants that have the same ones; then who was not compared. */
export function drawDrift(found: readonly TenantDrift[], style: Style & { live: boolean }): string[] {
  const counts = states.map((state) => [state, found.filter((one) => one.state === state).length] as const);
  const text = counts.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`);
  const others = found.flatMap((one) =>
    "reason" in one ? [{ name: one.tenant, state: one.state, why: one.reason }] : [],
  );
  return [
    paint(style, "bold", text.length > 0 ? text.join(", ") : "no tenants"),
    ...alike(found).flatMap(({ title, rows }) => ["", title, ...indented(table(rows))]),
    ...(others.length > 0 ? ["", ...reasonLines(others, style)] : []),
  ];
}

function alike(found: readonly TenantDrift[]): { title: string; rows: string[][] }[] {
  const groups = new Map<string, { names: string[]; version: string; rows: string[][] }>();
  for (const one of found) {
    if (one.state !== "drifted") continue;
    const version = one.version ?? "nothing applied";
    const rows = one.differences.map(({ kind, object, name, change }) => [
      ...[kind, object, change === undefined ? name : `${name}: ${change}`],
    ]);
    const key = JSON.stringify([version, rows]);
    const known = groups.get(key) ?? { names: [], version, rows };
    known.names.push(one.tenant);
    groups.set(key, known);
  }
  return [...groups.values()].map(({ names, version, rows }) => ({ title: `${listed(names)} (at ${version}):`, rows }));
}

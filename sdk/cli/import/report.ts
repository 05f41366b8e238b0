import { counted, indented, table } from "../schema/table";
import type { ImportPlan, ImportedTenant } from "./plan";

/** Rows that a person reads; `--json` has all. */
const shown = 10;

export function importReport({ tenants, skipped }: ImportPlan, file: string, isWritten: boolean): string[] {
  const lines = [`${isWritten ? "Written to" : "For"} ${file}: ${counted(tenants.length, "tenant")}${kinds(tenants)}.`];
  const rows = tenants.slice(0, shown).map(({ id, name, group, labels }) => {
    const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    return [id, name, group, words.join(" ")];
  });
  if (rows.length > 0) lines.push(...indented(table([["ID", "DATABASE", "GROUP", "LABELS"], ...rows])));
  lines.push(...more(tenants.length));
  if (skipped.length > 0) {
    lines.push(`Left out: ${counted(skipped.length, "database")}.`);
    lines.push(...skipped.slice(0, shown).map(({ name, why }) => `  ${name}: ${why}`), ...more(skipped.length));
  }
  return lines;
}

export function nextSteps(tenants: readonly ImportedTenant[], file: string, hasFleets: boolean): string[] {
  const path = JSON.stringify(file.startsWith("/") || file.startsWith(".") ? file : `./${file}`);
  const claimed = tenants.filter(({ standing }) => standing === "claimed").length;
  const [how, to] = hasFleets
    ? [`Declare them, \`new TenantFleet("tenants", { manifest: ${path} })\``, "fleet tenants"]
    : [`Say \`import ${path.replace(/\.ts"$/, '"')}\` in your program`, "resources"];
  return [
    `${how}, and run \`pulumi up\`: it takes them over as they are.`,
    ...(claimed === 0
      ? []
      : [`Before that, hand over the ${claimed} that a stack has: \`npx tenantry move --to-${to}\` there.`]),
  ];
}

function kinds(tenants: readonly ImportedTenant[]): string {
  const of = (standing: ImportedTenant["standing"]): number =>
    tenants.filter((one) => one.standing === standing).length;
  const parts = [
    ...(of("runtime") > 0 ? [`${of("runtime")} made by applications at run time`] : []),
    ...(of("claimed") > 0 ? [`${of("claimed")} of stacks`] : []),
  ];
  return parts.length === 0 ? "" : `, ${parts.join(" and ")} among them`;
}

const more = (count: number): string[] => (count > shown ? [`  and ${count - shown} more (--json lists all)`] : []);

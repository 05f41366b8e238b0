import { Command, Option } from "commander";
import type { TenantUsage, Usage } from "../client";
import { libraryOn } from "./each/library";
import { type GroundFlags, groundLine, openGround } from "./schema/ground";

type Flags = GroundFlags & { readonly json?: boolean; readonly openmetrics?: boolean };

/** `tenantry usage`: what each tenant cost in this period. */
export function usageCommand(): Command {
  return new Command("usage")
    .description("What each tenant used in this period of billing, as the platform counts it; the largest first.")
    .option("--group <name>", "tenants of this group only")
    .addOption(new Option("--json", "print one JSON document").conflicts("openmetrics"))
    .option("--openmetrics", "for Prometheus and the like")
    .option("--stack <name>", "read this stack's config (default: the one selected here)")
    .option("--connection <name>", "one of tenantry:connections (default: the stack's own)")
    .option("--platform <name>", "as tenantry:platform, and so on; flags win over the environment, that over the stack")
    .option("--organization <slug>")
    .option("--api-url <address>")
    .option("--database-url <template>")
    .action(async (flags: Flags) => {
      const ground = await openGround(flags);
      const usage = ofGroup(await libraryOn(ground).usage(), ground.group);
      const text = flags.json
        ? `${JSON.stringify({ scope: ground.scope, ...usage }, undefined, 2)}\n`
        : flags.openmetrics
          ? metrics(usage)
          : `${[groundLine(ground), ...ground.notes, "", ...drawn(usage)].join("\n")}\n`;
      process.stdout.write(text);
    });
}

const ofGroup = ({ tenants, total }: Usage, group: string | undefined): Usage => ({
  tenants: group === undefined ? tenants : tenants.filter((one) => one.group === group),
  total,
});

function drawn({ tenants, total }: Usage): string[] {
  const head = ["TENANT", "GROUP", "STORED", "ROWS READ", "ROWS WRITTEN"];
  const rows = [...tenants]
    .sort((a, b) => b.storageBytes - a.storageBytes)
    .map((one) => [one.name, one.group ?? "-", bytes(one.storageBytes), String(one.rowsRead), String(one.rowsWritten)]);
  const sum = [
    `${total.databases} databases`,
    "",
    bytes(total.storageBytes),
    `${total.rowsRead}`,
    `${total.rowsWritten}`,
  ];
  const widths = head.map((_, i) => Math.max(...[head, ...rows, sum].map((row) => row[i]!.length)));
  const line = (row: string[]): string =>
    row
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd();
  return [head, ...rows, sum].map(line);
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const size = count / 1024 ** step;
  return `${step === 0 ? size : size.toFixed(1)} ${units[step]}`;
}

/** OpenMetrics 1.0. They begin anew with each period of billing, so they are gauges. */
function metrics({ tenants }: Usage): string {
  const families: [string, keyof TenantUsage][] = [
    ["tenantry_storage_bytes", "storageBytes"],
    ["tenantry_rows_read", "rowsRead"],
    ["tenantry_rows_written", "rowsWritten"],
    ["tenantry_bytes_synced", "bytesSynced"],
  ];
  const labels = ({ name, group }: TenantUsage): string => `tenant="${name}"${group ? `,group="${group}"` : ""}`;
  const text = families.flatMap(([family, key]) => [
    `# TYPE ${family} gauge\n`,
    ...tenants.map((one) => `${family}{${labels(one)}} ${one[key]}\n`),
  ]);
  return `${text.join("")}# EOF\n`;
}

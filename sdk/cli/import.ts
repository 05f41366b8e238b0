import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import type { RecordedClaim } from "../../provider/registry/inspect";
import { manifestText } from "./import/manifest-text";
import { type ImportPlan, type Importable, planImport } from "./import/plan";
import { programText } from "./import/program-text";
import { importReport, nextSteps } from "./import/report";
import { findUnlisted } from "./import/unlisted";
import { requireFree, requireSame, writeManifest } from "./import/write";
import { globs, parseNamePattern } from "./name-pattern";
import { withSettings } from "./registry/flags";
import { contextLine } from "./registry/report";
import { type Scene, type SceneFlags, openScene } from "./registry/scene";

interface Flags extends SceneFlags {
  readonly out?: string;
  readonly pattern?: string;
  readonly claimed?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `tenantry import`: a manifest of the databases that an organization has, for a fleet that takes them over; or a program. */
export function importCommand(): Command {
  return withSettings(new Command("import"))
    .description(
      "Write a manifest of databases that exist, which a TenantFleet's first `pulumi up` takes over as they are; " +
        "where there are no fleets, a module that declares each.",
    )
    .argument("[names...]", 'databases, such as acme or "tenant-*" (default: all that nobody has)')
    .option("--out <file>", 'where to; "-" prints it (default: "tenants.yaml", for a module "tenants.ts")')
    .option(
      "--pattern <pattern>",
      'how id and labels are in the names, such as "tenant-{id}-{label:tier}" (default: "{id}")',
    )
    .option("--claimed", "also those that a stack has: they have to be handed over first, with `tenantry move`")
    .option("--force", "overwrite the file")
    .option("--dry-run", "show what would be written, and write nothing")
    .option("--json", "print one JSON document in place of a table")
    .addHelpText(
      "after",
      `
Asks the platform and the registries, and changes nothing there.

Examples:
  tenantry import
  tenantry import "tenant-*" --pattern "tenant-{id}-{label:tier}" --group eu --out eu.yaml
  tenantry import --dry-run --json
  tenantry import acme globex --group eu     # on libsql-server, which cannot list what Tenantry did not make`,
    )
    .action(importTenants);
}

async function importTenants(names: string[], { json, dryRun, force, ...flags }: Flags): Promise<void> {
  const pattern =
    flags.pattern === undefined ? undefined : parseNamePattern(flags.pattern, "--pattern", ["id", "label:"]);
  const toFile = flags.out !== "-" && !dryRun;
  if (toFile && flags.out !== undefined) requireFree(flags.out, force);
  const scene = await openScene(flags);
  const { group, claimed = false } = flags;
  const { platform, organization } = scene;
  const hasFleets = platform.capabilities.schemas === "migrations";
  const { out = hasFleets ? "tenants.yaml" : "tenants.ts" } = flags;
  if (toFile) requireFree(out, force);
  const unlisted = await findUnlisted(scene, names, group);
  const plan = planImport(listed(scene, unlisted), { fits: globs(names), group, pattern, claimed });
  const namePattern = flags.pattern && !flags.pattern.includes("{label:") ? flags.pattern : "{id}";
  const text = hasFleets
    ? manifestText(plan.tenants, { platform: platform.name, organization, namePattern })
    : programText(plan.tenants);
  if (plan.tenants.length > 0 && hasFleets) requireSame(out === "-" ? "tenants.yaml" : out, text, plan.tenants);
  const isWritten = toFile && plan.tenants.length > 0;
  if (isWritten) writeManifest(out, text, force);
  if (json) process.stdout.write(documentOf(scene, plan, isWritten ? out : null));
  else if (out === "-" && !dryRun && plan.tenants.length > 0) process.stdout.write(text);
  else {
    const lines = [contextLine(scene), ...scene.notes, ...importReport(plan, out, isWritten)];
    if (isWritten) lines.push(...nextSteps(plan.tenants, out, hasFleets));
    // What is piped on is a manifest or nothing.
    const { stdout, stderr } = process;
    (out === "-" && !dryRun ? stderr : stdout).write(lines.map((line) => `${line}\n`).join(""));
  }
  if (plan.tenants.length === 0) {
    throw new TenantryError("invalid-input", "There is no database to import, so nothing was written.", {
      fix:
        plan.skipped.length > 0
          ? "What stands beside each says why it was left out."
          : "Look at names, --group and --stack.",
    });
  }
}

function listed({ databases, registries }: Scene, unlisted: readonly Importable[]) {
  const claims = new Map<string, RecordedClaim>();
  for (const { group, claims: its } of registries) {
    for (const claim of its) if (claim.kind === "database") claims.set(`${group.name} ${claim.name}`, claim);
  }
  return {
    databases: [...databases.values(), ...unlisted],
    claimOf: (group: string, name: string) => claims.get(`${group} ${name}`),
    groups: new Set(registries.map(({ group }) => group.name)),
  };
}

function documentOf({ scope, notes }: Scene, { tenants, skipped }: ImportPlan, file: string | null): string {
  const all = tenants.map(({ address = null, parts, ...rest }) => ({
    ...rest,
    address,
    // Without their connection strings.
    ...(parts
      ? { databases: parts.map(({ blueprint, engine, isolation }) => ({ blueprint, engine, isolation })) }
      : {}),
  }));
  return `${JSON.stringify({ format: 1, scope, file, notes, tenants: all, skipped }, undefined, 2)}\n`;
}

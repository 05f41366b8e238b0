import { Command } from "commander";
import { TenantryError, hasCode } from "../../../provider/platform/errors";
import { plannedTenants } from "../../../provider/rollout/fleet/plan";
import { countsOf } from "../../../provider/rollout/fleet/report";
import type { PreparedRollout } from "../../../provider/rollout/fleet/rollout";
import { versionAt } from "../../../provider/rollout/fleet/tally";
import { headLines, printDocument, tenantRow } from "./document";
import { type Fleet, type FleetFlags, openFleet, prepare } from "./fleet";
import { type PolicyFlags, policyOfFlags, withFleet, withPolicy } from "./flags";
import { type Ground, groundLine, openGround } from "./ground";
import { drawPlan, findingsAt, losesData, pendingOf, stepsOf } from "./plan-drawing";
import { screenOf } from "./screen";

interface Flags extends FleetFlags, PolicyFlags {
  readonly json?: boolean;
}

export function planCommand(): Command {
  return withPolicy(withFleet(new Command("plan")))
    .description("Show what `apply` would do: who, from where to where, in which waves, with which statements.")
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
Exit code: 0 nothing to do, 2 changes are pending, 1 an error.

Examples:
  tenantry schema plan
  tenantry schema plan --canary ring=beta --wave 10% --wave 100%
  tenantry schema plan --migrations ./migrations --tenants acme,bolt --json`,
    )
    .action(async (flags: Flags) => {
      const ground = await openGround(flags);
      const fleet = await openFleet(ground, flags);
      const prepared = await prepare(ground, fleet, policyOfFlags(flags), "tenantry schema plan");
      if (flags.json) printDocument(ground, fleet, planDocument(prepared));
      else {
        printPlan(ground, fleet, prepared);
        const refusal = refusalOf(prepared);
        if (refusal) process.stdout.write(`\nIt cannot be applied like this.\n${refusal.message}\n`);
      }
      if (plannedTenants(prepared.plan).length > 0) process.exitCode = 2;
    });
}

export function printPlan(ground: Ground, fleet: Fleet, { plan, request, destruction, policy }: PreparedRollout): void {
  const screen = screenOf(process.stdout);
  const picture = { plan, migrations: request.migrations, findings: destruction.findings };
  const lines = [...headLines(fleet, groundLine(ground), ground.notes, screen), ...drawPlan(picture, policy, screen)];
  screen.write(`${lines.join("\n")}\n`);
}

/** Why nothing would be run, with what to do about it on a command line. */
export function refusalOf({ destruction, policy }: PreparedRollout): TenantryError | undefined {
  const { refusal, findings } = destruction;
  if (!hasCode(refusal, "needs-decision") || refusal.fix === undefined) return refusal;
  const ids = new Set(findings.map(({ migration }) => migration).filter((id) => !policy.allowDestructive.includes(id)));
  const flags = [...ids].map((id) => `--allow-destructive ${id}`).join(" ");
  return new TenantryError("needs-decision", refusal.message.slice(0, -refusal.fix.length - 1), {
    fix: `\nNo tenant was touched. Change the files, or pass ${flags}.`,
  });
}

function planDocument(prepared: PreparedRollout): object {
  const { plan, request, destruction } = prepared;
  const planned = plannedTenants(plan);
  const { findings } = destruction;
  return {
    tenants: planned.length + plan.settled.length,
    pending: planned.length,
    counts: countsOf(plan.settled),
    changes: stepsOf(plan).map(({ from, pending, tenants }) => ({
      from: from ?? null,
      to: plan.history.at(-1)!.id,
      tenants: tenants.length,
      pending,
    })),
    waves: plan.waves.map(({ title, tenants }) => ({
      title,
      tenants: tenants.map(({ name, group, had }) => ({ name, group, from: versionAt(plan, had) ?? null })),
    })),
    left: plan.settled.map(tenantRow),
    migrations: pendingOf(plan, request.migrations).map(({ migration, tenants }) => ({
      id: migration.id,
      hash: migration.hash,
      file: migration.file,
      tenants,
      statements: migration.statements.map((statement) => ({
        line: statement.line,
        sql: statement.sql,
        findings: findingsAt(findings, migration.id, statement).map((one) => ({
          ...{ kind: one.kind, what: one.what, losesData: losesData(one), guessed: one.guessed ?? false },
        })),
      })),
    })),
    refusal: refusalOf(prepared)?.message ?? null,
  };
}

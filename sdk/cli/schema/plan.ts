import { Command } from "commander";
import { plannedTenants } from "../../../provider/rollout/fleet/plan";
import { countsOf } from "../../../provider/rollout/fleet/report";
import type { PreparedRollout } from "../../../provider/rollout/fleet/rollout";
import { versionAt } from "../../../provider/rollout/fleet/tally";
import { headLines, printDocument, tenantRow } from "./document";
import { type Fleet, type FleetFlags, openFleet, prepare } from "./fleet";
import { type PolicyFlags, policyOfFlags, withFleet, withPolicy } from "./flags";
import { type Ground, groundLine, openGround } from "./ground";
import { statementsOf } from "./history";
import { type Destruction, drawPlan, pendingOf, stepsOf } from "./plan-drawing";
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
      else printPlan(ground, fleet, prepared);
      if (plannedTenants(prepared.plan).length > 0) process.exitCode = 2;
    });
}

export function printPlan(ground: Ground, fleet: Fleet, { plan, request }: PreparedRollout): void {
  const screen = screenOf(process.stdout);
  const picture = { plan, migrations: request.migrations, destructions: destructionsOf() };
  const lines = [...headLines(fleet, groundLine(ground), ground.notes), ...drawPlan(picture, screen)];
  screen.write(`${lines.join("\n")}\n`);
}

/** What the analysis of the template's history found. */
function destructionsOf(): Destruction[] {
  return [];
}

function planDocument({ plan, request }: PreparedRollout): object {
  const planned = plannedTenants(plan);
  const destructions = destructionsOf();
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
      statements: statementsOf(migration).map(({ line, sql }) => ({
        line,
        sql,
        destroys: destructions
          .filter((one) => one.migration === migration.id && one.line === line)
          .map(({ what }) => what),
      })),
    })),
  };
}

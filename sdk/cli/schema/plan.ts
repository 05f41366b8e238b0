import { Command } from "commander";
import { type FleetPlan, plannedTenants } from "../../../provider/rollout/fleet/plan";
import { countsOf } from "../../../provider/rollout/fleet/report";
import type { PreparedRollout } from "../../../provider/rollout/fleet/rollout";
import { versionAt } from "../../../provider/rollout/fleet/tally";
import type { Finding } from "../../../provider/rollout/schema/finding";
import { replayHistory } from "../../../provider/rollout/schema/history";
import type { Migration } from "../../../provider/rollout/source";
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
      if (flags.json) printDocument(ground, fleet, await planDocument(prepared));
      else await printPlan(ground, fleet, prepared);
      if (plannedTenants(prepared.plan).length > 0) process.exitCode = 2;
    });
}

export async function printPlan(ground: Ground, fleet: Fleet, { plan, request }: PreparedRollout): Promise<void> {
  const screen = screenOf(process.stdout);
  const { migrations } = request;
  const { findings, problem } = await analyse(plan, migrations);
  const lines = [
    ...headLines(fleet, groundLine(ground), ground.notes),
    ...drawPlan({ plan, migrations, findings }, screen),
  ];
  if (problem) lines.push("", problem);
  screen.write(`${lines.join("\n")}\n`);
}

/** What the pending migrations would destroy; and the first thing in the history that an empty database refuses. */
async function analyse(
  plan: FleetPlan,
  migrations: readonly Migration[],
): Promise<{ findings: readonly Finding[]; problem: string | undefined }> {
  if (plannedTenants(plan).length === 0) return { findings: [], problem: undefined };
  const { findings, problem } = await replayHistory(migrations);
  const text =
    problem && `${problem.file}, line ${problem.line}, does not run on an empty database: ${problem.message}.`;
  return { findings, problem: text };
}

async function planDocument({ plan, request }: PreparedRollout): Promise<object> {
  const planned = plannedTenants(plan);
  const { findings, problem } = await analyse(plan, request.migrations);
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
    problem: problem ?? null,
  };
}

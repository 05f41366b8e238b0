import { Command } from "commander";
import { formatDuration } from "../../../provider/duration";
import { TenantryError } from "../../../provider/platform/errors";
import { plannedTenants } from "../../../provider/rollout/fleet/plan";
import { type FleetReport, countsOf, minVersion, verdict, versionsOf } from "../../../provider/rollout/fleet/report";
import { type PreparedRollout, runRollout } from "../../../provider/rollout/fleet/rollout";
import { consent } from "../registry/consent";
import { printDocument, tenantRow } from "./document";
import { type Fleet, type FleetFlags, openFleet, prepare } from "./fleet";
import { type PolicyFlags, policyOfFlags, withFleet, withPolicy } from "./flags";
import { type Ground, openGround } from "./ground";
import { listenForInterrupt } from "./interrupt";
import { printPlan, refusalOf } from "./plan";
import { createProgressView } from "./progress-view";
import { reasonLines } from "./reasons";
import { type Screen, screenOf } from "./screen";
import { counted, indented } from "./table";

interface Flags extends FleetFlags, PolicyFlags {
  readonly json?: boolean;
  readonly yes?: boolean;
}

const command = "tenantry schema apply";

export function applyCommand(): Command {
  return withPolicy(withFleet(new Command("apply")))
    .description("Bring every tenant to the template's last migration: canary, then wave by wave. Can be run again.")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON document at the end (progress goes to standard error); needs --yes")
    .addHelpText(
      "after",
      `
Ctrl-C ends it between tenants, a second one at once. What is done stays done,
and the next run goes on.
Exit code: 0 all tenants are current; 3 some were skipped, are in quarantine or
unknown; 1 it failed or was stopped.

Examples:
  tenantry schema apply
  tenantry schema apply --canary ring=beta --wave 10% --wave 100%
  tenantry schema apply --yes --max-failures 5% --on-failure quarantine
  tenantry schema apply --yes --migrations ./migrations --tenants acme,bolt`,
    )
    .action(async (flags: Flags) => {
      if (flags.json && !flags.yes) {
        throw new TenantryError("needs-decision", "With --json nobody is asked, so nothing was done.", {
          fix: "Pass --yes.",
        });
      }
      const ground = await openGround(flags, true);
      const fleet = await openFleet(ground, flags);
      const prepared = await prepare(ground, fleet, policyOfFlags(flags), command);
      if (!flags.json) printPlan(ground, fleet, prepared);
      const refusal = refusalOf(prepared);
      if (refusal) throw refusal;
      const planned = plannedTenants(prepared.plan).length;
      if (planned > 0) await consent(`Change the schema of ${counted(planned, "database")}?`, flags.yes);
      const began = Date.now();
      const screen = screenOf(flags.json ? process.stderr : process.stdout);
      const report = await run(prepared, screen);
      finish(ground, fleet, prepared, report, { json: flags.json, seconds: Math.round((Date.now() - began) / 1000) });
    });
}

async function run(prepared: PreparedRollout, screen: Screen): Promise<FleetReport> {
  const view = createProgressView(screen);
  const interrupt = listenForInterrupt(() =>
    view.say("Stopping: tenants under way are finished, no other is begun. Ctrl-C again ends it at once."),
  );
  try {
    return await runRollout(prepared, { onProgress: (progress) => view.show(progress), signal: interrupt.signal });
  } finally {
    interrupt.close();
    view.close();
  }
}

/** Says how it ended, and sets the exit code; a failure is thrown, where its text is not in the document. */
function finish(
  ground: Ground,
  fleet: Fleet,
  { policy, plan }: PreparedRollout,
  report: FleetReport,
  { json, seconds }: { readonly json: boolean | undefined; readonly seconds: number },
): void {
  const counts = countsOf(report.outcomes);
  const error = verdict(report, policy);
  const isWhole = counts.current + counts.migrated === report.outcomes.length;
  if (error) process.exitCode = 1;
  else if (!isWhole) process.exitCode = 3;
  if (json) {
    return printDocument(ground, fleet, {
      planned: plannedTenants(plan).length,
      seconds,
      stopped: report.stopped ?? null,
      error: error?.message ?? null,
      minVersion: minVersion(report) ?? null,
      versions: versionsOf(report).map(([version, tenants]) => ({ version, tenants })),
      counts,
      tenants: report.outcomes.map(tenantRow),
    });
  }
  if (plannedTenants(plan).length > 0) {
    const screen = screenOf(process.stdout);
    const named = Object.entries(counts).filter(([, count]) => count > 0);
    const text = named.map(([state, count]) => `${count} ${state}`).join(", ");
    const missed = report.outcomes.filter(({ state }) => state === "skipped" || state === "quarantined");
    const after = seconds < 1 ? "in less than a second" : `after ${formatDuration(seconds)}`;
    const lines = ["", `Ended ${after}: ${text}.`, ...indented(reasonLines(missed, screen))];
    screen.write(`${lines.join("\n")}\n`);
  }
  if (error) throw error;
}

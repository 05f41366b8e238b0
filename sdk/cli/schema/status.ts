import { Command } from "commander";
import { minVersion, versionsOf } from "../../../provider/rollout/fleet/report";
import { headLines, printDocument, tenantRow } from "./document";
import { type Fleet, type FleetFlags, openFleet } from "./fleet";
import { withFleet } from "./flags";
import { type Ground, groundLine, openGround } from "./ground";
import { type PastMigration, drawHistory, readPast } from "./past";
import { type KnownRun, stateOfRun } from "./registries";
import { screenOf } from "./screen";
import { type FleetStanding, asOutcome, lookAt, standings } from "./standing";
import { drawStatus } from "./status-drawing";
import { watchRun } from "./watch";

interface Flags extends FleetFlags {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly history?: boolean;
}

export function statusCommand(): Command {
  return withFleet(new Command("status"))
    .description("Draw the fleet: versions, states, quarantine with its errors, and the run that is under way.")
    .option("--json", "print one JSON document in place of text")
    .option("--watch", "follow the run that is under way to its end")
    .option("--history", "also what was rolled out when, and what each tenant got by which run")
    .addHelpText(
      "after",
      `
Exit code: 0 all tenants have the template's last migration; 2 some do not, or
cannot be looked at; 1 an error.

Examples:
  tenantry schema status
  tenantry schema status --watch
  tenantry schema status --history --tenants acme`,
    )
    .action(async (flags: Flags) => {
      const ground = await openGround(flags);
      const fleet = await openFleet(ground, flags);
      const screen = screenOf(process.stdout);
      if (flags.watch && !flags.json) await watchRun(ground, fleet, screen);
      const { standing, sql } = await lookAt(ground, fleet);
      const past = flags.history ? await readPast(ground, standing, sql) : undefined;
      if (flags.json) printDocument(ground, fleet, statusDocument(standing, past));
      else screen.write(`${statusLines(ground, fleet, standing, past).join("\n")}\n`);
      if (standing.tenants.some(({ state }) => state !== "current")) process.exitCode = 2;
    });
}

function statusLines(
  ground: Ground,
  fleet: Fleet,
  standing: FleetStanding,
  past: readonly PastMigration[] | undefined,
): string[] {
  const screen = screenOf(process.stdout);
  return [
    ...headLines(fleet, groundLine(ground), ground.notes, screen),
    ...drawStatus(standing, screen),
    ...(past ? ["", ...drawHistory(standing.runs, past)] : []),
  ];
}

function statusDocument({ tenants, history, runs }: FleetStanding, past: readonly PastMigration[] | undefined): object {
  const outcomes = tenants.map(asOutcome);
  const count = (state: string): number => tenants.filter((one) => one.state === state).length;
  return {
    current: tenants.every(({ state }) => state === "current"),
    minVersion: minVersion({ outcomes, history }) ?? null,
    versions: versionsOf({ outcomes, history }).map(([version, number]) => ({ version, tenants: number })),
    counts: Object.fromEntries(standings.map((state) => [state, count(state)])),
    tenants: tenants.map(tenantRow),
    runs: runs.map(runRow),
    ...(past ? { applied: past } : {}),
  };
}

const runRow = (run: KnownRun): object => ({
  id: run.id,
  target: run.target,
  state: stateOfRun(run),
  startedBy: run.startedBy,
  startedAt: run.startedAt,
  beatAt: run.beatAt,
  endedAt: run.endedAt ?? null,
  stopAsked: run.stop,
  groups: run.groups,
  progress: run.progress,
});

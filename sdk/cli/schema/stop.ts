import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { parseDuration } from "../../../provider/duration";
import { TenantryError } from "../../../provider/platform/errors";
import { stopRollouts } from "../../../provider/registry/rollouts";
import { percent } from "./bar";
import { printDocument } from "./document";
import { type GroundFlags, type Ground, groundLine, openGround } from "./ground";
import { withSettings } from "./flags";
import { type KnownRun, type OpenRegistry, findRuns, groupsOf, onEach, openRegistries, stateOfRun } from "./registries";
import { fold, screenOf } from "./screen";
import { counted } from "./table";

interface Flags extends GroundFlags {
  readonly template?: string;
  readonly wait: boolean;
  readonly timeout: string;
  readonly json?: boolean;
}

/** What became of a run: it was "asked" and nobody waited for it, or it goes on although it was. */
type Stopping = "asked" | "stopped" | "broken off" | "under way";

/** How often it looks whether they have. ms */
const interval = 500;

export function stopCommand(): Command {
  return withSettings(new Command("stop"))
    .description("Ask the rollouts that are under way to stop, and wait: each finishes the tenants that it has begun.")
    .option("--no-wait", "ask, and do not wait")
    .option("--timeout <duration>", "how long to wait", "10m")
    .option("--json", "print one JSON document at the end in place of text")
    .addHelpText(
      "after",
      `
Without --template it asks the rollouts of all templates, in all groups. What is
done stays done, and the next run goes on.
Exit code: 0 none is under way any more, or all were asked (--no-wait); 1 some
go on after --timeout, or an error.

Examples:
  tenantry schema stop
  tenantry schema stop --template app --no-wait --json`,
    )
    .action(async (flags: Flags) => {
      const seconds = parseDuration(flags.timeout, "--timeout") ?? Infinity;
      const ground = await openGround(flags);
      const registries = await openRegistries(ground, await groupsOf(ground));
      const screen = screenOf(process.stdout);
      const say = (text: string): void => {
        if (!flags.json) screen.write(`${fold(text, screen, screen.width).join("\n")}\n`);
      };
      [groundLine(ground), ...ground.notes].forEach(say);
      const found = (await findRuns(ground, registries, flags.template)).filter((run) => run.endedAt === undefined);
      await onEach(ground, registries, async ({ sql }) => {
        await stopRollouts(sql, flags.template);
        return [];
      });
      const runs = new Map<string, { run: KnownRun; became: Stopping }>();
      const note = (run: KnownRun, became: Stopping): void => void runs.set(run.id, { run, became });
      for (const run of found) note(run, stateOfRun(run) === "under way" ? "asked" : "broken off");
      for (const { run, became } of runs.values()) {
        if (became === "broken off") say(`Broken off: ${nameOf(run)}.`);
        else say(`Asked to stop: ${nameOf(run)}, ${run.progress.stage}, ${doneOf(run)}.`);
      }
      const asked = [...runs.values()].filter(({ became }) => became === "asked").map(({ run }) => run);
      if (asked.length === 0) say("No rollout is under way.");
      else if (flags.wait) {
        await waitFor(ground, registries, asked, Date.now() + seconds * 1000, (run, became) => {
          note(run, became);
          if (became !== "under way")
            say(`${became === "stopped" ? "Stopped" : "Broken off"}: ${nameOf(run)}, ${doneOf(run)}.`);
        });
      }
      const late = [...runs.values()].filter(({ became }) => became === "under way").length;
      const error = late > 0 ? notInTime(late) : undefined;
      if (flags.json) {
        if (error) process.exitCode = 1;
        return printDocument(ground, undefined, { error: error?.message ?? null, runs: [...runs.values()].map(row) });
      }
      if (error) throw error;
    });
}

/** Tells of each of them how it ended, or at last that it goes on. */
async function waitFor(
  ground: Ground,
  registries: readonly OpenRegistry[],
  asked: readonly KnownRun[],
  until: number,
  tell: (run: KnownRun, became: Stopping) => void,
): Promise<void> {
  const waiting = new Map(asked.map((run) => [run.id, run]));
  for (;;) {
    for (const run of await findRuns(ground, registries, undefined)) {
      if (!waiting.has(run.id)) continue;
      const state = stateOfRun(run);
      waiting.set(run.id, run);
      if (state === "under way") continue;
      waiting.delete(run.id);
      tell(run, state === "ended" ? "stopped" : "broken off");
    }
    if (waiting.size === 0) return;
    if (Date.now() >= until) return waiting.forEach((run) => tell(run, "under way"));
    await sleep(interval);
  }
}

const notInTime = (count: number): TenantryError =>
  new TenantryError("timed-out", `${counted(count, "rollout")} had not stopped in time.`, {
    fix: "Each stops when the tenants that it has begun are done: wait longer with --timeout, or end its process.",
  });

const row = ({ run, became }: { readonly run: KnownRun; readonly became: Stopping }): object => ({
  id: run.id,
  template: run.template,
  target: run.target,
  startedBy: run.startedBy,
  groups: run.groups,
  state: became,
  done: run.progress.done,
  planned: run.progress.planned,
});

const nameOf = ({ template, target, startedBy }: KnownRun): string => `${template} to ${target}, by ${startedBy}`;
const doneOf = ({ progress: { done, planned } }: KnownRun): string =>
  `${done} of ${planned} done (${percent(done, planned)})`;

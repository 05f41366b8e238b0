import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import { parseDuration } from "../../../provider/duration";
import { TenantryError } from "../../../provider/platform/errors";
import { stopRollouts } from "../../../provider/registry/rollouts";
import { percent } from "./bar";
import { type GroundFlags, type Ground, groundLine, openGround } from "./ground";
import { withSettings } from "./flags";
import { type KnownRun, type OpenRegistry, findRuns, groupsOf, onEach, openRegistries, stateOfRun } from "./registries";
import { counted } from "./table";

interface Flags extends GroundFlags {
  readonly template?: string;
  readonly wait: boolean;
  readonly timeout: string;
}

/** How often it looks whether they have. ms */
const interval = 500;

export function stopCommand(): Command {
  return withSettings(new Command("stop"))
    .description("Ask the rollouts that are under way to stop, and wait: each finishes the tenants that it has begun.")
    .option("--no-wait", "ask, and do not wait")
    .option("--timeout <duration>", "how long to wait", "10m")
    .addHelpText(
      "after",
      `
Without --template it asks the rollouts of all templates, in all groups. What is done stays done; the next run goes on.

Example:
  tenantry schema stop --template app`,
    )
    .action(async (flags: Flags) => {
      const seconds = parseDuration(flags.timeout, "--timeout") ?? Infinity;
      const ground = await openGround(flags);
      const registries = await openRegistries(ground, await groupsOf(ground));
      const say = (text: string): void => void process.stdout.write(`${text}\n`);
      [groundLine(ground), ...ground.notes].forEach(say);
      const asked = (await findRuns(ground, registries, flags.template)).filter((run) => run.endedAt === undefined);
      await onEach(ground, registries, async ({ sql }) => {
        await stopRollouts(sql, flags.template);
        return [];
      });
      const alive = asked.filter((run) => stateOfRun(run) === "under way");
      for (const run of asked.filter((one) => !alive.includes(one))) say(`Broken off: ${nameOf(run)}.`);
      if (alive.length === 0) return say("No rollout is under way.");
      for (const run of alive) say(`Asked to stop: ${nameOf(run)}, ${run.progress.stage}, ${doneOf(run)}.`);
      if (flags.wait) await waitFor(ground, registries, alive, Date.now() + seconds * 1000, say);
    });
}

async function waitFor(
  ground: Ground,
  registries: readonly OpenRegistry[],
  asked: readonly KnownRun[],
  until: number,
  say: (text: string) => void,
): Promise<void> {
  const waiting = new Set(asked.map(({ id }) => id));
  for (;;) {
    for (const run of await findRuns(ground, registries, undefined)) {
      const state = stateOfRun(run);
      if (state === "under way" || !waiting.delete(run.id)) continue;
      say(`${state === "ended" ? "Stopped" : "Broken off"}: ${nameOf(run)}, ${doneOf(run)}.`);
    }
    if (waiting.size === 0) return;
    if (Date.now() >= until) break;
    await sleep(interval);
  }
  throw new TenantryError("timed-out", `${counted(waiting.size, "rollout")} had not stopped in time.`, {
    fix: "Each stops when the tenants that it has begun are done: wait longer with --timeout, or end its process.",
  });
}

const nameOf = ({ template, target, startedBy }: KnownRun): string => `${template} to ${target}, by ${startedBy}`;
const doneOf = ({ progress: { done, planned } }: KnownRun): string =>
  `${done} of ${planned} done (${percent(done, planned)})`;

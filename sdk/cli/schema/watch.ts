import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "./fleet";
import type { Ground } from "./ground";
import { listenForInterrupt } from "./interrupt";
import { createProgressView } from "./progress-view";
import { findRuns, openRegistries, stateOfRun } from "./registries";
import type { Screen } from "./screen";
import { groupsOfFleet } from "./standing";

/** How often it looks. ms */
const interval = 1_000;

/**
 * Follows the newest run that is under way until it has ended, by what it writes into the registries: that is one call a
 * group each second, however large the fleet. Ctrl-C ends the watching, not the run.
 */
export async function watchRun(ground: Ground, fleet: Fleet, screen: Screen): Promise<void> {
  const registries = await openRegistries(ground, groupsOfFleet(fleet));
  const find = async () => (await findRuns(ground, registries, fleet.template.name)).find((run) => isWatched(run));
  let watched: string | undefined;
  const isWatched = ({ id, ...run }: Awaited<ReturnType<typeof findRuns>>[number]): boolean =>
    watched === undefined ? stateOfRun(run) === "under way" : id === watched;
  const view = createProgressView(screen);
  const interrupt = listenForInterrupt(() => view.say("Not watched any more; the run goes on."));
  try {
    for (;;) {
      const run = await find();
      if (!run) return void (watched === undefined && view.say("No run is under way."));
      if (watched === undefined) view.say(`Watching the run to ${run.target}, begun by ${run.startedBy}.`);
      watched = run.id;
      view.show(run.progress);
      if (stateOfRun(run) !== "under way" || interrupt.signal.aborted) return;
      await sleep(interval, undefined, { signal: interrupt.signal }).catch(() => undefined);
    }
  } finally {
    interrupt.close();
    view.close();
  }
}

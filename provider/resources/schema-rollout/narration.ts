import type { FleetPlan, TenantState } from "../../rollout/fleet/plan";
import type { RolloutProgress } from "../../rollout/fleet/progress";

/** Writes to where the resource's own messages are shown; "status" is a line that the next one takes the place of. */
export type Say = (kind: "info" | "warning" | "status", text: string) => Promise<void>;

export interface Narration {
  onProgress(progress: RolloutProgress): void;
  /** Resolves when all that was said is written: after the reply the engine may end the process at once. */
  written(): Promise<void>;
}

/** How many failures get a line of their own. */
const told = 5;
/** Between two lines of status. ms */
const pace = 1_000;

/** Turns the events of a run into a few lines: each stage as it begins and ends, with counts, and the first failures. */
export function narrate(plan: Pick<FleetPlan, "waves">, say: Say): Narration {
  let writing: Promise<void> = Promise.resolve();
  const tell = (kind: Parameters<Say>[0], text: string): void => {
    writing = writing.then(() => say(kind, text));
  };
  const sizes = new Map(plan.waves.map(({ title, tenants }) => [title, tenants.length]));
  let begun: RolloutProgress | undefined;
  let failures = 0;
  let saidAt = 0;

  const end = (stage: RolloutProgress, now: RolloutProgress): void => {
    const size = sizes.get(stage.stage);
    if (size === undefined) return;
    const gained = (state: TenantState): number => now.counts[state] - stage.counts[state];
    const ended = (["failed", "quarantined", "unknown"] as const).filter((state) => gained(state) > 0);
    const rest = size - (now.done - stage.done);
    const parts = [
      `${gained("migrated")} migrated`,
      ...ended.map((state) => `${gained(state)} ${state}`),
      ...(rest > 0 ? [`${rest} not begun`] : []),
    ];
    tell("info", `${stage.stage}: ended, ${parts.join(", ")}`);
  };
  const fail = (progress: RolloutProgress): void => {
    for (const { name, error } of progress.failures.slice(failures, told)) {
      tell("warning", error.startsWith(`${name}:`) ? error : `${name}: ${error}`);
    }
    failures = progress.failures.length;
  };

  return {
    onProgress(progress) {
      fail(progress);
      if (begun?.stage !== progress.stage) {
        if (begun) end(begun, progress);
        begun = progress;
        const size = sizes.get(progress.stage);
        if (size !== undefined) tell("info", `${progress.stage}: begins, ${size} of ${progress.planned}`);
        else if (progress.stage === "pause") tell("status", "pauses before the next wave");
        else if (progress.stage === "verify") tell("status", "tries the change on a few tenants, and takes it back");
      } else if (Date.now() - saidAt >= pace) {
        saidAt = Date.now();
        tell("status", `${progress.stage}: ${progress.done} of ${progress.planned} done`);
      }
    },
    written: () => writing,
  };
}

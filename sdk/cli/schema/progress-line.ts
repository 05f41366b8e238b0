import { formatDuration } from "../../../provider/duration";
import type { RolloutProgress } from "../../../provider/rollout/fleet/progress";
import { bar, percent } from "./bar";
import { type Style, clip } from "./screen";

export interface Speed {
  /** Tenants a second. */
  readonly rate: number | undefined;
  /** Seconds. */
  readonly left: number | undefined;
}

/** One line to be drawn over and over: never as wide as the terminal, which would break it. */
export function progressLine(progress: RolloutProgress, speed: Speed, style: Style): string {
  const { done, planned, stage } = progress;
  const text = [`${done}/${planned}`, percent(done, planned), ...details(progress, speed)].join("  ");
  const room = style.width - 1 - stage.length - text.length - 4;
  if (room < 8) return clip(`${stage}  ${text}`, style.width - 1);
  const drawn = bar(done, planned, Math.min(room, 40), style, failuresOf(progress) > 0 ? "yellow" : "green");
  return `${stage}  ${drawn}  ${text}`;
}

/** The same for where every line stays. */
export function progressText(progress: RolloutProgress, speed: Speed): string {
  const { done, planned, stage } = progress;
  const counts = [`${done} of ${planned} (${percent(done, planned)})`, ...details(progress, speed)];
  return `${stage}: ${counts.join(", ")}`;
}

function details(progress: RolloutProgress, { rate, left }: Speed): string[] {
  const failed = failuresOf(progress);
  const goesOn = progress.done < progress.planned && progress.stage !== "ended" && progress.stage !== "pause";
  return [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(rate === undefined ? [] : [`${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`]),
    ...(left === undefined || !goesOn ? [] : [`ETA ${formatDuration(left)}`]),
  ];
}

/** Of this run: those that it has put in quarantine count too. */
const failuresOf = ({ done, counts }: RolloutProgress): number => Math.max(0, done - counts.migrated);

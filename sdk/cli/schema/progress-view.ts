import type { RolloutProgress } from "../../../provider/rollout/fleet/progress";
import { createPace } from "./pace";
import { progressLine, progressText } from "./progress-line";
import { shortReason } from "./reasons";
import { type Screen, fold, paint } from "./screen";

/** Shows a run while it goes. */
export interface ProgressView {
  show(progress: RolloutProgress): void;
  /** A line that stays, above what is redrawn. */
  say(text: string): void;
  /** Nothing is redrawn after it. */
  close(): void;
}

/** In ms: how often at most a line is redrawn, and how often at least one is printed where lines stay. */
const redraw = 100;
const patience = 10_000;
/** Of the whole: the other reason for a line where lines stay. */
const step = 0.1;
const clearLine = "\r\u001b[2K";

/** On a terminal one line, drawn again; elsewhere a line for each stage, then one for each tenth or 10 s. */
export function createProgressView(screen: Screen, now: () => number = Date.now): ProgressView {
  let pace = createPace();
  let stage = "";
  let told = 0;
  let failures = 0;
  let drawnAt = -Infinity;
  let drawn = false;

  const clear = (): void => {
    if (drawn) screen.write(clearLine);
    drawn = false;
  };
  const say = (text: string): void => {
    clear();
    screen.write(`${text}\n`);
  };
  const draw = (progress: RolloutProgress, entered: boolean): void => {
    const at = now();
    const speed = { rate: pace.rate(at), left: pace.left(progress.planned, at) };
    if (screen.live) {
      if (drawn && !entered && at - drawnAt < redraw && progress.done < progress.planned) return;
      screen.write(`${clearLine}${progressLine(progress, speed, screen)}`);
      drawn = true;
    } else {
      if (!entered && at - drawnAt < patience && progress.done - told < step * progress.planned) return;
      say(progressText(progress, speed));
      told = progress.done;
    }
    drawnAt = at;
  };
  return {
    say,
    show(progress) {
      const entered = progress.stage !== stage;
      // A pause, or a canary that goes alone, says nothing of how fast the next wave is.
      if (entered) pace = createPace();
      stage = progress.stage;
      pace.note(progress.done, now());
      for (const { name, error } of progress.failures.slice(failures)) {
        const text = `${name}: ${shortReason(name, error)}`;
        for (const line of screen.live ? fold(text, screen, screen.width) : [text]) say(paint(screen, "red", line));
      }
      failures = Math.max(failures, progress.failures.length);
      draw(progress, entered);
    },
    close() {
      if (drawn) screen.write("\n");
      drawn = false;
    },
  };
}

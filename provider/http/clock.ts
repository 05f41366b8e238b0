import { cancelled } from "./cancellation";

/** Time as retries, pauses and timeouts see it. Tests bring one of their own, so that nobody waits for real. */
export interface Clock {
  /** In ms, never backwards. */
  now(): number;
  /** Resolves after `ms`, at once when the run is cancelled. */
  sleep(ms: number): Promise<void>;
  /** Aborted with a "TimeoutError" after `ms`. */
  alarm(ms: number): AbortSignal;
  /** The end of all patience, see cancellation.ts. */
  readonly cancelled: AbortSignal;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms) =>
    new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        cancelled.removeEventListener("abort", over);
        resolve();
      };
      const timer = setTimeout(over, cancelled.aborted ? 0 : ms);
      cancelled.addEventListener("abort", over);
    }),
  // Whole milliseconds only, or it throws.
  alarm: (ms) => AbortSignal.timeout(Math.ceil(ms)),
  cancelled,
};

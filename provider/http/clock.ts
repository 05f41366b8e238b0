import { setTimeout as sleep } from "node:timers/promises";

/** Time as retries, pauses and timeouts see it. Tests bring one of their own, so that nobody waits for real. */
export interface Clock {
  /** In ms, never backwards. */
  now(): number;
  /** Resolves after `ms`. */
  sleep(ms: number): Promise<void>;
  /** Aborted with a "TimeoutError" after `ms`. */
  alarm(ms: number): AbortSignal;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms) => sleep(ms),
  // Whole milliseconds only, or it throws.
  alarm: (ms) => AbortSignal.timeout(Math.ceil(ms)),
};

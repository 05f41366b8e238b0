import { cancelled } from "./cancellation";

/** Time as retries, pauses and timeouts see it. Tests bring one of their own, so that nobody waits for real. */
export interface Clock {
  /** In ms, never backwards. */
  now(): number;
  /** Resolves after `ms`, at once when the run is cancelled. */
  sleep(ms: number): Promise<void>;
  /** Calls `ring` with a "TimeoutError" after `ms`, unless what it answers is called before. */
  alarm(ms: number, ring: (reason: Error) => void): () => void;
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
  // A timer of our own: a signal that times out, and another one that follows it, took a tenth of a request's work.
  alarm(ms, ring) {
    const timer = setTimeout(() => ring(timeIsUp()), Math.ceil(ms));
    return () => clearTimeout(timer);
  },
  cancelled,
};

export const timeIsUp = (): Error => new DOMException("The time is up.", "TimeoutError");

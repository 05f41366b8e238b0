import { type Clock, systemClock } from "./clock";

export interface Limiter {
  /**
   * Waits for a free place, in order of arrival, and for the end of a pause. The caller must release exactly once. What
   * was `begun` goes first: behind all that has not, a second attempt would come too late for the first.
   */
  acquire(begun?: boolean): Promise<Release>;
  /** A ceiling from a second user of the same credential: the lower one counts. */
  lowerCeiling(ceiling: number): void;
  /** Requests that may run at the same time now. */
  readonly limit: number;
  readonly running: number;
}

/** "overloaded" (429, 5xx) halves the limit; `pause` (Retry-After, in ms) holds every new request that long. */
export type Release = (outcome: "ok" | "overloaded" | "neutral", pause?: number) => void;

/**
 * Adaptive concurrency for one credential on one platform: starts at the ceiling, halves when the platform is
 * overloaded, and grows back by about one place for each full round of good answers.
 */
export function createLimiter(highest: number, clock: Pick<Clock, "now" | "sleep"> = systemClock): Limiter {
  const { now } = clock;
  let ceiling = highest;
  let limit = highest;
  let running = 0;
  let lastCut = -Infinity;
  let pausedUntil = -Infinity;
  let resting = false;
  const begun: ((release: Release) => void)[] = [];
  const waiting: typeof begun = [];

  const start = (): Release => {
    const startedAt = now();
    let released = false;
    running += 1;
    return (outcome, pause = 0) => {
      if (released) return;
      released = true;
      running -= 1;
      if (pause > 0) pausedUntil = Math.max(pausedUntil, now() + pause);
      if (outcome === "ok") limit = Math.min(ceiling, limit + 1 / limit);
      // Requests sent before the last cut tell of the same overload: thirty of them must not halve thirty times.
      if (outcome === "overloaded" && startedAt >= lastCut) {
        limit = Math.max(1, limit / 2);
        lastCut = now();
      }
      admit();
    };
  };

  const admit = (): void => {
    const rest = pausedUntil - now();
    if (rest > 0) {
      if (begun.length + waiting.length === 0 || resting) return;
      resting = true;
      void clock.sleep(rest).then(() => {
        resting = false;
        admit();
      });
      return;
    }
    while (running < Math.floor(limit)) {
      const next = begun.shift() ?? waiting.shift();
      if (!next) return;
      next(start());
    }
  };

  return {
    acquire: (first = false) =>
      new Promise((resolve) => {
        (first ? begun : waiting).push(resolve);
        admit();
      }),
    lowerCeiling(other) {
      ceiling = Math.min(ceiling, other);
      limit = Math.min(limit, ceiling);
    },
    get limit() {
      return Math.floor(limit);
    },
    get running() {
      return running;
    },
  };
}

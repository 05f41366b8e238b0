import { type Clock, systemClock } from "./clock";
import { createPace } from "./pace";

export interface Limiter {
  /**
   * Waits for a free place, in order of arrival, and for the end of a pause. The caller must release exactly once. What
   * was `begun` goes first: behind all that has not, a second attempt would come too late for the first.
   */
  acquire(begun?: boolean): Promise<Release>;
  /** A ceiling and a rate from a second user of the same credential: the lower ones count. */
  lowerCeiling(ceiling: number, perSecond?: number): void;
  /** Requests that may run at the same time now. */
  readonly limit: number;
  readonly running: number;
}

/**
 * "overloaded" (5xx, no answer in time) halves the limit, "limited" (429) lowers the rate; `pause` (Retry-After, in ms)
 * holds every new request that long.
 */
export type Release = (outcome: "ok" | "limited" | "overloaded" | "neutral", pause?: number) => void;

/** How far a request may go before its turn, in ms: timers are late, and what they lose has to be made up for. */
const ahead = 50;

/**
 * Adaptive concurrency for one credential on one platform: starts at the ceiling, halves when the platform is
 * overloaded, and grows back by about one place for each full round of good answers. A 429 tells of a rate, which is
 * learned in pace.ts; one that is declared is kept from the start.
 */
export function createLimiter(
  highest: number,
  clock: Pick<Clock, "now" | "sleep" | "cancelled"> = systemClock,
  perSecond?: number,
): Limiter {
  const { now } = clock;
  let ceiling = highest;
  let limit = highest;
  let running = 0;
  /** How long the last good answer took, in ms. */
  let took = 100;
  let lastCut = -Infinity;
  let pausedUntil = -Infinity;
  let declared = intervalOf(perSecond);
  const pace = createPace();
  /** When the next request has its turn by the rate. */
  let turn = -Infinity;
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
      if (outcome === "ok") {
        took = Math.max(1, now() - startedAt);
        limit = Math.min(ceiling, limit + 1 / limit);
        if (startedAt >= lastCut) pace.isServed();
      }
      // Requests sent before the last cut tell of the same overload: thirty of them must not halve thirty times.
      if ((outcome === "limited" || outcome === "overloaded") && startedAt >= lastCut) {
        if (outcome === "limited") pace.lower((1_000 * limit) / took, now(), Math.max(now(), pausedUntil));
        else limit = Math.max(1, limit / 2);
        lastCut = now();
      }
      admit();
    };
  };

  const rest = async (ms: number): Promise<void> => {
    if (resting) return;
    resting = true;
    await clock.sleep(ms);
    resting = false;
    admit();
  };

  const admit = (): void => {
    while (running < Math.floor(limit) && begun.length + waiting.length > 0) {
      const early = Math.max(pausedUntil, turn - ahead) - now();
      // Once the run is cancelled nobody sends: they only learn of it here.
      if (early > 0 && !clock.cancelled.aborted) return void rest(early);
      turn = Math.max(turn, now()) + Math.max(declared, 1_000 / pace.at(now()));
      (begun.shift() ?? waiting.shift())!(start());
    }
  };

  return {
    acquire: (first = false) =>
      new Promise((resolve) => {
        (first ? begun : waiting).push(resolve);
        admit();
      }),
    lowerCeiling(other, rate) {
      ceiling = Math.min(ceiling, other);
      limit = Math.min(limit, ceiling);
      declared = Math.max(declared, intervalOf(rate));
    },
    get limit() {
      return Math.floor(limit);
    },
    get running() {
      return running;
    },
  };
}

/** A tenth below the rate: together with what goes ahead of its turn, no second has more requests than the rate. */
function intervalOf(perSecond = Infinity): number {
  return 1_000 / (0.9 * perSecond);
}

import { type Breaker, createBreaker } from "./breaker";
import type { Clock } from "./clock";
import { type Limiter, createLimiter } from "./limiter";

/** What all users of one credential on one platform share within a process. */
export interface Lane {
  readonly limiter: Limiter;
  readonly breaker: Breaker;
}

const lanes = new Map<string, Lane>();

export function laneFor(
  origin: string,
  token: string | undefined,
  ceiling: number,
  clock: Clock,
  perSecond?: number,
): Lane {
  const key = `${origin}\n${token ?? ""}`;
  const known = lanes.get(key);
  if (known) {
    known.limiter.lowerCeiling(ceiling, perSecond);
    return known;
  }
  const lane = { limiter: createLimiter(ceiling, clock, perSecond), breaker: createBreaker() };
  lanes.set(key, lane);
  return lane;
}

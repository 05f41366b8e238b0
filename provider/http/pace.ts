/** The rate that a platform seems to take, learned from its 429s alone. In requests a second; times in ms. */
export interface Pace {
  /** Infinity until the first 429. */
  at(now: number): number;
  /** Something sent since the last 429 had a good answer. */
  isServed(): void;
  /** A 429 while `offered` requests a second would have been sent without a pace; nothing is sent before `resumed`. */
  lower(offered: number, now: number, resumed: number): void;
}

/** However often it is refused; what is sent at this rate tells when the platform is back. */
const lowest = 2;

/**
 * Falls by 15 %, and by half as long as that does not help. Comes back to where it fell from by doubling each second,
 * then rises slowly at first and faster and faster (as TCP's CUBIC does): by a sixth in 6 s, to five times as much in 18 s.
 * So it stays near a rate that stays, and is soon back at one that was low for a while. What concurrency alone offered
 * says little about the rate: an eighth of that is all that it comes back to.
 */
export function createPace(): Pace {
  let base = Infinity;
  let goal = Infinity;
  let since = -Infinity;
  /** Good answers since the last 429 that counted, and when that was. */
  let served = 0;
  let fellAt = -Infinity;
  /** Where the fall began without a rate that had been reached: the least to come back to. */
  let least: number | undefined;
  const at = (now: number): number => {
    const passed = Math.max(0, now - since) / 1_000;
    if (base === Infinity) return base;
    const back = Math.log2(goal / base);
    return passed < back ? base * 2 ** passed : goal * Math.exp(0.005 * (passed - back) ** 2);
  };
  return {
    at,
    isServed: () => void (served += 1),
    lower(offered, now, resumed) {
      const before = at(now);
      if (offered <= before) {
        least = offered / 8;
        served = 0;
      } else if (served > 0 && now - since >= 1_000) least = undefined;
      const isFarOff = least !== undefined || served === 0 || now - since < 1_000;
      base = Math.max(lowest, Math.min(offered, before) * (isFarOff ? 0.5 : 0.85));
      // At both ends the platform had nothing left to give, so what it gave between them is not far from its rate.
      if (least !== undefined && served > 0) least = Math.min(least, (4_000 * served) / (now - fellAt));
      if (least !== undefined) goal = Math.max(base, least);
      else goal = isFarOff ? Math.max(base, goal) : base;
      since = resumed;
      served = 0;
      fellAt = now;
    },
  };
}

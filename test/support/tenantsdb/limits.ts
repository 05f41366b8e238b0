/**
 * TenantsDB docs, rate limits: 100 requests a second from one address, before anything else is looked at; whoever goes
 * beyond that five times is banned for five minutes, in which every request is refused. The strictest reading: each
 * request too many is a violation.
 */
export interface Limits {
  /** Whether a request is let in. */
  admit(): boolean;
  readonly violations: number;
  /** Most requests in any one second. */
  readonly busiest: number;
  readonly isBanned: boolean;
}

export interface LimitSettings {
  readonly perSecond?: number;
  readonly violations?: number;
  readonly banMs?: number;
  readonly now?: () => number;
}

export function createLimits({
  perSecond = 100,
  violations: most = 5,
  banMs = 300_000,
  now = Date.now,
}: LimitSettings = {}): Limits {
  let recent: number[] = [];
  let violations = 0;
  let sinceBan = 0;
  let busiest = 0;
  let bannedUntil = -Infinity;
  return {
    admit() {
      const at = now();
      recent = recent.filter((one) => one > at - 1_000);
      recent.push(at);
      busiest = Math.max(busiest, recent.length);
      if (at < bannedUntil) return false;
      if (recent.length <= perSecond) return true;
      violations += 1;
      sinceBan += 1;
      if (sinceBan >= most) {
        bannedUntil = at + banMs;
        sinceBan = 0;
      }
      return false;
    },
    get violations() {
      return violations;
    },
    get busiest() {
      return busiest;
    },
    get isBanned() {
      return now() < bannedUntil;
    },
  };
}

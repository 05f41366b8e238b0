import { type Clock, timeIsUp } from "../../provider/http/clock";

export interface VirtualClock extends Clock {
  /** Lets time pass, which ends what has a timeout. */
  pass(ms: number): void;
  /** Lets time pass until the timeout that was set last. */
  ring(): void;
}

/**
 * A clock on which every wait is over at once: `sleep` moves it on instead of waiting. A server that is silent or slow
 * lets time pass itself. `moved` is told the time before a sleeper goes on, e.g. to bring a platform back.
 */
export function virtualClock(moved: (now: number) => Promise<void> = async () => undefined): VirtualClock {
  let now = 0;
  let alarms: { readonly at: number; readonly ring: (reason: Error) => void }[] = [];
  const reach = (at: number): void => {
    now = Math.max(now, at);
    const due = alarms.filter((alarm) => alarm.at <= now);
    alarms = alarms.filter((alarm) => alarm.at > now);
    for (const { ring } of due) ring(timeIsUp());
  };
  return {
    now: () => now,
    async sleep(ms) {
      const until = now + ms;
      // What runs already has its turn first, as it would in the time slept.
      await new Promise((resolve) => setImmediate(resolve));
      reach(until);
      await moved(now);
    },
    alarm(ms, ring) {
      const alarm = { at: now + ms, ring };
      alarms.push(alarm);
      return () => void (alarms = alarms.filter((other) => other !== alarm));
    },
    cancelled: new AbortController().signal,
    pass: (ms) => reach(now + ms),
    ring: () => reach(alarms.at(-1)?.at ?? now),
  };
}

import type { Clock } from "../../provider/http/clock";

/**
 * Time of a simulation with real requests: it stands still while one is on its way (`isMoving`), and else goes on to the
 * next sleeper at once. Nothing waits for real, and who sleeps shorter wakes earlier.
 */
export function simulatedClock(isMoving: () => boolean): Clock {
  let now = 0;
  let sleepers: { readonly until: number; readonly wake: () => void }[] = [];
  let runs = false;
  const turn = (): void => {
    if (sleepers.length === 0) return void (runs = false);
    if (!isMoving()) {
      now = sleepers.reduce((first, { until }) => Math.min(first, until), Infinity);
      const due = sleepers.filter(({ until }) => until <= now);
      sleepers = sleepers.filter(({ until }) => until > now);
      for (const { wake } of due) wake();
    }
    setImmediate(turn);
  };
  return {
    now: () => now,
    sleep: (ms) =>
      new Promise((wake) => {
        sleepers.push({ until: now + ms, wake });
        if (!runs) setImmediate(turn);
        runs = true;
      }),
    // The servers here always answer.
    alarm: () => () => undefined,
    cancelled: new AbortController().signal,
  };
}

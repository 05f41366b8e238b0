import { type Clock, systemClock } from "../../provider/http/clock";

/** Real time, of which a pause takes a tenth: polling and pacing of a platform that stands next door. Timeouts are as long as ever. */
export const hurriedClock: Clock = {
  ...systemClock,
  now: () => systemClock.now() * 10,
  sleep: (ms) => systemClock.sleep(ms / 10),
};

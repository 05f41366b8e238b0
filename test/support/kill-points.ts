import type { Phase } from "./kill-scene";

export type Victim = "engine" | "provider" | "both";
const victims: readonly Victim[] = ["engine", "provider", "both"];

/** Who is killed in which run, and at which request. */
export interface Kill {
  readonly phase: Phase;
  readonly victim: Victim;
  /** The n-th request that takes the step of that label, or of all. */
  readonly at: { readonly nth: number; readonly label?: string };
  /** Before the platform carries it out (it never does), or after that and before the answer arrives. */
  readonly when: "before" | "after";
  /** Whether the engine writes its state at each step, or once at the end. */
  readonly checkpoints: boolean;
  /** Whether a further run is to show that nothing is left to do: for a sample, because of the time. */
  readonly settles: boolean;
}

export const describeKill = ({ phase, victim, at, when, checkpoints }: Kill): string =>
  `${phase}, ${victim} killed ${when} ${at.label === undefined ? "request" : `"${at.label}"`} ${at.nth}` +
  (checkpoints ? "" : ", without checkpoints");

/**
 * A kill at every step that an unharmed run takes: a label that changes something has two, before its first request and
 * after its middle one; one that only reads has one. Victims and checkpoints take turns. How many requests the registry
 * gets depends on which of them travel together, so that only its first one is sure to come.
 *
 * @param asked The steps of each request.
 */
export function killsAtEveryStep(phase: Phase, asked: readonly (readonly string[])[]): Kill[] {
  const counts = new Map<string, number>();
  for (const label of asked.flat()) counts.set(label, (counts.get(label) ?? 0) + 1);
  const points = [...counts].flatMap(([label, count]) => {
    const after = {
      label,
      nth: label.startsWith("SQL on registry") ? 1 : Math.ceil(count / 2),
      when: "after" as const,
    };
    return reads(label) ? [after] : [{ label, nth: 1, when: "before" as const }, after];
  });
  return points.map(({ label, nth, when }, i) => ({
    phase,
    at: { label, nth },
    when,
    victim: victims[i % 3]!,
    checkpoints: Math.floor(i / 3) % 2 === 0,
    settles: i % 5 === 0,
  }));
}

const reads = (label: string): boolean =>
  label.startsWith("GET ") || (/: SELECT [^;]*(;|$)/.test(label) && !/INSERT|UPDATE|DELETE|CREATE|ALTER/.test(label));

/** At one of the requests of an unharmed run; the last few are left out, since a run does not always ask as many. */
export function killAt(random: () => number, phase: Phase, requests: number, settles: boolean): Kill {
  return {
    phase,
    at: { nth: 1 + Math.floor(random() * requests * 0.8) },
    when: random() < 0.5 ? "before" : "after",
    victim: victims[Math.floor(random() * 3)]!,
    checkpoints: random() < 0.5,
    settles,
  };
}

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How fast a run goes, and when it will be done at that pace. */
export interface Pace {
  /** So many are done now. `now` in ms. */
  note(done: number, now: number): void;
  /** Tenants a second; undefined until that can be said. */
  rate(now: number): number | undefined;
  /** Seconds; undefined until that can be said. */
  left(planned: number, now: number): number | undefined;
}

/** What lies further back says little about what is to come: a canary goes alone, waves go side by side. In ms. */
const memory = 30_000;

export function createPace(): Pace {
  const seen: { done: number; at: number }[] = [];
  const rate = (now: number): number | undefined => {
    const [first] = seen;
    const last = seen.at(-1);
    if (!first || !last || last.done === first.done) return undefined;
    return ((last.done - first.done) / Math.max(now - first.at, 1)) * 1000;
  };
  return {
    note(done, now) {
      seen.push({ done, at: now });
      while (seen.length > 2 && seen[1]!.at < now - memory) seen.shift();
    },
    rate,
    left(planned, now) {
      const speed = rate(now);
      return speed ? Math.ceil((planned - (seen.at(-1)?.done ?? 0)) / speed) : undefined;
    },
  };
}

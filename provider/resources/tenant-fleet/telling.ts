import type { Say } from "../schema-rollout/narration";
import { count } from "./change-text";
import type { FleetChanges } from "./changes";

type Part = "create" | "change" | "replace" | "remove";

/** Says how far a run is, once a second, and what it did. */
export interface Telling {
  begin(part: Part): void;
  /** One more tenant has ended. */
  one(): void;
  /** Resolves when all that was said is written: after the reply the engine may end the process at once. */
  end(): Promise<void>;
}

const pace = 1_000;
const doing: Readonly<Record<Part, string>> = {
  create: "creating",
  change: "changing",
  replace: "making anew",
  remove: "removing",
};

export function createTelling(changes: FleetChanges, say: Say): Telling {
  let writing: Promise<void> = Promise.resolve();
  let part: Part = "create";
  let done = 0;
  let saidAt = Date.now();
  return {
    begin(next) {
      part = next;
      done = 0;
    },
    one() {
      done += 1;
      if (Date.now() - saidAt < pace) return;
      saidAt = Date.now();
      const text = `${doing[part]}: ${count(done)} of ${count(changes[part].length)}`;
      writing = writing.then(() => say("status", text));
    },
    end: () => writing,
  };
}

import type { StoredTenant } from "./state";

/** What goes on for a while after its answer. */
export type OperationKind = "provision" | "move" | "rollback" | "recover" | "deploy";

/** How the next operation of a kind ends otherwise: never, or in a status that no documentation has. */
export type Ending = "stuck" | { readonly status: string };

export interface Operations {
  /** Goes through the statuses, then does its work and is ready. */
  begin(tenant: StoredTenant, kind: OperationKind, statuses: readonly string[], work: () => Promise<void>): void;
  later(work: () => void): void;
  /** Told of each request before it is answered. */
  looked(): Promise<void>;
  /** Taken once. */
  endingOf(kind: OperationKind): Ending | undefined;
  /** The next operation of that kind ends so. */
  next(kind: OperationKind, ending: Ending): void;
  /** What is under way has ended, and nothing else begins. */
  close(): Promise<void>;
}

/**
 * `step`: how long each status lasts, in ms; or "looks": until the third request after it, for a driver whose time is not
 * real and passes at once.
 */
export function createOperations(step: number | "looks"): Operations {
  const endings = new Map<OperationKind, Ending>();
  const timers = new Set<NodeJS.Timeout>();
  const working = new Set<Promise<void>>();
  let waiting: { looks: number; readonly work: () => void }[] = [];
  let closed = false;

  const after = (work: () => void): void => {
    if (closed) return;
    if (step === "looks") return void waiting.push({ looks: 3, work });
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, step);
    timers.add(timer);
  };

  const endingOf = (kind: OperationKind): Ending | undefined => {
    const ending = endings.get(kind);
    endings.delete(kind);
    return ending;
  };

  return {
    begin(tenant, kind, statuses, work) {
      const ending = endingOf(kind);
      const go = ([status, ...rest]: readonly string[]): void => {
        if (status !== undefined) {
          tenant.status = status;
          // Even a status that comes to nothing is seen first.
          return after(() => go(rest));
        }
        if (ending === "stuck") return;
        if (ending) return void (tenant.status = ending.status);
        const done = work().then(
          () => void (tenant.status = "ready"),
          () => void (tenant.status = "error"),
        );
        working.add(done);
        void done.finally(() => working.delete(done));
      };
      go(statuses);
    },
    later: after,
    async looked() {
      for (const one of waiting) one.looks -= 1;
      const due = waiting.filter(({ looks }) => looks === 0);
      waiting = waiting.filter(({ looks }) => looks > 0);
      for (const { work } of due) work();
      if (due.length > 0) await Promise.all(working);
    },
    endingOf,
    next: (kind, ending) => void endings.set(kind, ending),
    async close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all(working);
    },
  };
}

/** How requests are put together. */
export interface BatchOptions {
  /** Requests in one batch. Default 200. */
  readonly maxSize?: number;
  /** Batches under way at once. Default 4. */
  readonly maxUnderWay?: number;
  /** A trip that is worth waiting for, in ms: where one transaction waits for another anyway, a longer one. Default 10. */
  readonly shortTrip?: number;
}

/** Between the departures of two batches, ms. */
const interval = 10;

/**
 * Turns many single requests into few batches. The first request leaves after one turn of the event loop, so that those
 * that arrive together travel together. What is asked for while a batch is under way waits for its return, but only
 * where trips are short: on a distant platform, every request would otherwise pay for half a trip of others.
 *
 * `run` gets up to `maxSize` requests and answers one outcome for each, in order; when it throws, all of them fail.
 * Batches may overlap: whoever needs his first request done before his second awaits it.
 */
export function createBatcher<Request, Reply>(
  run: (requests: Request[]) => Promise<(Reply | Error)[]>,
  { maxSize = 200, maxUnderWay = 4, shortTrip = 10 }: BatchOptions = {},
): (request: Request) => Promise<Reply> {
  interface Waiting {
    readonly request: Request;
    readonly resolve: (reply: Reply) => void;
    readonly reject: (reason: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let underWay = 0;
  /** How long the last batch took, ms. */
  let trip = 0;
  /** When it left, ms. */
  let left = -Infinity;
  let gathering: NodeJS.Immediate | undefined;
  let impatience: NodeJS.Timeout | undefined;

  /** Sees to it that whatever waits will leave: now, when a short trip would be over, or when the next batch returns. */
  const schedule = (): void => {
    if (waiting.length === 0 || underWay >= maxUnderWay) return;
    // A busy stream leaves at intervals, or nearly every request would travel alone.
    const rest = left + (underWay > 0 && trip <= shortTrip ? shortTrip : interval) - performance.now();
    clearTimeout(impatience);
    if (rest <= 0) gathering ??= setImmediate(depart);
    else impatience = setTimeout(depart, rest);
  };

  const depart = (): void => {
    clearTimeout(impatience);
    gathering = impatience = undefined;
    if (waiting.length === 0 || underWay >= maxUnderWay) return;
    const batch = waiting.slice(0, maxSize);
    waiting = waiting.slice(maxSize);
    underWay += 1;
    const began = (left = performance.now());
    void travel(batch).finally(() => {
      trip = performance.now() - began;
      underWay -= 1;
      schedule();
    });
    schedule();
  };

  const travel = async (batch: Waiting[]): Promise<void> => {
    try {
      const outcomes = await run(batch.map((one) => one.request));
      batch.forEach((one, i) => {
        const outcome = outcomes[i];
        if (outcome instanceof Error) one.reject(outcome);
        else one.resolve(outcome as Reply);
      });
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
  };

  return (request) =>
    new Promise<Reply>((resolve, reject) => {
      waiting.push({ request, resolve, reject });
      schedule();
    });
}

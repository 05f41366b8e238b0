/**
 * Turns many single requests into few batches: what is asked for while a batch is under way goes into the next one.
 * The first batch waits for one turn of the event loop, so that requests that arrive together travel together.
 *
 * `run` gets up to `maxSize` requests and answers one outcome for each, in order; when it throws, all of them fail.
 */
export function createBatcher<Request, Reply>(
  run: (requests: Request[]) => Promise<(Reply | Error)[]>,
  maxSize = 200,
): (request: Request) => Promise<Reply> {
  interface Waiting {
    readonly request: Request;
    readonly resolve: (reply: Reply) => void;
    readonly reject: (reason: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let running = false;

  const drain = async (): Promise<void> => {
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxSize);
      waiting = waiting.slice(maxSize);
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
    }
    running = false;
  };

  return (request) =>
    new Promise<Reply>((resolve, reject) => {
      waiting.push({ request, resolve, reject });
      if (!running) {
        running = true;
        void drain();
      }
    });
}

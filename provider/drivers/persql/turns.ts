/** One call at a time: whoever asks while one is under way shares the one that begins behind it with the others. */
export function inTurns<Result>(call: () => Promise<Result>): () => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  let next: Promise<Result> | undefined;
  return () => {
    next ??= last.then(() => {
      next = undefined;
      const running = call();
      last = running.catch(() => undefined);
      return running;
    });
    return next;
  };
}

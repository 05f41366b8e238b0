const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * A signal that the first Ctrl-C gives, and that ends what is under way in order; the second one then ends the process,
 * as if nobody listened. `close` stops listening.
 */
export function listenForInterrupt(onFirst: () => void): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const close = (): void => {
    for (const signal of signals) process.off(signal, first);
  };
  const first = (): void => {
    close();
    onFirst();
    controller.abort();
  };
  for (const signal of signals) process.on(signal, first);
  return { signal: controller.signal, close };
}

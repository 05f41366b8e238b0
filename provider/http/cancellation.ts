const run = new AbortController();
// Every wait of the process listens. Where there is no Node, nobody counts.
globalThis.process?.getBuiltinModule?.("node:events").setMaxListeners(0, run.signal);

/**
 * Aborted once the run of this process was cancelled: from then on nothing is tried again, nothing is waited for, and
 * whoever works through many tenants begins no other. What is under way comes to its end.
 */
export const cancelled: AbortSignal = run.signal;

/** The code of the error by which a cancelled run ends what is under way. */
export const runOver = "TENANTRY_RUN_OVER";

/** What is under way has so long to end by itself, ms; an exchange's reply then counts as lost. */
const grace = 2_000;

/** Exchanges under way. */
const exchanges = new Set<AbortController>();

/** Sees to it that a cancelled run does not wait for the exchange; answers what to call when it is over. */
export function endWithRun(exchange: AbortController): () => void {
  exchanges.add(exchange);
  return () => exchanges.delete(exchange);
}

export function cancelRun(): void {
  if (cancelled.aborted) return;
  run.abort();
  const reason = Object.assign(new Error("The run was cancelled."), { code: runOver });
  // Again and again: an exchange may be followed by one that records what it did, with as much time.
  setInterval(() => exchanges.forEach((exchange) => exchange.abort(reason)), grace).unref();
}

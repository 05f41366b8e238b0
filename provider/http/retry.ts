import type { NetworkFault } from "./network-fault";

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  /**
   * The same where the platform is away (connection refused, 502, 503, 504) or says "slow down" (429): that passes, and
   * the default outlasts 30 s of it, whatever the dice say.
   */
  readonly outageAttempts: number;
  /** The same where a success was not readable (HTML, half a JSON text): seldom passes. */
  readonly unreadableAttempts: number;
  /** From the first attempt to the start of the last one, in ms. */
  readonly budget: number;
  /** Longest wait before the second attempt; doubles with each further one up to `longest`. In ms. */
  readonly base: number;
  readonly longest: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 5,
  outageAttempts: 12,
  unreadableAttempts: 3,
  budget: 90_000,
  base: 300,
  longest: 10_000,
};

export interface Attempted {
  readonly method: string;
  /** The caller has checked that sending the same request twice does no harm. GET, PUT, DELETE need no such word. */
  readonly idempotent: boolean;
  /** 1 for the first. */
  readonly attempt: number;
  readonly result: { readonly status: number } | { readonly fault: NetworkFault } | { readonly unreadable: true };
  /** What Retry-After asked for, in ms. */
  readonly retryAfter: number | undefined;
  /** Since the call began, in ms. */
  readonly elapsed: number;
  /** In [0, 1): the jitter. */
  readonly random: number;
}

export type Decision =
  | { readonly retry: true; readonly delay: number; readonly reason: string }
  | { readonly retry: false; readonly reason: string };

/** Whether to send a request again, after how long, and why (not). */
export function decideRetry(attempted: Attempted, policy: RetryPolicy): Decision {
  const { result, attempt, elapsed } = attempted;
  const verdict = worthRetrying(result);
  if (!verdict.worth) return { retry: false, reason: verdict.reason };

  const harmless = attempted.idempotent || ["GET", "HEAD", "PUT", "DELETE"].includes(attempted.method);
  if (verdict.mayHaveTakenEffect && !harmless) {
    return { retry: false, reason: `${verdict.reason}, and a second ${attempted.method} might do it twice` };
  }
  const attempts = attemptsFor(result, policy);
  if (attempt >= attempts) return { retry: false, reason: `${verdict.reason}, ${attempt} attempts` };

  // Jitter: many callers that failed together must not come back together. Over half of the wait only, or a call that
  // is unlucky would use up its attempts in no time.
  const ceiling = Math.min(policy.longest, policy.base * 2 ** (attempt - 1));
  const delay = Math.round(((1 + attempted.random) / 2) * ceiling) + (attempted.retryAfter ?? 0);
  if (elapsed + delay > policy.budget) {
    return { retry: false, reason: `${verdict.reason}, and waiting ${delay} ms more would exceed ${policy.budget} ms` };
  }
  return { retry: true, delay, reason: verdict.reason };
}

/** True if a request that ended so may have had its effect on the platform all the same. */
export function outcomeUnknown(result: Attempted["result"]): boolean {
  return worthRetrying(result).mayHaveTakenEffect;
}

function attemptsFor(result: Attempted["result"], policy: RetryPolicy): number {
  if ("unreadable" in result) return policy.unreadableAttempts;
  const away = "fault" in result ? !result.fault.sent : [429, 502, 503, 504].includes(result.status);
  return away ? policy.outageAttempts : policy.attempts;
}

function worthRetrying(result: Attempted["result"]): { worth: boolean; mayHaveTakenEffect: boolean; reason: string } {
  if ("unreadable" in result) return { worth: true, mayHaveTakenEffect: true, reason: "the answer was not readable" };
  if ("fault" in result) {
    const { kind, sent, text } = result.fault;
    // A certificate, a wrong name or a flood does not get better by itself in seconds; a resolver that is down does.
    const worth = !["certificate", "handshake", "too-large"].includes(kind) && !text.includes("ENOTFOUND");
    return { worth, mayHaveTakenEffect: sent, reason: text };
  }
  const { status } = result;
  if (status === 429) return { worth: true, mayHaveTakenEffect: false, reason: "429, the platform asks to slow down" };
  if (status === 408 || (status >= 500 && status !== 501 && status !== 505)) {
    return { worth: true, mayHaveTakenEffect: true, reason: `${status}, the platform's side failed` };
  }
  return { worth: false, mayHaveTakenEffect: false, reason: `${status} is a final answer` };
}

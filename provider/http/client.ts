import { TenantryError } from "../platform/errors";
import { type HttpAnswer, readAnswer } from "./answer";
import { type Clock, systemClock } from "./clock";
import { exchange, isFault } from "./exchange";
import { laneFor } from "./lane";
import { faultError } from "./network-fault";
import { retryAfter } from "./retry-after";
import { type RetryPolicy, decideRetry, defaultRetryPolicy, outcomeUnknown } from "./retry";
import { userAgent } from "./user-agent";

export interface HttpClientOptions {
  /** Control plane, e.g. "https://api.turso.tech"; a path in it is kept. */
  readonly baseUrl: string;
  /** Sent as a bearer token, to this base URL only: redirects are not followed. */
  readonly token?: string;
  /** Requests at the same time; shared with all clients of the same origin and token. Default 32. */
  readonly concurrency?: number;
  /** Per attempt, in ms. Default 30,000. */
  readonly timeout?: number;
  /** Longest answer accepted, in bytes. Default 32 MiB. */
  readonly maxBytes?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Why the token cannot be right, known before any call: then nothing is sent. */
  readonly hopeless?: () => TenantryError | undefined;
  /** The full explanation of a 401; by default a general one. Shown once in a process. */
  readonly rejected?: (answer: HttpAnswer) => TenantryError;
}

export interface HttpCall {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the base URL, begins with "/", already encoded. */
  readonly path: string;
  readonly query?: Record<string, string | undefined>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The caller has checked that sending this twice does no harm. Default false; needed for POST and PATCH only. */
  readonly idempotent?: boolean;
  /** False: no token is sent, and the answer tells nothing about it. Default true. */
  readonly authenticated?: boolean;
  /** Per attempt, in ms; default the client's. */
  readonly timeout?: number;
}

export interface HttpClient {
  /**
   * Sends a call, again where that is safe and worth it, and returns the last answer, of whatever status. Fails with
   * "unreachable", "timed-out", "untrusted-host", "bad-answer" (not whole JSON, a redirect, a 404 that is not the platform's) or
   * "credentials-rejected".
   */
  send(call: HttpCall): Promise<HttpAnswer>;
  /** Method, host and path as messages name them. */
  where(method: string, path: string): string;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const base = new URL(options.baseUrl);
  const prefix = base.pathname.replace(/\/+$/, "");
  const clock = options.clock ?? systemClock;
  const policy = { ...defaultRetryPolicy, ...options.retry };
  const secrets = options.token ? [options.token] : [];
  const { limiter, breaker } = laneFor(base.origin, options.token, options.concurrency ?? 32, clock);
  const rejected =
    options.rejected ??
    (({ where, problem }) =>
      new TenantryError("credentials-rejected", `The token was rejected (${where}: 401 ${problem}).`));

  const whereOf = (method: string, path: string): string => `${method} ${base.host}${prefix}${path}`;

  const prepare = (call: HttpCall) => {
    const url = new URL(base.origin + prefix + call.path);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers: Record<string, string> = { accept: "application/json", "user-agent": userAgent };
    if (options.token && call.authenticated !== false) headers.authorization = `Bearer ${options.token}`;
    if (call.body !== undefined) headers["content-type"] = "application/json";
    return {
      method: call.method,
      url,
      headers,
      body: call.body === undefined ? undefined : JSON.stringify(call.body),
      timeout: call.timeout ?? options.timeout ?? 30_000,
      maxBytes: options.maxBytes ?? 32 * 1024 * 1024,
      clock,
    };
  };

  /** One attempt: the answer, or the error that callers would see, with what the retry decision needs. */
  const attempt = async (call: HttpCall, where: string, lost: boolean) => {
    const release = await limiter.acquire();
    if (call.authenticated !== false && breaker.rejected) {
      release("neutral");
      throw breaker.rejected;
    }
    const reply = await exchange(prepare(call));
    if (isFault(reply)) {
      release(reply.kind === "timed-out" ? "overloaded" : "neutral");
      return { outcome: faultError(reply, where, lost), result: { fault: reply }, wait: undefined };
    }
    const overloaded = reply.status === 429 || reply.status >= 500;
    const wait = overloaded ? retryAfter(reply.headers["retry-after"], Date.now()) : undefined;
    // A pause that no call would live to see the end of is left out: each call then fails with the platform's word.
    release(overloaded ? "overloaded" : "ok", wait !== undefined && wait <= policy.budget ? wait : 0);
    const outcome = readAnswer(reply, { where, lost, secrets, retryAfter: wait });
    const unreadable = outcome instanceof TenantryError;
    if (call.authenticated !== false && !unreadable) {
      if (outcome.status === 401) throw breaker.reject(rejected(outcome));
      if (!overloaded) breaker.accept();
    }
    const result = unreadable && reply.status < 300 ? { unreadable: true as const } : { status: reply.status };
    return { outcome, result, wait };
  };

  const attempts = async (call: HttpCall): Promise<HttpAnswer> => {
    const where = whereOf(call.method, call.path);
    const startedAt = clock.now();
    let lost = false;
    for (let count = 1; ; count += 1) {
      const { outcome, result, wait } = await attempt(call, where, lost);
      const decision = decideRetry(
        {
          method: call.method,
          idempotent: call.idempotent ?? false,
          attempt: count,
          result,
          retryAfter: wait,
          elapsed: clock.now() - startedAt,
          random: Math.random(),
        },
        policy,
      );
      if (!decision.retry) {
        if (outcome instanceof TenantryError) throw outcome;
        return outcome;
      }
      lost ||= outcomeUnknown(result);
      await clock.sleep(decision.delay);
    }
  };

  return {
    where: whereOf,
    send(call) {
      if (call.authenticated === false) return attempts(call);
      return breaker.run(() => {
        const reason = options.hopeless?.();
        if (reason) throw breaker.reject(reason);
        return attempts(call);
      });
    },
  };
}

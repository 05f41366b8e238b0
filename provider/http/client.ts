import { TenantryError, hasCode } from "../platform/errors";
import { type HttpAnswer, readAnswer } from "./answer";
import { type Clock, systemClock } from "./clock";
import { exchange, isFault } from "./exchange";
import { laneFor } from "./lane";
import type { Release } from "./limiter";
import { faultError } from "./network-fault";
import { retryAfter } from "./retry-after";
import { type RetryPolicy, decideRetry, defaultRetryPolicy, outcomeUnknown } from "./retry";
import { userAgent } from "./user-agent";

export interface HttpClientOptions {
  /** Control plane, e.g. "https://api.turso.tech"; a path in it is kept. */
  readonly baseUrl: string;
  /** Sent as a bearer token, to this base URL only: redirects are not followed. */
  readonly token?: string;
  /** What the token is announced as. Default "Bearer". */
  readonly scheme?: "Bearer" | "Basic";
  /** Requests at the same time; shared with all clients of the same origin and token. Default 32. */
  readonly concurrency?: number;
  /**
   * Requests that the platform takes in a second from one credential, where it punishes more: attempts are spread so that
   * no second has more. Counts for this process alone. Default: as many as `concurrency` allows.
   */
  readonly perSecond?: number;
  /** After a 429 that does not say for how long, nothing is sent for so many ms. Default 0: the rate falls instead. */
  readonly pauseWhenLimited?: number;
  /** Other values that no message may hold. */
  readonly secrets?: readonly string[];
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
  /** Another token to send in place of the client's, about which the answer then tells nothing either. */
  readonly bearer?: string;
  /** Besides those that every call has; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
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
  const secrets = [...(options.token ? [options.token] : []), ...(options.secrets ?? [])];
  const { limiter, breaker } = laneFor(base.origin, options.token, options.concurrency ?? 32, clock, options.perSecond);
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
    const headers: Record<string, string> = { ...call.headers, accept: "application/json", "user-agent": userAgent };
    const token = call.bearer ?? (call.authenticated === false ? undefined : options.token);
    const scheme = call.bearer === undefined ? (options.scheme ?? "Bearer") : "Bearer";
    if (token) headers.authorization = `${scheme} ${token}`;
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
  const attempt = async (call: HttpCall, where: string, lost: boolean, release: Release) => {
    if (tells(call) && breaker.rejected) {
      release("neutral");
      throw told(breaker.rejected, lost);
    }
    const reply = await exchange(prepare(call));
    if (isFault(reply)) {
      release(reply.kind === "timed-out" ? "overloaded" : "neutral");
      return { outcome: faultError(reply, where, lost), result: { fault: reply }, wait: undefined };
    }
    const overloaded = reply.status === 429 || reply.status >= 500;
    const asked = overloaded ? retryAfter(reply.headers["retry-after"], Date.now()) : undefined;
    const wait = asked ?? (reply.status === 429 ? options.pauseWhenLimited : undefined);
    // A pause that no call would live to see the end of is left out: each call then fails with the platform's word.
    const load = reply.status === 429 ? "limited" : overloaded ? "overloaded" : "ok";
    release(load, wait !== undefined && wait <= policy.budget ? wait : 0);
    const known = call.bearer === undefined ? secrets : [...secrets, call.bearer];
    const outcome = readAnswer(reply, { where, lost, secrets: known, retryAfter: wait });
    const unreadable = outcome instanceof TenantryError;
    if (tells(call) && !unreadable) {
      if (outcome.status === 401) throw told(breaker.reject(rejected(outcome)), lost);
      if (!overloaded) breaker.accept();
    }
    const result = unreadable && reply.status < 300 ? { unreadable: true as const } : { status: reply.status };
    return { outcome, result, wait };
  };

  /** The last answer for good, or its error. `answers`: the count of good ones when the call began. */
  const final = (outcome: HttpAnswer | TenantryError, answers: number): HttpAnswer => {
    if (!(outcome instanceof TenantryError)) return outcome;
    if (hasCode(outcome, "unreachable", "timed-out") && breaker.answers === answers) breaker.gaveUp(outcome);
    throw outcome;
  };

  const attempts = async (call: HttpCall): Promise<HttpAnswer> => {
    const where = whereOf(call.method, call.path);
    const { answers, outage } = breaker;
    let startedAt: number | undefined;
    let last: HttpAnswer | TenantryError | undefined;
    let lost = false;
    for (let count = 1; ; count += 1) {
      const release = await limiter.acquire(count > 1);
      // How long a call waits for its first place says nothing about the platform; that wait uses up no patience.
      const elapsed = clock.now() - (startedAt ??= clock.now());
      if (last && (elapsed > policy.budget || clock.cancelled.aborted)) {
        release("neutral");
        return final(last, answers);
      }
      if (!last && clock.cancelled.aborted) {
        release("neutral");
        throw notBegun(where);
      }
      if (!last && breaker.outage && breaker.outage !== outage) {
        // Another call found out, while this one waited for a place, that nobody is there.
        release("neutral");
        throw notAttempted(where, breaker.outage);
      }
      const { outcome, result, wait } = await attempt(call, where, lost, release);
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
      if (!decision.retry) return final(outcome, answers);
      last = outcome;
      lost ||= outcomeUnknown(result);
      await clock.sleep(decision.delay);
      if (clock.cancelled.aborted) return final(outcome, answers);
    }
  };

  return {
    where: whereOf,
    send(call) {
      if (!tells(call)) return attempts(call);
      return breaker.run(() => {
        const reason = options.hopeless?.();
        if (reason) throw breaker.reject(reason);
        return attempts(call);
      });
    },
  };
}

/** Whether the answer to it tells something about the client's token. */
const tells = ({ authenticated, bearer }: HttpCall): boolean => authenticated !== false && bearer === undefined;

function notAttempted(where: string, error: TenantryError): TenantryError {
  const { code, fix } = error;
  const text = `${where}: not attempted, since the platform did not answer: ${withoutFix(error)}`;
  return new TenantryError(code, text, { fix });
}

const notBegun = (where: string): TenantryError =>
  new TenantryError("cancelled", `${where}: not attempted, since the run was cancelled.`);

/** The refusal of a token, after an attempt that may have had its effect. */
function told(error: TenantryError, lost: boolean): TenantryError {
  return lost ? new TenantryError(error.code, withoutFix(error), { ...error, afterLostReply: true }) : error;
}

function withoutFix({ message, fix }: TenantryError): string {
  return fix ? message.slice(0, -fix.length - 1) : message;
}

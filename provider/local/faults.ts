import type { Context, MiddlewareHandler } from "hono";
import { setTimeout as wait } from "node:timers/promises";
import { TenantryError } from "../platform/errors";
import { ApiProblem } from "./problem";

/** Milliseconds added before an answer: to every one, or to those of the Platform API (control) and of SQL (data). */
export type Latency = number | { readonly control?: number; readonly data?: number };

/** Troubles on request, so that programs can be tried against them. */
export interface FaultOptions {
  readonly latency: Latency;
  /** Platform API calls a second, in bursts of at most as many; more are answered 429. Undefined: no limit. */
  readonly rate: number | undefined;
  /** Share of Platform API calls that fail, from 0 to 1. */
  readonly fail: number;
  /** What decides which ones: the same calls in the same order fail in the same way. */
  readonly seed: number;
}

/** Refuses numbers that mean nothing. */
export function requireFaults({ latency, rate = 1, fail, seed }: FaultOptions): void {
  const delays = typeof latency === "number" ? [latency] : Object.values(latency);
  const wrong = [
    delays.every((ms) => Number.isFinite(ms) && ms >= 0) ? "" : "latency: it must be 0 or more, in milliseconds.",
    Number.isFinite(rate) && rate > 0 ? "" : "rate: it must be more than 0, in calls a second.",
    fail >= 0 && fail <= 1 ? "" : "fail: it must be from 0 to 1.",
    Number.isSafeInteger(seed) && seed >= 0 ? "" : "seed: it must be a whole number.",
  ].find((problem) => problem !== "");
  if (wrong !== undefined) throw new TenantryError("invalid-input", wrong);
}

/** In the order in which they are to be used. */
export function faults({ latency, rate, fail, seed }: FaultOptions): MiddlewareHandler[] {
  return [
    ...(latency === 0 ? [] : [delay(latency)]),
    ...(rate === undefined ? [] : [limit(createRateLimit(rate))]),
    ...(fail > 0 ? [breakdown(createFaultPlan(fail, seed))] : []),
  ];
}

function isControl(c: Context): boolean {
  return /^\/v[12]\/(?:organizations|auth|locations)(?:\/|$)/.test(c.req.path);
}

function delay(latency: Latency): MiddlewareHandler {
  const { control = 0, data = 0 } = typeof latency === "number" ? { control: latency, data: latency } : latency;
  return async (c, next) => {
    await wait(isControl(c) ? control : data);
    await next();
  };
}

/** Takes one call: 0 lets it pass, more is the seconds until the next one would. `now` is in milliseconds. */
export type RateLimit = () => number;

export function createRateLimit(perSecond: number, now: () => number = () => performance.now()): RateLimit {
  const most = Math.max(1, perSecond);
  let [left, at] = [most, now()];
  return () => {
    const present = now();
    left = Math.min(most, left + ((present - at) / 1000) * perSecond);
    at = present;
    if (left < 1) return (1 - left) / perSecond;
    left -= 1;
    return 0;
  };
}

function limit(take: RateLimit): MiddlewareHandler {
  return async (c, next) => {
    const seconds = isControl(c) ? take() : 0;
    if (seconds > 0) {
      // Turso documents neither the limit nor this header; RFC 9110 has whole seconds in it.
      const headers = { "retry-after": String(Math.ceil(seconds)) };
      throw new ApiProblem(429, "too many requests: the rate limit asked for is reached", undefined, headers);
    }
    await next();
  };
}

/** How one call fails: before it takes effect, with a status, or after it, its answer lost with the connection. */
export type Fault = 500 | 503 | "lost reply";

/** The fate of each call in turn, decided by the seed alone. */
export function createFaultPlan(share: number, seed: number): () => Fault | undefined {
  const random = numbers(seed);
  return () => {
    // Three numbers a call whatever comes of it, so that the share changes how many fail, not which ones fail how.
    const [whether, when, how] = [random(), random(), random()];
    if (whether >= share) return undefined;
    return when < 0.5 ? "lost reply" : how < 0.5 ? 500 : 503;
  };
}

function breakdown(next: () => Fault | undefined): MiddlewareHandler {
  return async (c, proceed) => {
    const fault = isControl(c) ? next() : undefined;
    if (typeof fault === "number") throw new ApiProblem(fault, "a failure that was asked for: nothing was done");
    await proceed();
    if (fault === undefined) return;
    // The node server's own request: nothing else can end a connection in the middle.
    const { incoming } = c.env as { incoming?: { readonly socket?: { destroy(): void } } };
    incoming?.socket?.destroy();
  };
}

/** The generator mulberry32 (public domain): small, and the same on every machine. From 0 up to 1. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

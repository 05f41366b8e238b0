import { createHttpClient } from "../../provider/http/client";
import type { Clock } from "../../provider/http/clock";
import { laneFor } from "../../provider/http/lane";
import { freshToken, withScriptedServer } from "./scripted-server";
import { simulatedClock } from "./simulated-clock";

/** Whether a request that arrives now (in ms) is served, or what its 429 says. */
export type Rule = (now: number) => "served" | "refused" | { readonly retryAfter: number };

/** So many requests a second, and `burst` at once. `patience`: 429 says after how many seconds to come back. */
export function fixedRate(perSecond: () => number, burst: number, patience?: number): Rule {
  let tokens = burst;
  let last = 0;
  return (now) => {
    tokens = Math.min(burst, tokens + ((now - last) * perSecond()) / 1_000);
    last = now;
    // Sums of parts of a token are not exact.
    if (tokens < 1 - 1e-6) return patience === undefined ? "refused" : { retryAfter: patience };
    tokens -= 1;
    return "served";
  };
}

/**
 * TenantsDB's documented rule: more than 100 requests in a second are violations, and five of them close the address for
 * five minutes, in which every request is answered 429, without Retry-After.
 */
export function withBans(): Rule & { readonly bans: number[] } {
  const bans: number[] = [];
  let arrivals: number[] = [];
  let violations = 0;
  const rule: Rule = (now) => {
    if (now < (bans.at(-1) ?? -Infinity) + 300_000) return "refused";
    arrivals = [...arrivals.filter((at) => at > now - 1_000), now];
    if (arrivals.length <= 100) return "served";
    violations += 1;
    if (violations < 5) return "refused";
    violations = 0;
    bans.push(now);
    return "refused";
  };
  return Object.assign(rule, { bans });
}

export interface RatedRun {
  readonly statuses: number[];
  /** When each request arrived, in ms, and whether it was served. */
  readonly arrivals: readonly { readonly at: number; readonly served: boolean }[];
  /** From the first request to the last answer, in ms. */
  readonly time: number;
}

export interface RatedLoad {
  readonly calls: number;
  /** Of an answer that does what was asked, in ms; a refusal takes 2. */
  readonly latency: number;
  readonly concurrency?: number;
  readonly perSecond?: number;
  /** Processes that share the rate without knowing of each other; the calls are spread over them. Default 1. */
  readonly processes?: number;
}

/** That many calls at once, by the real client over real HTTP to a server with this rule, in simulated time. */
export async function runAgainst(rule: Rule, load: RatedLoad, began?: (clock: Clock) => void): Promise<RatedRun> {
  const { calls, latency, concurrency = 32, perSecond, processes = 1 } = load;
  const tokens = Array.from({ length: processes }, freshToken);
  const arrivals: { at: number; served: boolean }[] = [];
  let held = 0;
  let origin = "";
  const running = (): number[] => tokens.map((token) => laneFor(origin, token, concurrency, clock).limiter.running);
  const clock: Clock = simulatedClock(() => running().reduce((sum, of) => sum + of, 0) > held);
  const hold = async (ms: number): Promise<void> => {
    held += 1;
    await clock.sleep(ms);
    held -= 1;
  };
  const answer = async () => {
    const verdict = rule(clock.now());
    arrivals.push({ at: clock.now(), served: verdict === "served" });
    await hold(verdict === "served" ? latency : 2);
    if (verdict === "served") return { json: {} };
    const headers = typeof verdict === "object" ? { "retry-after": String(verdict.retryAfter) } : undefined;
    return { status: 429, headers, json: { error: "slow down" } };
  };
  return withScriptedServer(answer, async ({ url }) => {
    origin = new URL(url).origin;
    // A limiter for each token: so they are as processes to each other.
    const clients = tokens.map((token) => createHttpClient({ baseUrl: url, token, concurrency, perSecond, clock }));
    began?.(clock);
    const sent = Array.from({ length: calls }, (_, n) =>
      clients[n % processes]!.send({ method: "GET", path: "/things" }),
    );
    const answers = await Promise.all(sent);
    return { statuses: answers.map(({ status }) => status), arrivals, time: clock.now() };
  });
}

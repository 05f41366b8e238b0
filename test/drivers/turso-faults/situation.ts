import type { ErrorCode } from "../../../provider/platform/errors";
import type { ScriptedReply, ScriptedRequest } from "../../support/scripted-server";
import type { VirtualClock } from "../../support/virtual-clock";
import type { Call, Kind } from "./calls";

/** "value", or an error's code; with "?" the error says that the call may have had its effect. */
export type Outcome = "value" | ErrorCode | `${ErrorCode}?`;

export interface Situation {
  readonly request: ScriptedRequest;
  /** Which request of the call this is, from 1. */
  readonly n: number;
  /** The true answer, with its effect. */
  readonly answer: () => ScriptedReply;
  readonly clock: VirtualClock;
  /** The platform is gone, until virtual time comes to `back`. */
  readonly stop: () => void;
}

export interface FaultColumn {
  readonly name: string;
  readonly meet: (situation: Situation) => ScriptedReply;
  readonly outcome: (call: Call) => Outcome;
  /** Most requests that a call may add to those it needs. Default 0. Where it waits for a database: `ready` below. */
  readonly extra?: number;
  /** Virtual ms that a call takes at least and at most. */
  readonly time: readonly [least: number, most: number];
  readonly server?: "tls" | "first connection unread" | "connections unread" | "away";
  /** When a platform that is away comes back, in virtual ms. Default: never. */
  readonly back?: number;
  /** A success means nothing: the platform lies. */
  readonly lies?: boolean;
}

/** Attempts of `defaultRetryPolicy`, written out: a change is to be seen here too. */
export const attempts = { usual: 5, outage: 12, unreadable: 3, silent: 3 };
export const budget = 90_000;
export const oneAttempt = 30_000;
/** `ready` waits no longer than its default deadline. */
export const deadline = 60_000;
/** The longest of what backoff adds to a call of few attempts. */
export const brief = 5_000;
export const readyRequests = 45;

/** By kind, `others` for those that are not named. Calls without I/O always succeed. */
export type Outcomes = { readonly others: Outcome } & { readonly [K in Exclude<Kind, "pure">]?: Outcome };
export const by =
  (outcomes: Outcomes) =>
  ({ kind }: Call): Outcome =>
    kind === "pure" ? "value" : (outcomes[kind] ?? outcomes.others);
export const value = by({ others: "value" });
/** The first attempt failed without an effect, and nobody can tell: what may not happen twice is not tried twice. */
export const before = (code: ErrorCode) => by({ others: "value", "sql-write": `${code}?` });
/** The same with its effect: a create finds its own name taken. */
export const after = (code: ErrorCode) => by({ others: "value", create: "already-exists?", "sql-write": `${code}?` });
export const always = (outcome: Outcome, more: Partial<Outcomes> = {}) =>
  by({ others: outcome, ready: "not-ready", ...more });

export const drop: ScriptedReply = { fault: "drop" };
export const json = (status: number, error: string, headers: Record<string, string> = {}): ScriptedReply => ({
  status,
  headers,
  json: { error },
});
export const first =
  (fault: (situation: Situation) => ScriptedReply) =>
  (situation: Situation): ScriptedReply =>
    situation.n === 1 ? fault(situation) : situation.answer();
/** What a broken platform says repeats what it was sent, for the worst. */
export const echo = ({ headers }: ScriptedRequest): string => {
  const sent = String(headers.authorization);
  return `oops, you sent ${sent}, that is ${sent.split(" ")[1]}`;
};
export const html = ({ request }: Situation): ScriptedReply => ({ text: `<html>${echo(request)}</html>` });
export const silent = ({ clock }: Situation): ScriptedReply => (clock.ring(), drop);
/** The true answer with at least so much text that half of it is not whole. */
export const cut = (situation: Situation, fault: "truncate" | "cut" | "stall"): ScriptedReply => {
  const { json: body } = situation.answer();
  const onSent = fault === "stall" ? () => situation.clock.ring() : undefined;
  return { text: JSON.stringify(body ?? { done: true }), fault, onSent };
};
export const isSql = ({ request }: Situation): boolean => request.path.startsWith("/db/");
export const isList = ({ request }: Situation): boolean =>
  request.method === "GET" && request.path.endsWith("/databases");

/** The answer with each value that is no object or list put through `change`. */
export function changed(reply: ScriptedReply, change: (value: unknown, key: string) => unknown): ScriptedReply {
  const text = JSON.stringify(reply.json ?? {}, (key, value: unknown) =>
    typeof value === "object" && value !== null ? value : change(value, key),
  );
  return { json: JSON.parse(text) as unknown };
}
export const lying = (outcome: (call: Call) => Outcome, requests = 0) =>
  ({ outcome, extra: requests, time: [0, brief], lies: true }) as const;
export const notUnderstood =
  (accepted: (call: Call) => boolean) =>
  (call: Call): Outcome =>
    call.kind === "pure" || accepted(call) ? "value" : call.kind === "ready" ? "not-ready" : "bad-answer?";
export const httpDate = (ms: number): string => new Date(Date.now() + ms).toUTCString();

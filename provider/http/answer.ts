import { TenantryError } from "../platform/errors";
import type { Answer } from "./exchange";
import { excerpt, redact } from "./redact";

export interface HttpAnswer {
  /** Method, host and path, for messages. */
  readonly where: string;
  readonly status: number;
  /** The JSON value; undefined if the answer was empty, or was no JSON (possible for failures only). */
  readonly body: unknown;
  /** What the platform says about a failure, without secrets; empty for a success that speaks of no error. */
  readonly problem: string;
  /** The platform's machine-readable word for a failure, where it sends one. */
  readonly problemCode: string | undefined;
  readonly requestId: string | undefined;
  /** When the platform asks to be called again, in ms from its answer. */
  readonly retryAfter: number | undefined;
  /** An earlier attempt of this call may have taken effect. */
  readonly afterLostReply: boolean;
}

export interface AnswerContext {
  readonly where: string;
  /** An earlier attempt may have taken effect. */
  readonly lost: boolean;
  /** Values that no text for people may hold. */
  readonly secrets: readonly string[];
  readonly retryAfter: number | undefined;
}

/** Turns bytes into an answer; a TenantryError "bad-answer" where that cannot be done without guessing. */
export function readAnswer(reply: Answer, context: AnswerContext): HttpAnswer | TenantryError {
  const { where, lost, secrets } = context;
  const text = new TextDecoder().decode(reply.bytes);
  const { status } = reply;
  const requestId = requestIdOf(reply.headers);
  const common = { where, status, requestId, retryAfter: context.retryAfter, afterLostReply: lost };
  const bad = (what: string, fix: string, effect: boolean) =>
    new TenantryError("bad-answer", `${where} answered ${status} with ${what}: "${excerpt(text, 80, secrets)}".`, {
      fix,
      requestId,
      afterLostReply: lost || effect,
    });
  const checkAddress = "Check the API address, and for a proxy in between.";

  if (status >= 300 && status < 400) {
    const target = excerpt(reply.headers.location ?? "nowhere", 200, secrets);
    return bad(`a redirect to ${target}, which is not followed`, checkAddress, false);
  }
  const json = parse(text);
  if (status < 300) {
    if (json === undefined && text.trim() !== "") {
      const html = /^\s*</.test(text);
      return html
        ? bad("HTML instead of JSON", checkAddress, true)
        : bad("text that is not whole JSON", "Try again; if it lasts, tell the platform's operator.", true);
    }
    if (isRecord(json) && json.error) return { ...common, body: json, ...problemOf(json, text, secrets) };
    return { ...common, body: json, problem: "", problemCode: undefined };
  }
  // Absence is believed only in the platform's own words: a proxy's "page not found" is not a database that is gone.
  if (status === 404 && !isRecord(json)) return bad("something that is not JSON", checkAddress, false);
  return { ...common, body: json, ...problemOf(json, text, secrets) };
}

function problemOf(json: unknown, text: string, secrets: readonly string[]) {
  const error = isRecord(json) ? (json.error ?? json.message) : json;
  const nested = isRecord(error) ? (error.message ?? error) : error;
  const code = isRecord(json) ? json.code : undefined;
  const words = typeof nested === "string" ? nested : nested == null ? text : JSON.stringify(nested);
  return {
    problem: excerpt(/^\s*</.test(words) ? words.replace(/<[^>]*>/g, " ") : words, 400, secrets),
    problemCode: typeof code === "string" ? redact(code, secrets) : undefined,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function requestIdOf(headers: Record<string, string>): string | undefined {
  return headers["x-request-id"] ?? headers["request-id"] ?? headers["fly-request-id"] ?? headers["cf-ray"];
}

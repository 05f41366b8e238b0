import type { HttpAnswer } from "../../http/answer";
import { type ErrorCode, TenantryError } from "../../platform/errors";

/** What was being done, for the message and for telling apart answers that only the call explains. */
export interface Attempt {
  /** E.g. `create database "acme"`. */
  readonly doing: string;
  readonly kind: "look" | "create" | "token" | "branch";
}

const taken = /already (?:exists|taken|in use)|\btaken\b|duplicate|unique/i;

/** PerSQL's failures by name (PerSQL docs: errors and limits). */
export function problemOf(answer: HttpAnswer, { doing, kind }: Attempt): TenantryError {
  const { status, problem, requestId, afterLostReply } = answer;
  const code = codeOf(answer, kind);
  const said = problem ? `: ${problem.replace(/[.\s]+$/, "")}` : "";
  const what =
    status === 402
      ? `Could not ${doing}: the namespace's prepaid balance is used up (402${said}).`
      : `Could not ${doing} (${status}${said}).`;
  return new TenantryError(code, what, {
    fix: fixOf(code, answer),
    platformText: problem || undefined,
    requestId,
    afterLostReply: afterLostReply || code === "unavailable",
  });
}

function codeOf({ status, problem }: HttpAnswer, kind: Attempt["kind"]): ErrorCode {
  if (status === 401) return "credentials-rejected";
  if (status === 402) return "plan-refused";
  if (status === 403) return "forbidden";
  if (status === 404) return "database-not-found";
  if (status === 429) return "rate-limited";
  if (status === 408 || status >= 500) return "unavailable";
  // A taken slug is 409 or ignored; no page says which.
  if (kind === "create" && (status === 409 || taken.test(problem))) return "already-exists";
  return "invalid-input";
}

function fixOf(code: ErrorCode, { problem, retryAfter, afterLostReply }: HttpAnswer): string {
  switch (code) {
    case "plan-refused":
      return "Top the balance up in PerSQL's console; nothing was done.";
    case "forbidden":
      return /namespace/i.test(problem)
        ? "Use a token of this namespace: every PerSQL token belongs to one."
        : "Use an admin token of the namespace that is limited to no database and no table.";
    case "database-not-found":
      return "Check its name, and whether it was deleted meanwhile.";
    case "rate-limited":
      return `Try again ${retryAfter ? `in ${Math.ceil(retryAfter / 1000)} s` : "later"}, or lower tenantry:concurrency.`;
    case "already-exists":
      return afterLostReply
        ? "Look whose it is: an attempt whose reply was lost may have made it."
        : "Choose another name, or take over what has it.";
    case "unavailable":
      return "Try again; if it lasts, see the platform's status page.";
    default:
      return "Correct what the platform objects to.";
  }
}

/** What no call with a bearer token can do. */
export const unsupported = (what: string, fix: string): TenantryError =>
  new TenantryError("unsupported", `PerSQL ${what}.`, { fix });

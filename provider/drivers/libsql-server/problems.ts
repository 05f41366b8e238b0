import type { HttpAnswer } from "../../http/answer";
import { type ErrorCode, TenantryError } from "../../platform/errors";

/** The server's failures by name. Its statuses are few, so that its words decide (libSQL: libsql-server/src/error.rs). */
export function problemOf(answer: HttpAnswer, doing: string): TenantryError {
  const code = codeOf(answer);
  const said = (answer.problem || "no explanation").replace(/[.\s]+$/, "");
  return new TenantryError(code, `Could not ${doing}: ${said} (${answer.status}).`, {
    fix: fixes[code]?.(answer),
    platformText: answer.problem || undefined,
    requestId: answer.requestId,
    afterLostReply: answer.afterLostReply || code === "unavailable",
  });
}

function codeOf({ status, problem }: HttpAnswer): ErrorCode {
  if (status === 401) return "credentials-rejected";
  if (status === 402) return "plan-refused";
  if (status === 403) return "forbidden";
  if (status === 429) return "rate-limited";
  if (/backup service not configured/i.test(problem)) return "unsupported";
  if (status === 408 || status >= 500) return "unavailable";
  return /already exists/i.test(problem) ? "already-exists" : "invalid-input";
}

const fixes: Partial<Record<ErrorCode, (answer: HttpAnswer) => string>> = {
  "invalid-input": () => "Correct what the server objects to.",
  forbidden: () => "Check what stands before the server's admin API.",
  "plan-refused": () => "Check what stands before the server's admin API.",
  "already-exists": ({ afterLostReply }) =>
    afterLostReply
      ? "Look whose it is: an attempt whose reply was lost may have made it."
      : "Choose another name, or take over what has it.",
  unsupported: () => "Start the server with --enable-bottomless-replication, or leave the timestamp out.",
  "rate-limited": () => "Try again later, or lower tenantry:concurrency.",
  unavailable: () => "Try again; if it lasts, see the server's log.",
};

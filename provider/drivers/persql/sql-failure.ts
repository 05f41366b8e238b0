import type { HttpAnswer } from "../../http/answer";
import { type ErrorCode, SqlError, TenantryError } from "../../platform/errors";
import { sqlDetail, unexpected } from "./wire";

/** PerSQL docs, errors: kinds of what SQLite refuses, in SQLite's own codes. */
const codes: Record<string, string> = {
  unique_violation: "SQLITE_CONSTRAINT",
  not_null_violation: "SQLITE_CONSTRAINT",
  fk_violation: "SQLITE_CONSTRAINT",
  check_violation: "SQLITE_CONSTRAINT",
  database_locked: "SQLITE_BUSY",
  readonly: "SQLITE_READONLY",
  too_many_params: "SQLITE_RANGE",
  type_mismatch: "SQLITE_MISMATCH",
};

/** What SQLite refused, as an SqlError; what PerSQL refused, as a TenantryError. */
export function sqlFailure(answer: HttpAnswer, host: string): Error {
  const { status, problem, requestId, afterLostReply, retryAfter } = answer;
  const detail = sqlDetail.safeParse(answer.body).data?.detail;
  const isSql = detail !== undefined || [400, 409, 422].includes(status);
  if (isSql) return new SqlError(problem, codes[detail?.kind ?? ""] ?? codeOf(problem), undefined);
  if (status < 300) return unexpected(answer, `a success and an error at once: "${problem}"`);
  const said = problem ? `: ${problem.replace(/[.\s]+$/, "")}` : "";
  const failure = (code: ErrorCode, what: string, fix: string, effect = false): TenantryError =>
    new TenantryError(code, `${host} ${what} (${status}${said}).`, {
      fix,
      platformText: problem || undefined,
      requestId,
      afterLostReply: afterLostReply || effect,
    });
  if (status === 401)
    return failure(
      "credentials-rejected",
      "refuses the token",
      "Check that the token is for this database and has not expired.",
    );
  if (status === 402)
    return failure(
      "plan-refused",
      "answers nothing, for the prepaid balance is used up",
      "Top it up in PerSQL's console.",
    );
  if (status === 403)
    return failure(
      "forbidden",
      "refuses",
      "Check what the token may do: minted ones change no tables, and open one database.",
    );
  if (status === 404)
    return failure(
      "not-ready",
      "knows no such database, or not yet",
      "Try again in a minute; if it lasts, check that the database exists.",
    );
  if (status === 429)
    return failure(
      "rate-limited",
      "is asked too often",
      `Try again ${retryAfter ? `in ${Math.ceil(retryAfter / 1000)} s` : "later"}.`,
    );
  if (status === 408 || status >= 500) return failure("unavailable", "is in trouble", "Try again later.", true);
  return failure("bad-answer", "answers what is no answer", "Check tenantry:apiUrl, and for a proxy in between.");
}

/** Where no kind was sent, SQLite's own words tell. */
function codeOf(problem: string): string {
  if (/\bdatabase is locked\b|SQLITE_BUSY/i.test(problem)) return "SQLITE_BUSY";
  return /\bconstraint failed\b/i.test(problem) ? "SQLITE_CONSTRAINT" : "SQLITE_ERROR";
}

export function notReadyError(host: string, deadline: number, last: TenantryError): TenantryError {
  const fix = last.fix ?? "Try again; if it lasts, see the platform's status page.";
  const what = last.fix ? last.message.slice(0, -last.fix.length - 1) : last.message;
  return new TenantryError(
    "not-ready",
    `${host} did not answer SQL within ${Math.round(deadline / 100) / 10} s. Last: ${what}`,
    { fix, cause: last },
  );
}

export const closedError = (host: string): Error => new Error(`${host}: the connection was closed by this program.`);

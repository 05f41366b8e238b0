import type { HttpAnswer } from "../../http/answer";
import { type ErrorCode, TenantryError } from "../../platform/errors";

/** What was being done, for the message and for telling apart answers that only the call explains. */
export interface Attempt {
  /** E.g. `create database "acme"`. */
  readonly doing: string;
  readonly kind: "look" | "create-database" | "create-group" | "change" | "delete" | "token" | "directory";
  readonly organization: string;
}

/**
 * The Platform API's failures by name: status where it is reliable, else the text, which the docs, the CLI and users'
 * reports give in several forms (a taken name is 400, 409 or 422). The first rule that fits decides.
 */
export function problemOf(answer: HttpAnswer, attempt: Attempt): TenantryError {
  const code = codeOf(answer, attempt);
  const said = answer.problem || "no explanation";
  const overloaded = answer.status >= 500 || answer.status === 408;
  return new TenantryError(code, `Could not ${attempt.doing}: ${sentence(said)} (${answer.status}).`, {
    fix: fixes[code]?.(attempt, answer),
    platformText: answer.problem || undefined,
    requestId: answer.requestId,
    afterLostReply: answer.afterLostReply || overloaded,
  });
}

/** True for the platform's own word that the thing asked about is not there; a missing organization is a failure. */
export function isAbsent(answer: HttpAnswer): boolean {
  return answer.status === 404 && !aboutOrganization.test(answer.problem);
}

const aboutOrganization = /^(?:could not find |no such |unknown |the )*organi[sz]ation\b(?!-)/i;
const notFound = /not found|not exist|could not find|no such|unknown|record not found/i;
const plan =
  /\bplans?\b|quota|upgrade|billing|payment|subscri|overage|limit (?:is |was |has been )?(?:reached|exceeded)|maximum number/i;
const taken = /already (?:exists|taken|in use)|same name|\bname\b.{0,80}(?:not available|unavailable|taken)|duplicate/i;
const alreadyMember = /already (?:a member|invited)/i;
const protection = /delet\w*[ _-]?protect|protected/i;
const unsupported = /not supported|unsupported|does not support/i;
const badName = /invalid|must|only|contain|character|too (?:long|short)|lowercase/i;

function codeOf({ status, problem, problemCode }: HttpAnswer, { kind }: Attempt): ErrorCode {
  if (status === 401) return "credentials-rejected";
  if (status === 429) return "rate-limited";
  if (status === 408 || status >= 500) return "unavailable";
  if (status === 402 || /plan|quota/i.test(problemCode ?? "")) return "plan-refused";
  if (status === 404) return missing(problem, kind);
  const text = withoutNames(problem);
  if (status === 403) return protection.test(text) ? "protected" : plan.test(text) ? "plan-refused" : "forbidden";
  if (kind === "create-database" || kind === "create-group") {
    if (status === 409 || taken.test(problem)) return "already-exists";
    if (kind === "create-group" && /location|region/i.test(text)) return "unknown-location";
    // The CLI reads every 422 on create as "name not available"; an invalid name says so in words.
    if (status === 422 && !badName.test(text) && !plan.test(text)) return "already-exists";
  }
  if (kind === "directory" && (status === 409 || taken.test(problem) || alreadyMember.test(problem)))
    return "already-exists";
  if (protection.test(text)) return "protected";
  if (kind === "create-database" && notFound.test(text)) {
    return /\bgroup\b/i.test(text) ? "group-not-found" : "database-not-found";
  }
  if (unsupported.test(text)) return "unsupported";
  return plan.test(text) ? "plan-refused" : "invalid-input";
}

function missing(problem: string, kind: Attempt["kind"]): ErrorCode {
  if (aboutOrganization.test(problem)) return "organization-not-found";
  const text = withoutNames(problem);
  if (kind === "create-group") return /location|region/i.test(text) ? "unknown-location" : "organization-not-found";
  if (kind === "create-database" && !/database/i.test(text)) return "group-not-found";
  if (kind === "directory") return /\bgroup\b/i.test(text) ? "group-not-found" : "user-not-found";
  return /\bgroup\b/i.test(text) && !/database/i.test(text) ? "group-not-found" : "database-not-found";
}

/** A database may well be called "group-a": names after "with name", and in quotes, say nothing about the kind. */
function withoutNames(problem: string): string {
  return problem.replace(/with name \S+|"[^"]*"|'[^']*'|`[^`]*`/g, " ");
}

function sentence(text: string): string {
  return text.replace(/[.\s]+$/, "");
}

const fixes: Partial<Record<ErrorCode, (attempt: Attempt, answer: HttpAnswer) => string>> = {
  "invalid-input": () => "Correct what the platform objects to.",
  // The API token has its own words; this is an answer to a call that needs none.
  "credentials-rejected": () => "Check tenantry:apiUrl: this call needs no token.",
  forbidden: ({ organization }) =>
    `Use an API token that may do this in organization "${organization}", and check that its owner is a member.`,
  "plan-refused": () => "Upgrade the plan or free what counts against it.",
  "organization-not-found": ({ organization }) =>
    `Check tenantry:organization ("${organization}"): it is the slug, which the platform's dashboard shows in its address.`,
  "user-not-found": () => "Check the username: it is that of the person's account on the platform.",
  "database-not-found": () => "Check its name, and whether it was deleted meanwhile.",
  "unknown-location": () => "Use a location that the platform offers.",
  "already-exists": (_, { afterLostReply }) =>
    afterLostReply
      ? "Look whose it is: an attempt whose reply was lost may have made it."
      : "Choose another name, or take over what has it.",
  unsupported: () => "Leave out what the platform does not support.",
  "group-not-found": () => "Create the group first, or correct its name.",
  protected: () => "Turn delete protection off first.",
  "rate-limited": (_, { retryAfter }) =>
    `Try again ${retryAfter ? `in ${Math.ceil(retryAfter / 1000)} s` : "later"}, or lower tenantry:concurrency.`,
  unavailable: () => "Try again; if it lasts, see the platform's status page.",
};

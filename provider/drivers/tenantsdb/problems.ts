import type { HttpAnswer } from "../../http/answer";
import { type ErrorCode, TenantryError } from "../../platform/errors";

/** What was being done, for the message and for telling apart answers that only the call explains. */
export interface Attempt {
  /** E.g. `create tenant "acme"`. */
  readonly doing: string;
  readonly kind: "look" | "create" | "change" | "delete" | "query";
}

/** A refusal by TenantsDB, with what only this driver looks at. */
export class Refused extends TenantryError {
  /** It was refused for the state that the thing is in, not for good. */
  readonly wrongState: boolean;

  constructor(code: ErrorCode, what: string, details: ConstructorParameters<typeof TenantryError>[2], wrong: boolean) {
    super(code, what, details);
    this.wrongState = wrong;
  }
}

/**
 * TenantsDB docs, error codes: the status and `code` say what kind of refusal it is. One pair is told apart by its text
 * alone: a name that a live tenant has, and one whose tenant is in the trash.
 */
export function problemOf(answer: HttpAnswer, { doing, kind }: Attempt): Refused {
  const { status, problem } = answer;
  const code = codeOf(answer, kind);
  const said = problem || "no explanation";
  const overloaded = status >= 500 || status === 408;
  const details = {
    fix: fixes[code]?.(answer),
    platformText: problem || undefined,
    requestId: answer.requestId,
    afterLostReply: answer.afterLostReply || overloaded,
  };
  const what = `Could not ${doing}: ${said.replace(/[.\s]+$/, "")} (${status}).`;
  return new Refused(code, what, details, status === 409 && code === "not-ready");
}

const plan = /\b(?:plans?|tier)\b|quota|upgrade|billing|limit (?:is |was |has been )?(?:reached|exceeded)/i;
const trash = /\btrash|soft[- ]deleted/i;

function codeOf({ status, problem, problemCode = "" }: HttpAnswer, kind: Attempt["kind"]): ErrorCode {
  if (status === 401) return "credentials-rejected";
  if (status === 429) return "rate-limited";
  if (status === 408 || status >= 500) return "unavailable";
  if (status === 402) return "plan-refused";
  if (status === 403) {
    const byRight = /^(?:role_required|scope_denied|permission_denied)$/.test(problemCode);
    return !byRight && plan.test(problem) ? "plan-refused" : "forbidden";
  }
  if (status === 404) return "database-not-found";
  if (status === 409) {
    if (kind !== "create") return "not-ready";
    return trash.test(problem) ? "in-trash" : "already-exists";
  }
  return "invalid-input";
}

const fixes: Partial<Record<ErrorCode, (answer: HttpAnswer) => string>> = {
  "invalid-input": () => "Correct what the platform objects to.",
  "credentials-rejected": () => "Check tenantry:apiUrl: this call needs no key.",
  forbidden: () => "Use an API key of this project whose role and scope allow it.",
  "plan-refused": () => "Upgrade the plan, or use isolation L1.",
  "database-not-found": () => "Check its name, and whether it was deleted meanwhile.",
  "already-exists": ({ afterLostReply }) =>
    afterLostReply
      ? "Look whose it is: an attempt whose reply was lost may have made it."
      : "Choose another name, or take over what has it.",
  "in-trash": () =>
    'Bring it back with adopt: "restore", choose another name, or erase it for good with `DELETE /tenants/<id>?hard=true`.',
  "not-ready": () => "Wait until what is under way there has ended, then try again.",
  "rate-limited": () =>
    "Wait five minutes before anything else asks from this address: TenantsDB bans an address that goes on. Then lower tenantry:concurrency.",
  unavailable: () => "Try again; if it lasts, see the platform's status page.",
};

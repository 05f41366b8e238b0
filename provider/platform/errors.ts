/**
 * Every way an operation can fail, as one closed list. A driver turns its platform's answers into these names; nothing
 * above a driver looks at an HTTP status or at a platform's wording.
 */
export const errorCodes = {
  // Yours to fix.
  "invalid-input": "yours",
  "not-configured": "yours",
  "credentials-missing": "yours",
  "credentials-rejected": "yours",
  forbidden: "yours",
  "plan-refused": "yours",
  /** Its TLS certificate is not trusted, or it speaks no TLS that we do: nothing was sent. */
  "untrusted-host": "yours",
  "organization-not-found": "yours",
  "group-not-found": "yours",
  "database-not-found": "yours",
  /** Nobody on the platform has the account, or the organization has no such member. */
  "user-not-found": "yours",
  "unknown-location": "yours",
  "already-exists": "yours",
  /** What has the name was deleted, and can be brought back. */
  "in-trash": "yours",
  "not-owner": "yours",
  "wrong-scope": "yours",
  protected: "yours",
  unsupported: "yours",
  "needs-decision": "yours",
  "not-empty": "yours",
  expired: "yours",
  "too-many-removals": "yours",
  "migration-invalid": "yours",
  "migration-failed": "yours",
  // The platform's: trying again later may help.
  unreachable: "platform",
  "timed-out": "platform",
  "rate-limited": "platform",
  unavailable: "platform",
  "bad-answer": "platform",
  "not-ready": "platform",
  // Another, newer run is at work on the same stack.
  superseded: "platform",
  // Somebody ended the run before this was begun, or answered.
  cancelled: "platform",
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  /** What the reader should do about it: one sentence, imperative. */
  readonly fix?: string;
  /** The platform's own words, kept for the reader (plan and quota refusals say what to buy). */
  readonly platformText?: string;
  readonly requestId?: string;
  /** An earlier attempt of the same call may have taken effect: what "already-exists" found may be its doing. */
  readonly afterLostReply?: boolean;
  readonly cause?: unknown;
}

/** An error for people: what happened and where (`message`), what to do (`fix`). It never holds a secret. */
export class TenantryError extends Error {
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly platformText: string | undefined;
  readonly requestId: string | undefined;
  readonly afterLostReply: boolean;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(
      details.fix ? `${what} ${details.fix}` : what,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = "TenantryError";
    this.code = code;
    this.fix = details.fix;
    this.platformText = details.platformText;
    this.requestId = details.requestId;
    this.afterLostReply = details.afterLostReply ?? false;
  }

  /** "yours": the input or the set-up must change. "platform": the same call may succeed later. */
  get whose(): "yours" | "platform" {
    return errorCodes[this.code];
  }
}

/** True for a TenantryError with one of the codes named. */
export function hasCode(error: unknown, ...codes: ErrorCode[]): error is TenantryError {
  return error instanceof TenantryError && codes.includes(error.code);
}

/** What SQLite refused, in SQLite's words. */
export class SqlError extends Error {
  /** Such as "SQLITE_CONSTRAINT" or "SQL_PARSE_ERROR". */
  readonly code: string;
  /** Which statement of a batch failed, from 0; undefined where the client does not tell. */
  readonly statementIndex: number | undefined;

  constructor(message: string, code: string, statementIndex: number | undefined) {
    super(message);
    this.name = "SqlError";
    this.code = code;
    this.statementIndex = statementIndex;
  }
}

import { excerpt } from "../http/redact";
import type { Attempted } from "../http/retry";
import { retryAfter } from "../http/retry-after";
import { SqlError, TenantryError, hasCode } from "./errors";
import { isBatchError, isLibsqlError } from "./libsql-client";

/** An answer of a database's host that is no SQL answer. `judgeSqlFailure` puts it in words and keeps it as their cause. */
export class Refusal extends Error {
  readonly status: number;
  /** The answer's beginning, without secrets. */
  readonly text: string;
  readonly sqlCode: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(
    { status, body, retryAfter: wait }: { status: number; body: string; retryAfter: string | undefined },
    secret: string,
  ) {
    const { text, code } = readProblem(body);
    const shown = excerpt(text, 300, [secret]);
    super(shown);
    this.status = status;
    this.text = shown;
    this.sqlCode = code;
    this.retryAfter = retryAfter(wait, Date.now());
  }
}

/** The host says `{"error": text}`, the SQL server `{"message": text, "code": text}`, a proxy whatever it likes. */
function readProblem(body: string): { text: string; code: string | undefined } {
  try {
    const problem: unknown = JSON.parse(body);
    if (typeof problem !== "object" || problem === null) return { text: body, code: undefined };
    const said = "message" in problem ? problem.message : "error" in problem ? problem.error : undefined;
    const code = "code" in problem && typeof problem.code === "string" ? problem.code : undefined;
    return { text: typeof said === "string" ? said : body, code };
  } catch {
    return { text: body, code: undefined };
  }
}

export interface SqlFailure {
  /** What the caller is told. */
  readonly error: Error;
  /** What `decideRetry` judges by; undefined: final. */
  readonly result?: Attempted["result"];
  readonly retryAfter?: number | undefined;
  /** A database that is being set up may fail like this: `ready` goes on waiting. */
  readonly temporary: boolean;
  /** The database itself has spoken: it is there. */
  readonly answers: boolean;
}

/** Sorts whatever a call of the client threw. `host` is the database's address in the reader's words. */
export function judgeSqlFailure(thrown: unknown, host: string): SqlFailure {
  if (thrown instanceof Refusal) return judgeRefusal(thrown, host);
  if (thrown instanceof TenantryError) return judgePlatformError(thrown);
  const sqlError = thrown instanceof SqlError ? thrown : asSqlError(thrown);
  if (sqlError) {
    if (sqlError.code === blocked) return judgeBlocked(sqlError, host);
    const busy = sqlError.code.startsWith("SQLITE_BUSY");
    return {
      error: sqlError,
      // A busy database has rolled the transaction back, like a server that has no time.
      result: busy ? { status: 503 } : undefined,
      temporary: true,
      answers: false,
    };
  }
  const what = thrown instanceof Error ? excerpt(thrown.message, 80, []) : "unreadable";
  const error = new TenantryError("bad-answer", `${host}: what it answered is not the libSQL protocol (${what}).`, {
    fix: "Check tenantry:databaseUrl, and whether a proxy answers in the database's place.",
    afterLostReply: true,
    cause: thrown,
  });
  return { error, result: { unreadable: true }, temporary: true, answers: false };
}

const blocked = "BLOCKED";

/** The database refused because its reads or writes are blocked: this, or what led to this. */
export const isBlocked = (error: unknown): boolean =>
  error instanceof SqlError ? error.code === blocked : error instanceof Error && isBlocked(error.cause);

/** The refusal came from the database or its host; from the platform's API otherwise. */
export const isOfDatabase = (error: TenantryError): boolean =>
  error.cause instanceof Refusal || error.cause instanceof SqlError;

function judgeBlocked(cause: SqlError, host: string): SqlFailure {
  const fix = "Lift the block, or check the plan's quota.";
  const error = new TenantryError("forbidden", `${host}: ${cause.message}.`, {
    fix,
    platformText: cause.message,
    cause,
  });
  return { error, temporary: false, answers: true };
}

function judgeRefusal(refusal: Refusal, host: string): SqlFailure {
  const { status, text, sqlCode, retryAfter } = refusal;
  const said = text ? `: ${text}` : "";
  const words = { platformText: text || undefined, cause: refusal };
  const result = { status };
  const failure = (error: TenantryError, temporary: boolean): SqlFailure => ({
    error,
    result,
    retryAfter,
    temporary,
    answers: false,
  });
  if (status === 401) {
    const fix =
      "Check that the database was not created anew and that its group's tokens were not rotated a moment ago.";
    return failure(
      new TenantryError("credentials-rejected", `${host} refuses a token minted for it (401)${said}.`, {
        ...words,
        fix,
      }),
      false,
    );
  }
  if (status === 402) {
    const fix = "Upgrade the plan or free what counts against it.";
    return failure(
      new TenantryError("plan-refused", `${host} refuses by plan or quota (402)${said}.`, { ...words, fix }),
      false,
    );
  }
  if (status === 403) {
    const fix = "Check the database's allowed addresses and blocks.";
    return failure(new TenantryError("forbidden", `${host} refuses (403)${said}.`, { ...words, fix }), false);
  }
  if (status === 404) {
    const fix = "Try again in a minute; if it lasts, check that the database exists and tenantry:databaseUrl.";
    return failure(
      new TenantryError("not-ready", `${host} knows no such database, or not yet (404)${said}.`, { ...words, fix }),
      true,
    );
  }
  if (status === 429) {
    const fix = `Try again ${retryAfter ? `in ${Math.ceil(retryAfter / 1000)} s` : "later"}.`;
    return failure(
      new TenantryError("rate-limited", `${host} is asked too often (429)${said}.`, { ...words, fix }),
      true,
    );
  }
  if (status >= 500) {
    const details = { ...words, fix: "Try again later.", afterLostReply: true };
    return failure(new TenantryError("unavailable", `${host} is in trouble (${status})${said}.`, details), true);
  }
  if (sqlCode === blocked) return judgeBlocked(new SqlError(text, sqlCode, undefined), host);
  if (sqlCode) return { error: new SqlError(text, sqlCode, undefined), temporary: false, answers: false };
  const fix = "Check tenantry:databaseUrl, and whether a proxy answers in the database's place.";
  return failure(new TenantryError("bad-answer", `${host} answers ${status}${said}.`, { ...words, fix }), true);
}

function judgePlatformError(error: TenantryError): SqlFailure {
  if (!hasCode(error, "unreachable", "timed-out")) return { error, temporary: false, answers: false };
  const sent = error.afterLostReply;
  const kind = error.code === "timed-out" ? "timed-out" : sent ? "lost" : "refused";
  return { error, result: { fault: { kind, sent, text: error.message } }, temporary: true, answers: false };
}

/** The client wraps what SQLite said, and for a batch puts its code before the text twice; the innermost text is SQLite's. */
function asSqlError(thrown: unknown): SqlError | undefined {
  if (!isLibsqlError(thrown)) return undefined;
  const { cause } = thrown;
  const index = isBatchError(thrown) ? thrown.statementIndex : undefined;
  // Only an error that came in an answer has `proto`; the client's own (protocol, closed) have not.
  if (cause instanceof Error && "proto" in cause) return new SqlError(cause.message, thrown.code, index);
  return thrown.code === "TRANSACTION_CLOSED" ? new SqlError(thrown.message, thrown.code, index) : undefined;
}

export function notReadyError(host: string, deadline: number, last: Error): TenantryError {
  const seconds = Math.round(deadline / 100) / 10;
  const known = last instanceof TenantryError ? last.fix : undefined;
  const what = known ? last.message.slice(0, -known.length - 1) : last.message;
  return new TenantryError("not-ready", `${host} did not answer SQL within ${seconds} s. Last: ${what}`, {
    fix: known ?? "Try again; if it lasts, see the platform's status page.",
    cause: last,
  });
}

export function strangerError(url: string): TenantryError {
  return new TenantryError(
    "bad-answer",
    `A database's host sends its clients to another address, ${new URL(url).host}.`,
    { fix: "Check tenantry:databaseUrl." },
  );
}

export function closedError(host: string): Error {
  return new Error(`${host}: the connection was closed by this program.`);
}

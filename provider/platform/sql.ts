import { type Clock, systemClock } from "../http/clock";
import { decideRetry, defaultRetryPolicy } from "../http/retry";
import { createAuthorizedFetch } from "./authorized-fetch";
import { type TokenFor, createBearer } from "./bearer";
import { SqlError, TenantryError } from "./errors";
import { type Client, createClient } from "./libsql-client";
import { probe } from "./probe";
import { Refusal, closedError, judgeSqlFailure, notReadyError } from "./sql-failure";
import type { Sql, SqlResult } from "./sql-connection";
import { fromResult, toStatement } from "./sql-values";

export type { Row, Sql, SqlResult, SqlStatement } from "./sql-connection";
export { SqlError } from "./errors";

export interface SqlOptions {
  /** libsql:, https: or http:, with or without a path. */
  readonly url: string;
  readonly token: TokenFor;
  /** For one request, in ms. Default 30,000. */
  readonly timeout?: number;
  /** See `Capabilities`. Default true. */
  readonly comesBack?: boolean;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Attempts at a host where nobody answers and that does not come back by itself. */
const outageAttempts = 5;

const defaultTimeout = 30_000;
const defaultDeadline = 60_000;
/** Delays between two looks at a database that is not ready, in ms. */
const patience = { first: 50, longest: 2_000 };
/** One look at it, in ms: a host that swallows requests must not use up the whole deadline. */
const look = 10_000;

export function openSql(options: SqlOptions): Sql {
  const { url, token, timeout = defaultTimeout, comesBack = true, clock = systemClock } = options;
  const policy = comesBack ? defaultRetryPolicy : { ...defaultRetryPolicy, outageAttempts };
  const { origin, path } = addressOf(url);
  const host = `${origin.replace(/^https?:\/\//, "")}${path}`;
  const withBearer = createBearer(token);
  const authorized = createAuthorizedFetch(withBearer, clock);
  let opened: Client | undefined;
  // At first use: of many databases all that is asked is whether they are ready.
  const client = (): Client =>
    // Whole numbers arrive as bigint and are narrowed where nothing is lost: "number" would fail beyond 2^53.
    (opened ??= createClient({
      url,
      intMode: "bigint",
      async fetch(request: Request) {
        const { reply, bearer } = await authorized(request, timeout, origin);
        if (reply.ok) return reply;
        const wait = reply.headers.get("retry-after") ?? undefined;
        throw new Refusal({ status: reply.status, body: await reply.text(), retryAfter: wait }, bearer);
      },
    }));
  let closed = false;
  let answered = false;
  /** How long a call may wait for the first answer, in ms; undefined: it does not. */
  let patient: number | undefined;
  let waiting: Promise<void> | undefined;

  const run = async <Result>(
    call: () => Promise<Result>,
    idempotent: boolean,
    whenBusy: "wait" | "fail" = "wait",
  ): Promise<Result> => {
    let began = clock.now();
    for (let attempt = 1; ; attempt++) {
      if (closed) throw closedError(host);
      try {
        const result = await call();
        answered = true;
        return result;
      } catch (thrown) {
        const { error, result, retryAfter, temporary } = judgeSqlFailure(thrown, host);
        if (closed || !result) throw error;
        const isUndone = error instanceof TenantryError && !error.afterLostReply;
        if (
          patient !== undefined &&
          !answered &&
          temporary &&
          (isUndone || (idempotent && !(error instanceof SqlError)))
        ) {
          await ready(patient);
          [attempt, began] = [0, clock.now()];
          continue;
        }
        if (whenBusy === "fail" && error instanceof SqlError) throw error;
        const elapsed = clock.now() - began;
        const attempted = { method: "POST", idempotent, attempt, result, retryAfter, elapsed, random: Math.random() };
        const decision = decideRetry(attempted, policy);
        if (!decision.retry) throw error;
        await clock.sleep(decision.delay);
        if (clock.cancelled.aborted) throw error;
      }
    }
  };

  const wait = async (deadline: number): Promise<void> => {
    const until = clock.now() + deadline;
    let unheard = 0;
    let last: Error | undefined;
    for (let delay = patience.first; ; delay = Math.min(delay * 1.6, patience.longest)) {
      if (closed) throw closedError(host);
      if (last && clock.cancelled.aborted) throw last;
      let pause: number;
      try {
        const limit = Math.max(1, Math.min(timeout, look, until - clock.now()));
        await probe({ origin, path }, withBearer, { timeout: limit, clock });
        return void (answered = true);
      } catch (thrown) {
        const { error, result, temporary, answers, retryAfter } = judgeSqlFailure(thrown, host);
        // A database whose reads are blocked says so itself: it is there.
        if (answers) return void (answered = true);
        const isUnheard = result !== undefined && "fault" in result && !result.fault.sent;
        if (!temporary || (isUnheard && !comesBack && ++unheard >= outageAttempts)) throw error;
        last = error;
        pause = Math.max(delay, retryAfter ?? 0);
        if (clock.now() + pause >= until) throw notReadyError(host, deadline, error);
      }
      await clock.sleep(pause);
    }
  };

  const ready = async (deadline = defaultDeadline): Promise<void> => {
    if (answered) return;
    waiting ??= wait(deadline).finally(() => (waiting = undefined));
    await waiting;
  };

  return {
    jsonTables: true,
    execute: (statement, options) =>
      run(
        async () => fromResult(await client().execute(toStatement(statement))),
        options?.idempotent ?? /^\s*select\b/i.test(statement.sql),
      ),
    async batch(statements, mode, options) {
      if (statements.length === 0) return [];
      const bound = statements.map(toStatement);
      const off = mode === "write" && options?.foreignKeys === "off";
      const call = () => (off ? client().migrate(bound) : client().batch(bound, mode));
      const send = async (): Promise<SqlResult[]> => (await call()).map(fromResult);
      return run(send, options?.idempotent ?? mode === "read", options?.whenBusy);
    },
    ready,
    async expectReady(deadline = defaultDeadline) {
      patient = deadline;
    },
    close() {
      closed = true;
      opened?.close();
    },
  };
}

/** Where a database is; `path` without a slash at its end. */
export function addressOf(url: string): { origin: string; path: string } {
  const http = url.replace(/^libsql:/i, /[?&]tls=0\b/.test(url) ? "http:" : "https:");
  if (/^https?:/i.test(http) && URL.canParse(http)) {
    const { origin, pathname } = new URL(http);
    return { origin, path: pathname.replace(/\/$/, "") };
  }
  throw new TenantryError("invalid-input", "A database's address is not a libsql, https or http address.", {
    fix: "Correct tenantry:databaseUrl.",
  });
}

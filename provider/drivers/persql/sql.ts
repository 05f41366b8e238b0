import type { HttpAnswer } from "../../http/answer";
import type { Clock } from "../../http/clock";
import type { HttpClient } from "../../http/client";
import { decideRetry, defaultRetryPolicy } from "../../http/retry";
import { createBearer } from "../../platform/bearer";
import { SqlError, hasCode } from "../../platform/errors";
import type { OpenSqlOptions } from "../../platform/platform";
import type { Sql, SqlResult, SqlStatement } from "../../platform/sql-connection";
import { randomId } from "../../random-id";
import { unsupported } from "./problems";
import { closedError, notReadyError, sqlFailure } from "./sql-failure";
import { argumentOf, resultOf } from "./sql-values";
import { queryResult, read } from "./wire";

export interface PersqlSqlOptions extends OpenSqlOptions {
  /** Below the API's address: "/v1/db/<namespace>/<database>". */
  readonly path: string;
  readonly client: HttpClient;
  /** The same with one attempt a call. */
  readonly once: HttpClient;
  readonly clock: Clock;
}

/** PerSQL docs, batch: a transaction is one request, of so many statements. */
const maxStatements = 100;
/** PerSQL docs name the error "too_many_params", and no number; SQLite takes 100 where it runs (Cloudflare docs: limits of SQLite in Durable Objects). */
const maxArguments = 100;
const defaultDeadline = 60_000;
/** Delays between two looks at a database that is not ready, and the longest look, in ms. */
const patience = { first: 50, longest: 2_000, look: 10_000 };

type Query = { readonly sql: string; readonly params: readonly unknown[] };

/**
 * SQL over PerSQL's /v1/db. Each write has a key of its own (PerSQL docs: Idempotency-Key, kept for a day), by which it is
 * sent again after a lost reply and done once.
 */
export function openPersqlSql({ path, client, once, clock, token, signal }: PersqlSqlOptions): Sql {
  const host = client.where("", path).trim();
  const withBearer = token && createBearer(token);
  let closed = false;
  let answered = false;
  let waiting: Promise<void> | undefined;

  const send = async (via: HttpClient, at: string, body: unknown, timeout?: number): Promise<HttpAnswer> => {
    if (closed) throw closedError(host);
    signal?.throwIfAborted();
    const headers = { "idempotency-key": `tenantry-${randomId()}${randomId()}` };
    const call = { method: "POST", path: `${path}/${at}`, body, headers, idempotent: true, timeout } as const;
    const answer = withBearer
      ? (await withBearer((bearer) => via.send({ ...call, bearer }))).reply
      : await via.send(call);
    if (answer.status >= 300 || answer.problem) throw sqlFailure(answer, host);
    answered = true;
    return answer;
  };

  /** Waits for whoever keeps the database locked; its refusal has done nothing, so that the next try has another key. */
  const patiently = async <Result>(call: () => Promise<Result>, whenBusy: "wait" | "fail"): Promise<Result> => {
    const began = clock.now();
    for (let attempt = 1; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof SqlError) || !error.code.startsWith("SQLITE_BUSY") || whenBusy === "fail") throw error;
        const about = { method: "POST", idempotent: true, attempt, result: { status: 503 }, retryAfter: undefined };
        const elapsed = clock.now() - began;
        const decision = decideRetry({ ...about, elapsed, random: Math.random() }, defaultRetryPolicy);
        if (!decision.retry || clock.cancelled.aborted) throw error;
        await clock.sleep(decision.delay);
      }
    }
  };

  const query = async (statement: Query): Promise<SqlResult> =>
    resultOf(read(queryResult, await send(client, "query", statement)));

  const transaction = async (statements: readonly Query[]): Promise<SqlResult[]> => {
    const answer = await send(client, "batch", { statements, transaction: true });
    return read(queryResult.array().length(statements.length), answer).map(resultOf);
  };

  const wait = async (deadline: number): Promise<void> => {
    const until = clock.now() + deadline;
    for (let delay = patience.first; ; delay = Math.min(delay * 1.6, patience.longest)) {
      try {
        const limit = Math.max(1, Math.min(patience.look, until - clock.now()));
        return void read(queryResult, await send(once, "query", { sql: "SELECT 1", params: [] }, limit));
      } catch (error) {
        const temporary = [
          "not-ready",
          "unavailable",
          "unreachable",
          "timed-out",
          "rate-limited",
          "bad-answer",
        ] as const;
        if (!hasCode(error, ...temporary) || clock.cancelled.aborted) throw error;
        if (clock.now() + delay >= until) throw notReadyError(host, deadline, error);
      }
      await clock.sleep(delay);
    }
  };

  const ready = async (deadline = defaultDeadline): Promise<void> => {
    if (answered) return;
    waiting ??= wait(deadline).finally(() => (waiting = undefined));
    await waiting;
  };

  return {
    maxStatements,
    plainJson: { maxArguments },
    // PerSQL docs say nothing of pragmas; where it runs, a list is let through (workerd: util/sqlite.c++).
    fewPragmas: true,
    execute: (statement) => patiently(() => query(queryOf(statement)), "wait"),
    async batch(statements, mode, { foreignKeys = "kept", whenBusy = "wait" } = {}) {
      const all = statements.map(queryOf);
      if (mode === "read") {
        const results: SqlResult[] = [];
        for (let at = 0; at < all.length; at += maxStatements) {
          results.push(...(await patiently(() => transaction(all.slice(at, at + maxStatements)), whenBusy)));
        }
        return results;
      }
      if (foreignKeys === "off") {
        throw unsupported(
          `cannot switch foreign keys off for a transaction (${host})`,
          "Write the migration so that it holds with foreign keys on, without rebuilding a table that others refer to.",
        );
      }
      if (all.length > maxStatements) {
        throw unsupported(
          `runs at most ${maxStatements} statements in one transaction, and this one has ${all.length} (${host}); nothing of it was run`,
          "Split the migration into several files.",
        );
      }
      return all.length === 0 ? [] : patiently(() => transaction(all), whenBusy);
    },
    ready,
    expectReady: ready,
    close() {
      closed = true;
    },
  };
}

const queryOf = (statement: SqlStatement | string): Query =>
  typeof statement === "string"
    ? { sql: statement, params: [] }
    : { sql: statement.sql, params: statement.args.map(argumentOf) };

import { createHash } from "node:crypto";
import type { HttpAnswer } from "../../http/answer";
import { type Clock, systemClock } from "../../http/clock";
import { SqlError, TenantryError } from "../../platform/errors";
import type { BatchOptions, Sql, SqlResult, SqlStatement } from "../../platform/sql-connection";
import { postgresText } from "./postgres-text";

/** Runs one query in a workspace's database (TenantsDB docs: POST /workspaces/{id}/queries). */
export type RunQuery = (query: string, idempotent: boolean) => Promise<HttpAnswer>;

/** Begins every answer of our function: the docs do not say in which shape an answer shows rows. */
const mark = "tenantry:";

/** A text of JSON as a value that `markedIn` finds in an answer. */
export const marked = (json: string): string => `'${mark}' || encode(convert_to(${json}, 'UTF8'), 'hex')`;

/**
 * A batch as one statement: the API takes one text, and does not promise that several are one transaction. A function is
 * one. Like SQLite's writers, ours go one after the other. What a statement refuses is an answer, not a failure of
 * the query, so that it does not depend on how the API tells failures.
 */
const body = `
DECLARE
  one jsonb; found jsonb; changed bigint; at int := 0; results jsonb := '[]';
BEGIN
  BEGIN
    IF writes THEN PERFORM pg_advisory_xact_lock(7301); END IF;
    FOR one IN SELECT value FROM jsonb_array_elements(statements) LOOP
      found := '[]'; changed := 0;
      IF (one ->> 'reads')::boolean THEN
        EXECUTE 'SELECT coalesce(jsonb_agg(to_jsonb(rows)), ''[]'') FROM (' || (one ->> 'sql') || ') AS rows' INTO found;
      ELSE
        EXECUTE one ->> 'sql';
        GET DIAGNOSTICS changed = ROW_COUNT;
      END IF;
      results := results || jsonb_build_object('rows', found, 'changed', changed);
      at := at + 1;
    END LOOP;
  EXCEPTION WHEN OTHERS THEN
    RETURN ${marked("jsonb_build_object('error', SQLERRM, 'state', SQLSTATE, 'index', at)::text")};
  END;
  RETURN ${marked("jsonb_build_object('results', results)::text")};
END`;

/** Another text is another function, so that two releases of Tenantry do not take each other's away. */
const name = `tenantry_batch_${createHash("sha256").update(body).digest("hex").slice(0, 8)}`;

const definition = `CREATE OR REPLACE FUNCTION ${name}(statements jsonb, writes boolean) RETURNS text
LANGUAGE plpgsql SET standard_conforming_strings = on SET client_min_messages = error AS $tenantry$${body}$tenantry$`;

/** How often a batch is tried that met another one. */
const attempts = 6;

interface Reply {
  readonly results?: readonly { readonly rows: SqlResult["rows"]; readonly changed: number }[];
  readonly error?: string;
  readonly state?: string;
  readonly index?: number;
}

/** SQL on a PostgreSQL workspace, for statements as the registry has them (postgres-text.ts). `where`: for messages. */
export function postgresSql(run: RunQuery, where: string, clock: Clock = systemClock): Sql {
  let closed = false;
  let made: Promise<void> | undefined;

  const make = (): Promise<void> => {
    made ??= define();
    made.catch(() => (made = undefined));
    return made;
  };

  const define = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return void (await run(definition, true));
      } catch (error) {
        // Two that make it at once: one of them is refused, and then it is there.
        if (attempt === 3 || !(error instanceof TenantryError) || !/concurrently|pg_proc/i.test(error.message))
          throw error;
        await clock.sleep(100 * attempt);
      }
    }
  };

  const ask = async (statements: readonly string[], writes: boolean, idempotent: boolean): Promise<Reply> => {
    if (closed) throw new Error(`${where}: the connection was closed by this program.`);
    const all = statements.map((sql) => ({
      sql,
      reads: /^\s*(?:SELECT|WITH)\b/i.test(sql) && !/\b(?:INSERT|UPDATE|DELETE)\b/i.test(sql),
    }));
    await make();
    return replyIn(await run(`SELECT ${name}(${quoted(JSON.stringify(all))}::jsonb, ${writes}) AS answer`, idempotent));
  };

  const batch = async (
    statements: readonly (SqlStatement | string)[],
    mode: "read" | "write",
    { idempotent = mode === "read", whenBusy = "wait" }: BatchOptions = {},
  ): Promise<SqlResult[]> => {
    if (statements.length === 0) return [];
    const texts = statements.map(postgresText);
    for (let attempt = 1; ; attempt++) {
      const { results, error, state = "", index } = await ask(texts, mode === "write", idempotent);
      if (results) return results.map(({ rows, changed }) => ({ rows, rowsAffected: changed }));
      // Serialization failures and deadlocks: nothing was kept.
      const isBusy = /^40/.test(state) || state === "55P03";
      if (!isBusy || whenBusy === "fail" || attempt === attempts || clock.cancelled.aborted)
        throw refusal(error ?? "", state, index);
      await clock.sleep(50 * 2 ** attempt * (0.5 + Math.random()));
    }
  };

  const ready = async (): Promise<void> => void (await batch([{ sql: "SELECT 1 AS one", args: [] }], "read"));

  return {
    async execute(statement, options) {
      const reads = /^\s*select\b/i.test(statement.sql);
      const idempotent = options?.idempotent ?? reads;
      return (await batch([statement], reads ? "read" : "write", { idempotent }))[0]!;
    },
    batch,
    ready,
    expectReady: ready,
    close: () => void (closed = true),
  };
}

/** A quotation that no setting of the server reads otherwise, and that ends where no text can end it. */
function quoted(text: string): string {
  let tag = "$t$";
  for (let number = 1; text.includes(tag); number++) tag = `$t${number}$`;
  return `${tag}${text}${tag}`;
}

/** What was marked, wherever it stands in the answer; undefined: nowhere. */
export function markedIn(answer: HttpAnswer): unknown {
  const found = find(answer.body);
  try {
    return found === undefined ? undefined : JSON.parse(Buffer.from(found, "hex").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Our function's answer. */
function replyIn(answer: HttpAnswer): Reply {
  const reply = markedIn(answer);
  if (reply !== undefined) return reply as Reply;
  throw new TenantryError("bad-answer", `${answer.where} answered without the rows that were asked for.`, {
    fix: "Check the API address; if it is right, the platform has changed and Tenantry needs an update.",
    requestId: answer.requestId,
    afterLostReply: true,
  });
}

function find(value: unknown): string | undefined {
  if (typeof value === "string") return new RegExp(`^${mark}([0-9a-f]+)$`).exec(value)?.[1];
  if (typeof value !== "object" || value === null) return undefined;
  for (const one of Object.values(value)) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** In the words that SQLite has for what the registry looks for. */
function refusal(message: string, state: string, index: number | undefined): SqlError {
  const table = /relation "(\w+)" does not exist/.exec(message)?.[1];
  if (state === "42P01" && table !== undefined) return new SqlError(`no such table: ${table}`, state, index);
  const [, column, relation] = /null value in column "(\w+)" of relation "(\w+)"/.exec(message) ?? [];
  if (state === "23502" && column !== undefined) {
    return new SqlError(`NOT NULL constraint failed: ${relation}.${column}`, state, index);
  }
  return new SqlError(message, state, index);
}

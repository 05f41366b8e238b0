import { z } from "zod";
import { createBatcher } from "../../batch";
import type { HttpAnswer } from "../../http/answer";
import type { HttpClient } from "../../http/client";
import { TenantryError } from "../../platform/errors";
import { problemOf } from "./problems";

/** A value that is absent is NULL. */
export interface Statement {
  readonly sql: string;
  readonly args: readonly (string | number | undefined)[];
}

export type CatalogueRow = Readonly<Record<string, string | number | null>>;

/** "absent": there is no catalogue. */
export type Transaction = (statements: readonly Statement[]) => Promise<CatalogueRow[][] | "absent">;

const value = z.discriminatedUnion("type", [
  z.object({ type: z.literal("null") }).transform(() => null),
  z.object({ type: z.literal("text"), value: z.string() }).transform((wire) => wire.value),
  z.object({ type: z.literal("integer"), value: z.coerce.number() }).transform((wire) => wire.value),
]);
const failure = z.object({ message: z.string() });
const batch = z.object({
  step_results: z.array(
    z.object({ cols: z.array(z.object({ name: z.string().nullish() })), rows: z.array(z.array(value)) }).nullable(),
  ),
  step_errors: z.array(failure.nullable()),
});
const answerShape = z.object({
  results: z.tuple(
    [
      z.union([
        z.object({ type: z.literal("ok"), response: z.object({ type: z.literal("batch"), result: batch }) }),
        z.object({ type: z.literal("error"), error: failure }),
      ]),
    ],
    z.unknown(),
  ),
});

/**
 * Transactions on the catalogue's database, by libSQL over HTTP (Hrana 2, "Execute a batch"); those that are asked for
 * together travel together. All of their statements may be repeated: a lost reply is asked for again.
 */
export function catalogueSql(clientOf: () => HttpClient): Transaction {
  const travel = createBatcher<readonly Statement[], CatalogueRow[][] | "absent">(async (transactions) => {
    const answer = await clientOf().send({
      method: "POST",
      path: "/v2/pipeline",
      idempotent: true,
      body: { baton: null, requests: [{ type: "batch", batch: { steps: stepsOf(transactions.flat()) } }, closing] },
    });
    if (answer.status === 404 && /\bnamespace\b.*doesn't exist/i.test(answer.problem)) {
      return transactions.map(() => "absent" as const);
    }
    const rows = rowsOf(answer, transactions.flat().length);
    let next = 0;
    return transactions.map((one) => rows.slice(next, (next += one.length)));
  });
  return travel;
}

const closing = { type: "close" };

/** One transaction around all: it begins as a writer, so that what it reads is what it writes on. */
function stepsOf(statements: readonly Statement[]) {
  const steps: object[] = [{ stmt: { sql: "BEGIN IMMEDIATE" } }];
  for (const { sql, args } of statements) {
    steps.push({
      condition: { type: "ok", step: steps.length - 1 },
      stmt: { sql, args: args.map(toValue), want_rows: true },
    });
  }
  const last = steps.length - 1;
  steps.push({ condition: { type: "ok", step: last }, stmt: { sql: "COMMIT" } });
  steps.push({ condition: { type: "not", cond: { type: "ok", step: last + 1 } }, stmt: { sql: "ROLLBACK" } });
  return steps;
}

function toValue(of: string | number | undefined) {
  if (of === undefined) return { type: "null" };
  return typeof of === "number" ? { type: "integer", value: String(of) } : { type: "text", value: of };
}

function rowsOf(answer: HttpAnswer, count: number): CatalogueRow[][] {
  if (answer.status >= 300) throw problemOf(answer, "use Tenantry's catalogue");
  const parsed = answerShape.safeParse(answer.body);
  if (!parsed.success || answer.problem) throw unexpected(answer, answer.problem || "no SQL answer");
  const [result] = parsed.data.results;
  if (result.type === "error") throw unexpected(answer, result.error.message);
  const { step_results, step_errors } = result.response.result;
  const wrong = step_errors.slice(0, count + 2).find((error) => error !== null);
  if (wrong) throw unexpected(answer, wrong.message);
  const results = step_results.slice(1, count + 1);
  if (step_results.length < count + 2 || step_results.slice(0, count + 2).some((one) => one === null)) {
    throw unexpected(answer, "not all statements were run");
  }
  return results.map((one) =>
    one!.rows.map((row) => Object.fromEntries(one!.cols.map(({ name }, i) => [name ?? "", row[i] ?? null]))),
  );
}

const unexpected = (answer: HttpAnswer, what: string): TenantryError =>
  new TenantryError("bad-answer", `Could not use Tenantry's catalogue: ${answer.where}: ${what}.`, {
    fix: "Check tenantry:databaseUrl, and whether somebody changed the catalogue by hand.",
    requestId: answer.requestId,
    afterLostReply: true,
  });

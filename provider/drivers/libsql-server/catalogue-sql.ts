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
  /**
   * `args` are one element of what the text's `json_each(?)` goes through: those that travel together are sent as one
   * statement, in the place of the last of them. Their rows are told apart by the column "name", the first of `args`.
   */
  readonly gathers?: true;
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
  const travel = createBatcher<readonly Statement[], CatalogueRow[][] | "absent">(
    async (transactions) => {
      const { sent, places } = gather(transactions.flat());
      const answer = await clientOf().send({
        method: "POST",
        path: "/v2/pipeline",
        idempotent: true,
        body: { baton: null, requests: [{ type: "batch", batch: { steps: stepsOf(sent) } }, closing] },
      });
      if (answer.status === 404 && /\bnamespace\b.*doesn't exist/i.test(answer.problem)) {
        return transactions.map(() => "absent" as const);
      }
      const rows = rowsOf(answer, sent.length).map(byName);
      let next = 0;
      return transactions.map((one) =>
        one.map(({ args, gathers }) => {
          const { all, of } = rows[places[next++]!]!;
          return gathers ? of(args[0]) : all;
        }),
      );
    },
    { shortTrip: 40 },
  );
  return travel;
}

const closing = { type: "close" };

/** What is sent of them, and in which place of it each one is. */
function gather(statements: readonly Statement[]): { sent: Statement[]; places: number[] } {
  const gathered = new Map<string, { readonly elements: Statement["args"][]; last: number }>();
  statements.forEach(({ sql, args, gathers }, i) => {
    if (!gathers) return;
    const one = gathered.get(sql) ?? { elements: [], last: i };
    one.elements.push(args);
    one.last = i;
    gathered.set(sql, one);
  });
  const sent: Statement[] = [];
  const placeOf = new Map<number, number>();
  statements.forEach((statement, i) => {
    const one = statement.gathers && gathered.get(statement.sql);
    if (one && one.last !== i) return;
    placeOf.set(i, sent.length);
    sent.push(one ? { sql: statement.sql, args: [JSON.stringify(one.elements)] } : statement);
  });
  const places = statements.map(({ sql, gathers }, i) => placeOf.get((gathers && gathered.get(sql)?.last) ?? i)!);
  return { sent, places };
}

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

/** The rows of one statement, also by name. */
function byName(all: CatalogueRow[]) {
  let found: Map<unknown, CatalogueRow[]> | undefined;
  const named = () => {
    found = new Map();
    for (const row of all) found.set(row["name"], [...(found.get(row["name"]) ?? []), row]);
    return found;
  };
  return { all, of: (name: unknown) => (found ?? named()).get(name) ?? [] };
}

const unexpected = (answer: HttpAnswer, what: string): TenantryError =>
  new TenantryError("bad-answer", `Could not use Tenantry's catalogue: ${answer.where}: ${what}.`, {
    fix: "Check tenantry:databaseUrl, and whether somebody changed the catalogue by hand.",
    requestId: answer.requestId,
    afterLostReply: true,
  });

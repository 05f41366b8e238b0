/** What PerSQL sends, validated at the edge. Extra fields pass, and `null` counts as absent. */
import { z } from "zod";
import type { HttpAnswer } from "../../http/answer";
import { TenantryError } from "../../platform/errors";

const fix = "Check the API address; if it is right, the platform has changed and Tenantry needs an update.";

/** The answer's `data` as `schema` has it, or "bad-answer" naming the call and the field. */
export function read<Schema extends z.ZodType>(schema: Schema, answer: HttpAnswer): z.output<Schema> {
  const result = z.object({ success: z.literal(true), data: schema }).safeParse(answer.body);
  if (result.success) return (result.data as { readonly data: z.output<Schema> }).data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") || "the answer";
  throw unexpected(answer, `${path}: ${issue?.message}`);
}

/** A success that cannot be believed. The call itself may have had its effect. */
export const unexpected = ({ where, requestId }: HttpAnswer, what: string): TenantryError =>
  new TenantryError("bad-answer", `${where} answered something unexpected: ${what}.`, {
    fix,
    requestId,
    afterLostReply: true,
  });

const text = z.string().min(1);
const perhaps = z
  .string()
  .nullish()
  .transform((value) => value || undefined);

/** PerSQL docs, "who am I": the namespace that a token belongs to, and its role there. */
export const me = z.object({ namespaceSlug: text, namespaceId: text, role: text });
export type Me = z.output<typeof me>;

/** A database; a branch of one is listed as a database too, with the name of the branch. */
export const database = z.object({
  id: text,
  slug: text,
  branchRef: perhaps,
  /** The id of the database that it is a branch of; which of both fields has it, depends on the page of the docs. */
  forkedFrom: z.string().min(1).optional().catch(undefined),
  forkedFromId: perhaps,
  expiresAt: perhaps,
});
export type WireDatabase = z.output<typeof database>;

export const databases = z.array(database);

/** PerSQL docs, "Per-user databases": always a fresh token, and the database that the subject has, made if need be. */
export const provisioned = z.object({
  token: text,
  database: z.object({ id: perhaps, slug: text }),
  namespaceSlug: perhaps,
  created: z.boolean(),
  expiresAt: z.union([z.string(), z.number()]).nullish(),
});

/** Rows by position. PerSQL docs: `changes` and `lastInsertRowid` came later than the rest. */
export const queryResult = z.object({
  columns: z.array(z.string()),
  rows: z.array(z.array(z.unknown())),
  rowsWritten: z.number().optional(),
  changes: z.number().nullish(),
  lastInsertRowid: z.union([z.number(), z.string().regex(/^-?\d+$/)]).nullish(),
});
export type QueryResult = z.output<typeof queryResult>;

/** What the SDK's errors carry as `detail`. */
export const sqlDetail = z.object({ detail: z.object({ kind: text, message: z.string().optional() }) });

export const claimed = z.object({
  branchRef: text,
  token: text,
  expiresAt: z.union([z.string(), z.number()]).nullish(),
  outcome: z.enum(["created", "reset"]),
});

/** ISO 8601, or seconds or milliseconds since 1970. */
export function momentOf(value: string | number | null | undefined): Date | undefined {
  if (value === null || value === undefined) return undefined;
  const moment = new Date(typeof value === "number" && value < 1e11 ? value * 1000 : value);
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}

import { z } from "zod";
import { ProtocolError } from "./fault";
import { wireValue } from "./value";

// Shapes of the Hrana protocol over HTTP, versions 2 and 3, in JSON.

const sqlOrId = { sql: z.string().nullish(), sql_id: z.number().int().nullish() };

const statement = z.object({
  ...sqlOrId,
  args: z.array(wireValue).nullish(),
  named_args: z.array(z.object({ name: z.string(), value: wireValue })).nullish(),
  want_rows: z.boolean().nullish(),
});

/** When a step of a batch runs. Step numbers must be those of earlier steps. */
export type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: Condition[] }
  | { type: "is_autocommit" };

const condition: z.ZodType<Condition> = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.object({ type: z.enum(["ok", "error"]), step: z.number().int() }),
    z.object({ type: z.literal("not"), cond: condition }),
    z.object({ type: z.enum(["and", "or"]), conds: z.array(condition) }),
    z.object({ type: z.literal("is_autocommit") }),
  ]),
);

const batch = z.object({ steps: z.array(z.object({ stmt: statement, condition: condition.nullish() })) });

const request = z.discriminatedUnion("type", [
  z.object({ type: z.literal("execute"), stmt: statement }),
  z.object({ type: z.literal("batch"), batch }),
  z.object({ type: z.literal("sequence"), ...sqlOrId }),
  z.object({ type: z.literal("describe"), ...sqlOrId }),
  z.object({ type: z.literal("store_sql"), sql_id: z.number().int(), sql: z.string() }),
  z.object({ type: z.literal("close_sql"), sql_id: z.number().int() }),
  z.object({ type: z.literal("get_autocommit") }),
  z.object({ type: z.literal("close") }),
]);

const cursor = z.object({ baton: z.string().nullish(), batch });
const pipeline = z.object({ baton: z.string().nullish(), requests: z.array(request) });

export type WireStatement = z.infer<typeof statement>;
export type WireBatch = z.infer<typeof batch>;
export type WireRequest = z.infer<typeof request>;
export type WirePipeline = z.infer<typeof pipeline>;
export type WireCursor = z.infer<typeof cursor>;

export const readPipeline = (body: string): WirePipeline => read(pipeline, body);
export const readCursor = (body: string): WireCursor => read(cursor, body);

function read<Shape>(shape: z.ZodType<Shape>, text: string): Shape {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ProtocolError("the request body is not JSON");
  }
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ProtocolError(`${issue?.path.join(".") || "body"}: ${issue?.message ?? "invalid"}`);
}

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";

/**
 * A refusal of the Platform API: answered as `{"error": message}` with its status, and with `code` where there is one
 * (Turso docs: error bodies; turso-cli knows the code "feature_not_available_for_starter_plan").
 */
export class ApiProblem extends Error {
  constructor(
    readonly status: ContentfulStatusCode,
    message: string,
    readonly code?: string,
    readonly headers?: Record<string, string>,
  ) {
    super(message);
    this.name = "ApiProblem";
  }
}

export function answerProblem(error: Error, context: Context): Response {
  if (error instanceof ApiProblem) {
    const { status, message, code, headers } = error;
    return context.json(code === undefined ? { error: message } : { error: message, code }, status, headers);
  }
  // A fault of ours. Whoever reads it runs the platform on their own machine: nothing is gained by hiding it.
  return context.json({ error: `internal error: ${error.message}` }, 500);
}

/** Reads a JSON body by a schema. An empty body is `{}`, since several calls need none. */
export async function readBody<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.output<Schema>> {
  const text = await context.req.text();
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw new ApiProblem(400, "the request body is not valid JSON");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ApiProblem(400, `${issue?.path.join(".") || "body"}: ${issue?.message ?? "invalid"}`);
}

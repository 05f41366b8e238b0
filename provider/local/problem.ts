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
  const unreadable = whatIsUnreadable(error);
  if (unreadable !== undefined) return context.json({ error: unreadable }, 400);
  // A fault of ours, told to those who report it. Where the folder lies is nobody's business who only has a token.
  return context.json({ error: `internal error: ${withoutFolders(error.message)}` }, 500);
}

/** What a request held that failed below, where nobody looks at requests; undefined where the fault is ours. */
function whatIsUnreadable(error: Error): string | undefined {
  if (error instanceof RangeError && error.message.includes("call stack")) return "the request is nested too deeply";
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  // A request's address is put together from its Host header; 999.999.999.999 passes every earlier check.
  return code === "ERR_INVALID_URL" ? "the Host header is not a host" : undefined;
}

/** Absolute paths, quoted ones with spaces and addresses of files too, down to their last name. */
function withoutFolders(text: string): string {
  const paths = text.replace(/\bfile:\/\/(?:\/(?=[A-Za-z]:))?/g, "");
  const quoted = paths.replace(/(['"`])(?:[A-Za-z]:)?[\\/][^'"`]*[\\/]/g, "$1");
  return quoted.replace(/(?<![\w:/.])(?:[A-Za-z]:)?[\\/](?:[^\\/\s'"`]+[\\/])+/g, "");
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

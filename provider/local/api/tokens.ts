import type { Context } from "hono";
import { z } from "zod";
import { parseDuration } from "../../duration";
import { signToken } from "../jwt";
import type { Claims } from "../jwt";
import { ApiProblem, readBody } from "../problem";

const body = z.looseObject({});

/** Answers `auth/tokens` of a database or a group: `{jwt}`, with the lifetime and the rights that the query asks for. */
export async function mintToken(
  c: Context,
  subject: () => { readonly claims: Pick<Claims, "id" | "gid">; readonly key: string },
): Promise<Response> {
  const asked = await readBody(c, body);
  const { claims, key } = subject();
  // Current Turso databases answer this, even to an empty list (tursodatabase/turso-api-client-ts#34).
  if ("permissions" in asked || "fine_grained_permissions" in asked) {
    throw new ApiProblem(400, "Permissions are not supported for db-api controlled databases");
  }
  const lifetime = expiration(c.req.query("expiration") || "never");
  const iat = Math.floor(Date.now() / 1000);
  const exp = lifetime === undefined ? {} : { exp: iat + lifetime };
  const a = authorization(c.req.query("authorization") || "full-access");
  return c.json({ jwt: signToken(key, { a, ...claims, iat, ...exp }) });
}

function expiration(text: string): number | undefined {
  try {
    return parseDuration(text, "expiration");
  } catch {
    throw new ApiProblem(400, "Invalid expiration format");
  }
}

function authorization(text: string): "ro" | "rw" {
  if (text === "full-access") return "rw";
  if (text === "read-only") return "ro";
  throw new ApiProblem(400, 'Invalid authorization: it must be "full-access" or "read-only"');
}

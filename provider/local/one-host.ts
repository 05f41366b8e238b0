import type { MiddlewareHandler } from "hono";
import type { IncomingMessage } from "node:http";
import { ApiProblem } from "./problem";

/**
 * Refuses a request with several Host headers (RFC 9112, 3.2: 400). Node takes the first, a proxy before it perhaps the
 * last, and each would look for another database.
 */
export function requireOneHost(): MiddlewareHandler {
  return async (c, next) => {
    const { incoming } = c.env as { incoming?: IncomingMessage };
    const names = incoming?.rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === "host") ?? [];
    if (names.length > 1) throw new ApiProblem(400, "a request has one Host header");
    await next();
  };
}

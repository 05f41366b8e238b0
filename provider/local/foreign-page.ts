import type { MiddlewareHandler } from "hono";
import { ApiProblem } from "./problem";

/**
 * For a platform that asks for no token: a browser sends requests for whatever page it shows, to this machine too, and
 * a page of the web must not be able to use that. Pages served by this machine may.
 */
export function refuseForeignPages(): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header("origin");
    if (origin !== undefined && c.req.header("authorization") === undefined && !isLoopback(hostOf(origin)))
      throw new ApiProblem(403, `forbidden: a page of ${origin} needs a token here`);
    await next();
  };
}

/** True for names and addresses that only this machine itself can reach. */
export function isLoopback(host: string): boolean {
  return /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : origin;
}

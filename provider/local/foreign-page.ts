import type { MiddlewareHandler } from "hono";
import { isIP } from "node:net";
import { ApiProblem } from "./problem";

/**
 * For a platform that asks for no token: a browser sends requests for whatever page it shows, to this machine too, and
 * a page of the web must not be able to use that. Pages served by this machine may. Two things give another page away:
 * its origin, and, where its own name was made to lead here (DNS rebinding), that name as the host. An address in numbers
 * leads nowhere else, so that it is as good as `listening`, the host that the platform was told to listen on.
 */
export function refuseForeignPages(listening: string): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.header("authorization") === undefined) {
      const origin = c.req.header("origin");
      if (origin !== undefined && !isLoopback(hostOf(origin)))
        throw new ApiProblem(403, `forbidden: a page of ${origin} needs a token here`);
      const host = hostOf(`http://${c.req.header("host") ?? ""}`);
      if (!isLoopback(host) && isIP(bare(host)) === 0 && bare(host) !== bare(listening.toLowerCase()))
        throw new ApiProblem(
          403,
          `forbidden: requests to the host ${host} need a token here; without one, use an address in numbers, ` +
            `or start the platform with "--host ${host}"`,
        );
    }
    await next();
  };
}

/** True for names and addresses that only this machine itself can reach. */
export function isLoopback(host: string): boolean {
  return /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : address;
}

/** Without the brackets that an IPv6 address has in an URL. */
function bare(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}

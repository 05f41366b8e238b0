import { jwtClaims } from "../../jwt-claims";
import { TenantryError } from "../../platform/errors";
import type { HttpAnswer } from "../../http/answer";

/** Clocks differ; a token is called expired without asking only when it is so by more than this. In seconds. */
const clockSkew = 60;

/**
 * What is certainly wrong with a platform API token, told from its unverified payload before any call. A JWT with the
 * claims `a`, `gid` or `p` gives access to databases (libSQL server and Turso's group tokens), not to the platform.
 */
export function hopelessToken(token: string, fix: string, now: number): TenantryError | undefined {
  const claims = jwtClaims(token);
  if (!claims) return undefined;
  if (isDatabaseToken(claims)) {
    return new TenantryError(
      "credentials-rejected",
      "The API token is a database or group token: it opens databases, but the Platform API does not take it.",
      { fix },
    );
  }
  const { exp } = claims;
  if (typeof exp === "number" && exp > 0 && exp * 1000 < now - clockSkew * 1000) {
    const when = new Date(exp * 1000).toISOString();
    return new TenantryError("credentials-rejected", `The API token expired on ${when}.`, { fix });
  }
  return undefined;
}

/** The explanation of a 401, with the platform's own words. */
export function rejectedToken(token: string, fix: string, answer: HttpAnswer): TenantryError {
  // Only `id` is not certain enough to refuse a token unasked, but worth a word when the platform has refused it.
  const claims = jwtClaims(token);
  const hint = claims && "id" in claims ? " It looks like a database token." : "";
  const said = answer.problem ? `: ${answer.problem}` : "";
  return new TenantryError("credentials-rejected", `The API token was rejected (${answer.where}, 401${said}).${hint}`, {
    fix,
    platformText: answer.problem || undefined,
    requestId: answer.requestId,
  });
}

function isDatabaseToken({ a, gid, p }: Record<string, unknown>): boolean {
  return a === "ro" || a === "rw" || a === "roa" || typeof gid === "string" || (typeof p === "object" && p !== null);
}

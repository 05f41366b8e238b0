import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { createHash, timingSafeEqual } from "node:crypto";
import { ApiProblem } from "../problem";
import type { ApiTokenRow } from "../store/api-tokens";
import type { Control } from "../store/control";
import { type Demand, demands } from "./scopes";

/** What a call's token may do: everything (the folder's own token), or what its row says. */
export type Grant = "everything" | ApiTokenRow;

declare module "hono" {
  interface ContextVariableMap {
    grant: Grant;
  }
}

export interface AuthorizeOptions {
  readonly control: Control;
  /** False: a call without a token may do everything. A token that is given is checked all the same. */
  readonly required: boolean;
}

/**
 * Lets a call pass that its token allows: 401 for no valid token, 403 for one that lacks the scope. To what it may do
 * it is up to whoever looks up the organization, the group or the database: nothing is found without asking here.
 */
export function authorize({ control, required }: AuthorizeOptions): MiddlewareHandler {
  const grantOf = tokenReader(control);
  return async (c, next) => {
    const given = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (!given && (required || c.req.header("authorization") !== undefined))
      throw new ApiProblem(401, "unauthorized: an API token is required");
    const grant = given ? grantOf(given) : "everything";
    if (!grant) throw new ApiProblem(401, "unauthorized: the API token is invalid or was revoked");
    c.set("grant", grant);
    if (grant !== "everything") requireScope(c, grant);
    await next();
  };
}

/** Refuses what belongs to another organization than the one that the token is limited to. */
export function requireOrganization(c: Context, slug: string): void {
  const grant = c.get("grant");
  if (grant === "everything" || grant.organization === undefined || grant.organization === slug) return;
  throw forbidden(`it is limited to organization "${grant.organization}"`);
}

/** Refuses what belongs to another group than the one that the token is limited to. */
export function requireGroup(c: Context, groupId: string): void {
  const grant = c.get("grant");
  if (grant === "everything" || grant.groupId === undefined || grant.groupId === groupId) return;
  throw forbidden(`it is limited to group "${grant.groupName}"`);
}

/** The only group that the call may see; undefined: all. */
export function onlyGroup(c: Context): string | undefined {
  const grant = c.get("grant");
  return grant === "everything" ? undefined : grant.groupId;
}

function requireScope(c: Context, grant: ApiTokenRow): void {
  if (grant.groupId === undefined) return;
  const demand = demandOf(c);
  // A call that is not there: the answer is a 404, which the router gives.
  if (demand === undefined || demand === "none") return;
  if (demand === "organization")
    throw forbidden(`this takes a token of the whole organization, and it is limited to group "${grant.groupName}"`);
  if (!grant.scopes?.includes(demand)) throw forbidden(`it lacks the scope ${demand}`);
}

/** The call that answers, as it is registered; undefined: none does. */
export function servedRoute(c: Context): { readonly method: string; readonly path: string } | undefined {
  return matchedRoutes(c).find(({ method }) => method !== "ALL");
}

/** Fails closed: a call that is served but not listed asks for a token of the whole organization. */
function demandOf(c: Context): Demand | undefined {
  const served = servedRoute(c);
  return served && (demands[`${served.method} ${served.path}`] ?? "organization");
}

// Unverified: Turso documents the limits of tokens, but not the text of their refusals.
function forbidden(why: string): ApiProblem {
  return new ApiProblem(403, `forbidden: the API token may not do this: ${why}`);
}

function tokenReader(control: Control): (token: string) => Grant | undefined {
  // Digests have one length, so the comparison's time tells nothing about the token.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const own = digest(control.apiToken);
  return (token) => (timingSafeEqual(digest(token), own) ? "everything" : control.apiTokens.byToken(token));
}

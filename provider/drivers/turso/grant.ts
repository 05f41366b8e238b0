import { z } from "zod";
import type { TokenGrant } from "../../platform/account";
import { jwtClaims } from "../../jwt-claims";

const text = z.string().nullish();
export const listedToken = z.object({
  id: text,
  name: text,
  organization: text,
  group: text,
  scopes: z.array(z.string()).nullish(),
});

/** What a deploy calls even where it only names its groups; `group:mint-token` is for the SQL that Tenantry runs. */
const always = ["read", "db:create", "db:delete", "db:configure", "db:mint-token", "group:mint-token"];
/** What only protecting a group and rotating credentials call. */
const sometimes = ["db:rotate-creds", "group:configure", "group:rotate-creds"];
/** No scope stands for it (Turso docs: API tokens); a token that is limited to a group lacks it. */
const creatingGroups = "creating groups";

export const unrestricted: TokenGrant = {
  name: undefined,
  scopes: "unrestricted",
  missing: [],
  enoughFor: "every deploy",
  organization: undefined,
  group: undefined,
};

/**
 * What the token in use may do. The list does not say which of its tokens that is, and it lacks the sessions that the
 * CLI logs in with: only an id that the token itself carries (the claim's name is not documented) makes a match.
 */
export function grantOf(apiToken: string, listed: readonly z.output<typeof listedToken>[]): TokenGrant | undefined {
  const { id, jti, tid } = jwtClaims(apiToken) ?? {};
  const ours = listed.find((token) => token.id && [id, jti, tid].includes(token.id));
  if (!ours) return undefined;
  const group = ours.group || undefined;
  const scopes = ours.scopes?.length ? ours.scopes : "unrestricted";
  const lacks = (scope: string): boolean => scopes !== "unrestricted" && !scopes.includes(scope);
  const missing = [...(group ? [creatingGroups] : []), ...[...always, ...sometimes].filter(lacks)];
  return {
    name: ours.name || undefined,
    scopes,
    missing,
    enoughFor: always.some(lacks) ? "no deploy" : missing.length > 0 ? "deploys into existing groups" : "every deploy",
    organization: ours.organization || undefined,
    group,
  };
}

import type { Account, Quota, TokenGrant } from "../../../provider/platform/account";
import { type Check, ok, problem, warning } from "./check";

const day = 86_400_000;
/** Shorter than this is worth a word; a login session of Turso's CLI always is (it lives 7 days). In ms. */
const soon = 7 * day;
const nearShare = 0.8;
const wholeOrganization =
  "A deploy needs full access to the organization, because a program that creates a Group needs it";

export function tokenCheck({ tokenExpiry: expiry, grant }: Account, now = Date.now()): Check {
  const kind = `a platform API token${grant?.name ? ` ("${grant.name}")` : ""}, accepted`;
  if (expiry === undefined) return ok("token", `${kind}; the platform does not say when it expires`);
  if (expiry === "never") return ok("token", `${kind}; it never expires`);
  const left = expiry.getTime() - now;
  const fix = "Mint another one and set it as tenantry:apiToken.";
  if (left <= 0) return problem("token", `a platform API token that expired on ${expiry.toISOString()}`, fix);
  const when = `it expires on ${expiry.toISOString()}, in ${left < 2 * day ? "less than 2 days" : `${Math.floor(left / day)} days`}`;
  return left < soon ? warning("token", `${kind}; ${when}`, fix) : ok("token", `${kind}; ${when}`);
}

export function scopesCheck(grant: TokenGrant | undefined, organization: string): Check {
  if (!grant) return ok("scopes", `the platform does not tell this token's. ${wholeOrganization}`);
  if (grant.organization && grant.organization !== organization) {
    const found = `the token is for organization "${grant.organization}", not "${organization}"`;
    return problem("scopes", found, `Use a token for "${organization}", or correct tenantry:organization.`);
  }
  const reach = grant.group ? `group "${grant.group}"` : grant.organization && `organization "${grant.organization}"`;
  const rights = grant.scopes === "unrestricted" ? "unrestricted" : `scoped (${grant.scopes.join(", ")})`;
  const what = `${rights}${reach ? `, limited to ${reach}` : ""}`;
  if (grant.enoughFor === "every deploy") return ok("scopes", `${what}: enough for every deploy`);
  const found = `${what}: enough for ${grant.enoughFor}; lacking: ${grant.missing.join(", ")}`;
  return grant.enoughFor === "no deploy"
    ? problem("scopes", found, `Use a token with more. ${wholeOrganization}.`)
    : warning("scopes", found, `Name existing groups only, or use another token. ${wholeOrganization}.`);
}

/** `counted` stands in where the platform does not tell its own number; `own` of them are Tenantry's. */
export function quotaCheck({ what, used: told, limit }: Quota, counted: number, own: number, plan?: string): Check {
  const used = told ?? counted;
  const name = `quota, ${what}`;
  const ours = own > 0 ? `, ${own} of them Tenantry's own (registries and templates)` : "";
  const of = plan ? ` of plan "${plan}"` : "";
  if (limit === undefined) return ok(name, `${used} used${ours}; the limit is not known`);
  if (limit === "unlimited") return ok(name, `${used} used${ours}; no limit${plan ? ` in plan "${plan}"` : ""}`);
  const found = `${used} used of ${limit}${of}${ours}`;
  if (used >= limit)
    return warning(name, `${found}: none left`, "The next create may be refused. Free some, or upgrade the plan.");
  return used >= limit * nearShare
    ? warning(name, `${found}: ${limit - used} left`, "Free some, or upgrade the plan, before the fleet grows.")
    : ok(name, found);
}

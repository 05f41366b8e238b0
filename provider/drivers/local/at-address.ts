import { createHttpClient } from "../../http/client";
import { jwtClaims } from "../../jwt-claims";
import type { Platform, Scope } from "../../platform/platform";
import { TenantryError, hasCode } from "../../platform/errors";
import { tursoPlatform } from "../turso";
import { unrestricted } from "../turso/grant";
import { explainUnreachable, startCommand } from "./unreachable";

export interface LocalAddress {
  readonly apiUrl: string;
  readonly apiToken: string;
  /** The folder's identity, where it is published. */
  readonly id?: string;
  /** Default "local". */
  readonly organization?: string;
  /** Default: the address that the embedded platform serves the organization's databases at. */
  readonly databaseUrl?: string;
  readonly concurrency?: number;
}

const defaultOrganization = "local";
/** Nobody listening means that it does not run: that is to be said at once, not after a platform's long patience. */
const retry = { base: 50, longest: 1_000, outageAttempts: 5 };

/** The embedded platform at a known address; looks for nothing on disk. */
export function localPlatformAt(address: LocalAddress): Platform {
  const { apiUrl, apiToken, id, organization = defaultOrganization } = address;
  const platform = tursoPlatform({
    name: "local",
    apiUrl,
    apiToken,
    organization,
    databaseUrl: address.databaseUrl ?? `${apiUrl}${databasePath(organization)}`,
    concurrency: address.concurrency,
    capabilities: {
      rotation: "database",
      attach: false,
      seedAtTime: false,
      sizeLimit: false,
      comesBack: false,
      keepsDeleted: 0,
    },
    scope: identified(apiUrl, organization),
    knownScope: () => (id === undefined ? undefined : scopeOf(id, organization)),
    // The folder's own token may do everything and is no JWT; others are, and found in the list by their id.
    grant: jwtClaims(apiToken) ? undefined : unrestricted,
    retry,
  });
  return explainUnreachable(platform);
}

function databasePath(organization: string): string {
  return organization === defaultOrganization ? "/db/{name}/" : `/org/${encodeURIComponent(organization)}/db/{name}/`;
}

/** The scope names the folder, not the address: a restart on another port, or a moved folder, is the same place. */
function identified(apiUrl: string, organization: string): () => Promise<Scope> {
  let known: Promise<Scope> | undefined;
  return () => {
    if (!known) {
      known = identityOf(apiUrl).then((id) => scopeOf(id, organization));
      known.catch(() => (known = undefined));
    }
    return known;
  };
}

const scopeOf = (id: string, organization: string): Scope => ({
  platform: "local",
  organization: `${id}/${organization}`,
  host: "",
});

/** Asked without a token, since what listens there may be something else by now. */
async function identityOf(apiUrl: string): Promise<string> {
  const client = createHttpClient({ baseUrl: apiUrl, timeout: 10_000, retry });
  const call = { method: "GET", path: "/tenantry/identity", authenticated: false } as const;
  const answer = await client.send(call).catch((error: unknown) => {
    if (hasCode(error, "bad-answer")) return undefined;
    throw error;
  });
  const id = answer?.status === 200 ? idIn(answer.body) : undefined;
  if (id) return id;
  const status = answer ? ` (${answer.status})` : "";
  throw new TenantryError("bad-answer", `What answers at ${apiUrl} is not a local Tenantry platform${status}.`, {
    fix: `Check tenantry:apiUrl, or start the platform with \`${startCommand}\`.`,
  });
}

function idIn(answer: unknown): string | undefined {
  const id = typeof answer === "object" && answer !== null && "id" in answer ? answer.id : undefined;
  return typeof id === "string" && id !== "" ? id : undefined;
}

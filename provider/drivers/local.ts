import { createHttpClient } from "../http/client";
import { type Platform, type Scope } from "../platform/platform";
import { TenantryError, hasCode } from "../platform/errors";
import { type LocalEndpoint, findEndpoint } from "./local/endpoint";
import { explainUnreachable, startCommand } from "./local/unreachable";
import { tursoPlatform } from "./turso";
import { jwtClaims } from "./turso/credential";
import { unrestricted } from "./turso/grant";

export interface LocalPlatformOptions {
  /** Address of a running `tenantry local`. Default: the one published in `.tenantry/local` here or in a folder above. */
  readonly apiUrl?: string;
  /** Counts only together with `apiUrl`: a token of another platform that was left in the configuration is not sent. */
  readonly apiToken?: string;
  /** Default "local". */
  readonly organization?: string;
  /** Default: the address that the embedded platform serves the organization's databases at. */
  readonly databaseUrl?: string;
  readonly concurrency?: number;
  /** Where the search for `.tenantry/local` begins. Default: the working directory. */
  readonly directory?: string;
}

const defaultOrganization = "local";
/** Nobody listening means that it does not run: that is to be said at once, not after a platform's long patience. */
const retry = { base: 50, longest: 1_000, outageAttempts: 5 };

/**
 * The embedded platform (`npx tenantry local`). It speaks the Turso Platform API, so it is the Turso driver with its own
 * address, token and abilities. Fails with "not-configured" when no address is given and none is published.
 */
export function localPlatform(options: LocalPlatformOptions): Platform {
  const { apiUrl, apiToken, id } = endpointOf(options);
  const organization = options.organization ?? defaultOrganization;
  const platform = tursoPlatform({
    name: "local",
    apiUrl,
    apiToken,
    organization,
    databaseUrl: options.databaseUrl ?? `${apiUrl}${databasePath(organization)}`,
    concurrency: options.concurrency,
    capabilities: { rotation: "database", seedAtTime: false, sizeLimit: false, comesBack: false },
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

interface Address {
  readonly apiUrl: string;
  readonly apiToken: string;
  /** The folder's identity, where it is published. */
  readonly id?: string;
}

function endpointOf(options: LocalPlatformOptions): Address {
  if (options.apiUrl && options.apiToken) return { apiUrl: options.apiUrl, apiToken: options.apiToken };
  const published = findEndpoint(options.directory ?? process.cwd());
  if (!options.apiUrl) return addressed(published ?? nothingRunning());
  // An address without a token: ours when it is the published one, else nobody knows which token it takes.
  if (published && sameOrigin(published.url, options.apiUrl))
    return { ...addressed(published), apiUrl: options.apiUrl };
  throw new TenantryError(
    "credentials-missing",
    `No token is configured for the local platform at ${options.apiUrl}.`,
    {
      fix:
        "Run `pulumi config set --secret tenantry:apiToken` with the token that `npx tenantry local` shows, " +
        "or set the environment variable TENANTRY_API_TOKEN.",
    },
  );
}

function addressed({ url, apiToken, id }: LocalEndpoint): Address {
  return { apiUrl: url.replace(/\/+$/, ""), apiToken, id };
}

function sameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}

function nothingRunning(): never {
  throw new TenantryError(
    "not-configured",
    "No local platform runs here: .tenantry/local/endpoint.json was not found.",
    {
      fix: `Start one with \`${startCommand}\` in this project's folder, or set tenantry:apiUrl and tenantry:apiToken.`,
    },
  );
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

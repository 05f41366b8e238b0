import type { Platform } from "../platform/platform";
import { TenantryError } from "../platform/errors";
import { type LocalAddress, localPlatformAt } from "./local/at-address";
import { type LocalEndpoint, findEndpoint } from "./local/endpoint";
import { startCommand } from "./local/unreachable";

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

/**
 * The embedded platform (`npx tenantry local`). It speaks the Turso Platform API, so it is the Turso driver with its own
 * address, token and abilities. Fails with "not-configured" when no address is given and none is published.
 */
export function localPlatform(options: LocalPlatformOptions): Platform {
  return localPlatformAt({ ...options, ...endpointOf(options) });
}

type Address = Pick<LocalAddress, "apiUrl" | "apiToken" | "id">;

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

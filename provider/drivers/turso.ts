import { createHttpClient } from "../http/client";
import type { Clock } from "../http/clock";
import type { RetryPolicy } from "../http/retry";
import type { TokenGrant } from "../platform/account";
import type { Capabilities } from "../platform/capabilities";
import { TenantryError } from "../platform/errors";
import type { Platform, PlatformName, Scope } from "../platform/platform";
import { tursoAccount } from "./turso/account";
import { tursoActivity } from "./turso/activity";
import { createApi } from "./turso/api";
import { tursoCapabilities } from "./turso/capabilities";
import { tursoDirectory } from "./turso/directory";
import { hopelessToken, rejectedToken } from "./turso/credential";
import { tursoDatabases } from "./turso/databases";
import { tursoGroups } from "./turso/groups";
import { problemOf } from "./turso/problems";
import { tursoTokens } from "./turso/tokens";
import { allLocations, read } from "./turso/wire";

export interface TursoOptions {
  /** Control plane, e.g. "https://api.turso.tech". */
  readonly apiUrl: string;
  /** A platform API token; a database token is refused before any call. */
  readonly apiToken: string;
  /** The organization's slug. */
  readonly organization: string;
  /** Template with `{name}` and `{hostname}`. Default "libsql://{hostname}". */
  readonly databaseUrl?: string;
  /** Requests at the same time. Default 32. */
  readonly concurrency?: number;
  /** Per attempt, in ms. Default 30,000. */
  readonly timeout?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** For a platform that speaks the same API under its own name. Default "turso". */
  readonly name?: PlatformName;
  /** What such a platform can do otherwise. */
  readonly capabilities?: Partial<Capabilities>;
  /** Where such a platform keeps its state. Default: organization and the host of `apiUrl`. */
  readonly scope?: () => Promise<Scope>;
  readonly knownScope?: () => Scope | undefined;
  /** What every API token of such a platform may do. Default: looked up in the list of tokens. */
  readonly grant?: TokenGrant;
}

/** The Turso Platform API, version 1 (Turso docs: Platform API reference). */
export function tursoPlatform(options: TursoOptions): Platform {
  const { apiUrl, apiToken, organization, name = "turso" } = options;
  const template = options.databaseUrl ?? "libsql://{hostname}";
  const client = createHttpClient({
    baseUrl: apiUrl,
    token: apiToken,
    concurrency: options.concurrency,
    timeout: options.timeout,
    retry: options.retry,
    clock: options.clock,
    hopeless: () => hopelessToken(apiToken, tokenFix(name), Date.now()),
    rejected: (answer) => rejectedToken(apiToken, tokenFix(name), answer),
  });
  const api = createApi(client, organization);
  const configured = (): Scope => ({ platform: name, organization, host: new URL(apiUrl).host });

  const listLocations: Platform["listLocations"] = async () => {
    // The only call that needs no token, so none is sent.
    const answer = await client.send({ method: "GET", path: "/v1/locations", authenticated: false });
    if (answer.status >= 300) throw problemOf(answer, { doing: "list locations", kind: "look", organization });
    return read(allLocations, answer);
  };

  return {
    name,
    capabilities: { ...tursoCapabilities, ...options.capabilities },
    scope: options.scope ?? (async () => configured()),
    knownScope: options.knownScope ?? configured,
    listLocations,
    ...tursoAccount({ client, organization, apiToken, grant: options.grant }),
    ...tursoGroups(api, listLocations),
    ...tursoDatabases(api),
    ...tursoTokens(api),
    ...tursoActivity(api),
    directory: tursoDirectory({ client, organization }),
    databaseUrl(database) {
      if (!database.hostname && template.includes("{hostname}")) {
        throw new TenantryError("bad-answer", `The platform named no hostname for database "${database.name}".`);
      }
      return template
        .replaceAll("{name}", () => encodeURIComponent(database.name))
        .replaceAll("{hostname}", () => database.hostname);
    },
  };
}

/** The last sentence is for refresh and destroy: the engine hands them the config of the last `up`. */
function tokenFix(name: PlatformName): string {
  const variable = name === "turso" ? "TURSO_API_TOKEN" : "TENANTRY_API_TOKEN";
  return (
    `Set a valid platform API token: \`pulumi config set --secret tenantry:apiToken\`, or ${variable} in the environment. ` +
    "Refresh and destroy use the config of the last `pulumi up`; there only the environment takes effect."
  );
}

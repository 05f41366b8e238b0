import type { HttpAnswer } from "../http/answer";
import { createHttpClient, type HttpClient } from "../http/client";
import { type Clock, systemClock } from "../http/clock";
import type { RetryPolicy } from "../http/retry";
import { TenantryError } from "../platform/errors";
import type { Platform, Scope } from "../platform/platform";
import { account } from "./libsql-server/account";
import { adminApi } from "./libsql-server/api";
import { libsqlServerCapabilities } from "./libsql-server/capabilities";
import { type DatabaseRow, openCatalogue } from "./libsql-server/catalogue";
import { catalogueSql } from "./libsql-server/catalogue-sql";
import { databases } from "./libsql-server/databases";
import { groups } from "./libsql-server/groups";
import { deriveKeys } from "./libsql-server/keys";
import { catalogueName } from "./libsql-server/schema";
import { namespaceSettings } from "./libsql-server/settings";
import { tokens } from "./libsql-server/tokens";

export interface LibsqlServerOptions {
  /** The admin API, e.g. "http://127.0.0.1:9090". */
  readonly apiUrl: string;
  /** `--admin-auth-key`; undefined: the server asks for none. */
  readonly apiToken: string | undefined;
  /** Template with `{name}` as the first label of its host, e.g. "http://{name}.localhost:8080". */
  readonly databaseUrl: string;
  /** As `npx tenantry keygen` makes one; all tokens are signed with what is derived from it. */
  readonly signingKey: string;
  /** Requests at the same time, to the admin API. Default 32. */
  readonly concurrency?: number;
  /** Per attempt, in ms. Default 30,000. */
  readonly timeout?: number;
  readonly retry?: Partial<RetryPolicy>;
  /** How long a change of a database's settings keeps others away, in s; those after a dead process wait. Default 20. */
  readonly lease?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * A libsql-server (sqld) with namespaces, by its admin API. What the server has no call for (which namespaces there are,
 * groups, delete protection, generations of keys) is kept in a namespace of our own.
 */
export function libsqlServerPlatform(options: LibsqlServerOptions): Platform {
  const { apiUrl, apiToken, databaseUrl: template, signingKey, clock = systemClock } = options;
  const { concurrency, timeout, retry } = options;
  const common = { concurrency, timeout, retry, clock };
  const keyFor = deriveKeys(signingKey);
  const urlOf = (name: string): string => template.replaceAll("{name}", () => encodeURIComponent(name));
  const admin = adminApi(
    // libSQL compares what follows "Basic" with the key as it is (tried on 0.24.32).
    createHttpClient({ baseUrl: apiUrl, token: apiToken, scheme: "Basic", ...common, rejected: keyRejected }),
    clock,
  );
  const ownKey = keyFor({ kind: "catalogue" });
  const transaction = catalogueSql(
    renewed(clock, () => {
      const token = ownKey.sign({ access: "full-access", lifetime: catalogueToken }, Date.now());
      return createHttpClient({
        baseUrl: httpUrl(urlOf(catalogueName)),
        token,
        ...common,
        rejected: signatureRejected,
      });
    }),
  );
  const catalogue = openCatalogue(transaction, admin, ownKey.publicKey);
  const settings = namespaceSettings({ catalogue, admin, keyFor, clock, lease: options.lease ?? 20 });
  const isEmpty = async ({ name, id, generation, groupGeneration }: DatabaseRow): Promise<boolean> => {
    const key = keyFor({ kind: "database", name, id, generation: `${groupGeneration}.${generation}` });
    const token = key.sign({ access: "full-access", lifetime: 60 }, Date.now());
    const client = createHttpClient({ baseUrl: httpUrl(urlOf(name)), token, ...common, rejected: signatureRejected });
    const rows = await catalogueSql(() => client)([{ sql: "SELECT 1 FROM sqlite_schema LIMIT 1", args: [] }]);
    // The server denies now and then what it has: nothing may be taken back on the strength of that.
    if (rows === "absent")
      throw new TenantryError("not-ready", `The server does not find "${name}", which it has just made.`);
    return rows[0]!.length === 0;
  };
  const { find, ...ofDatabases } = databases({
    ...{ catalogue, admin, settings, isEmpty, clock },
    hostOf: (name) => new URL(urlOf(name)).host,
  });

  let known: Scope | undefined;
  return {
    name: "libsql-server",
    capabilities: libsqlServerCapabilities,
    // The server may get another address; its catalogue goes along.
    scope: async () => (known ??= { platform: "libsql-server", organization: await catalogue.id(), host: "" }),
    knownScope: () => known,
    ...account(catalogue, admin),
    ...groups(catalogue, ofDatabases.deleteDatabase),
    ...ofDatabases,
    ...tokens({ catalogue, settings, keyFor, find }),
    databaseUrl: ({ name }) => urlOf(name),
  };
}

/** Of the token for the catalogue, which never leaves the process, in seconds. */
const catalogueToken = 3_600;

/** A client with a token that is made anew in time. */
function renewed(clock: Clock, make: () => HttpClient): () => HttpClient {
  let made: { readonly client: HttpClient; readonly until: number } | undefined;
  return () => {
    if (!made || clock.now() >= made.until) {
      made = { client: make(), until: clock.now() + (catalogueToken / 2) * 1_000 };
    }
    return made.client;
  };
}

const httpUrl = (url: string): string => url.replace(/^libsql:/i, /[?&]tls=0\b/.test(url) ? "http:" : "https:");

function keyRejected({ where, requestId }: HttpAnswer): TenantryError {
  return new TenantryError("credentials-rejected", `The admin key was rejected (${where}: 401).`, {
    fix:
      "Set the server's --admin-auth-key: `pulumi config set --secret tenantry:apiToken`, or TENANTRY_API_TOKEN in the environment. " +
      "Refresh and destroy use the config of the last `pulumi up`; there only the environment takes effect.",
    requestId,
  });
}

function signatureRejected({ where, problem, requestId }: HttpAnswer): TenantryError {
  return new TenantryError(
    "credentials-rejected",
    `The server's catalogue was made with another signing key than tenantry:signingKey (${where}: 401 ${problem}).`,
    {
      fix:
        "Set the key that the first deploy had: `pulumi config set --secret tenantry:signingKey`, or TENANTRY_SIGNING_KEY in the environment. " +
        "No other one can sign tokens for the databases that exist.",
      requestId,
    },
  );
}

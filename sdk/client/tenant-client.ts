import { createAuthorizedFetch } from "../../provider/platform/authorized-fetch";
import { type TokenFor, createBearer } from "../../provider/platform/bearer";
import { TenantryError } from "../../provider/platform/errors";
import { type Client, createClient } from "../../provider/platform/libsql-client";
import { addressOf } from "../../provider/platform/sql";

/** For one request, in ms. */
const timeout = 30_000;

/**
 * `signal`: no request leaves any more once it is aborted. A client of `@libsql/client` over HTTP, whose token is renewed behind its back. Its `close` does nothing: others may
 * have the same client, and it holds no connection of its own.
 */
export function openTenantClient(tenant: string, url: string, token: TokenFor, signal?: AbortSignal): Client {
  const { origin, path } = addressOf(url);
  const authorized = createAuthorizedFetch(createBearer(token));
  const client = createClient({
    url,
    async fetch(request: Request) {
      signal?.throwIfAborted();
      const { reply } = await authorized(request, timeout, origin);
      if (reply.status === 401) throw rejected(tenant, `${new URL(origin).host}${path}`);
      return reply;
    },
  });
  client.close = () => undefined;
  return client;
}

const rejected = (tenant: string, host: string): TenantryError =>
  new TenantryError("credentials-rejected", `${tenant}: ${host} refuses its token, and a new one too (401).`, {
    fix: "Check that the token is for this database, which may have been made anew, and that the address is its own.",
  });

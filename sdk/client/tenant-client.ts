import { createAuthorizedFetch } from "../../provider/platform/authorized-fetch";
import { type TokenFor, createBearer } from "../../provider/platform/bearer";
import { TenantryError } from "../../provider/platform/errors";
import { type Client, createClient } from "../../provider/platform/libsql-client";
import type { Access, Platform } from "../../provider/platform/platform";
import { addressOf } from "../../provider/platform/sql";
import { clientOn } from "./sql-client";

/** For one request, in ms. */
const timeout = 30_000;

/** A tenant's database, and what a client of it may do. */
export interface Opened {
  /** The tenant, in messages. */
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly token: TokenFor;
  readonly access: Access;
  /** No request leaves any more once it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * A client of `@libsql/client` over HTTP, or what looks like one where the platform speaks something else. Its token is
 * renewed behind its back. Its `close` does nothing: others may have the same client, and it holds no connection of its own.
 */
export function openTenantClient(platform: Platform | undefined, opened: Opened): Client {
  const { id, name, url, ...options } = opened;
  const sql = platform?.openSql?.({ name, url }, options);
  return sql ? clientOn(id, sql) : libsqlClient(opened);
}

function libsqlClient({ id: tenant, url, token, signal }: Opened): Client {
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

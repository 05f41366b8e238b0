import type * as Libsql from "@libsql/client/http" with { "resolution-mode": "import" };

let loaded: typeof Libsql | undefined;

/**
 * Loads the client, if it is not yet: at the latest when the first database is spoken to, since it takes longer than a
 * run that has nothing to do there.
 *
 * The package ships CommonJS and ESM, but types for ESM only, so that a plain import from CommonJS does not compile. Its
 * "http" entry alone loads neither the WebSocket client nor the native one.
 */
export function loadClient(): typeof Libsql {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- see above
  return (loaded ??= require("@libsql/client/http") as typeof Libsql);
}

export const createClient: typeof Libsql.createClient = (config) => loadClient().createClient(config);

export const isLibsqlError = (error: unknown): error is Libsql.LibsqlError =>
  loaded !== undefined && error instanceof loaded.LibsqlError;

export const isBatchError = (error: unknown): error is Libsql.LibsqlBatchError =>
  loaded !== undefined && error instanceof loaded.LibsqlBatchError;

export type Client = Libsql.Client;
export type ResultSet = Libsql.ResultSet;
export type Statement = { sql: string; args: Libsql.InValue[] };
export type Value = Libsql.Value;

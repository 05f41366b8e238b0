import type * as Libsql from "@libsql/client/http" with { "resolution-mode": "import" };

// The package ships CommonJS and ESM, but types for ESM only, so that a plain import from CommonJS does not compile.
// Its "http" entry alone loads neither the WebSocket client nor the native one.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- see above
const client: typeof Libsql = require("@libsql/client/http");

export const { createClient, LibsqlError, LibsqlBatchError } = client;

export type Client = Libsql.Client;
export type ResultSet = Libsql.ResultSet;
export type Statement = { sql: string; args: Libsql.InValue[] };
export type Value = Libsql.Value;

import assert from "node:assert/strict";
import { persqlPlatform } from "../../../provider/drivers/persql";
import { TenantryError } from "../../../provider/platform/errors";
import type { Access, Platform } from "../../../provider/platform/platform";
import type { Sql } from "../../../provider/platform/sql-connection";
import type { Persql } from "./server";

export const platformOf = ({ url, adminToken }: Persql, apiToken = adminToken): Platform =>
  persqlPlatform({ apiUrl: url, apiToken, retry: { base: 1, longest: 4 } });

export const open = (platform: Platform, database: { name: string; hostname: string }, token?: string): Sql =>
  platform.openSql!(
    { name: database.name, url: platform.databaseUrl(database) },
    { access: "full-access", token: token === undefined ? undefined : async () => token },
  );

export const mint = async (platform: Platform, name: string, access: Access, lifetime = 600): Promise<string> =>
  (await platform.mintToken({ database: name }, { access, lifetime })).token;

export const asked = ({ requests }: Persql): string[] => requests.map(({ method, path }) => `${method} ${path}`);

export async function failure(work: Promise<unknown>): Promise<TenantryError> {
  const error: unknown = await work.then(() => undefined).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof TenantryError, `a TenantryError was expected, not ${String(error)}`);
  assert.match(error.message, /\.$/);
  return error;
}

export const one = { sql: "SELECT 1 AS one", args: [] };

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { libsqlServerPlatform, type LibsqlServerOptions } from "../../provider/drivers/libsql-server";
import { newSigningKey } from "../../provider/signing-key";
import type { Platform } from "../../provider/platform/platform";
import { findSqld } from "../../tools/sqld/find-sqld";
import { type Sqld, type SqldOptions, startSqld } from "../../tools/sqld/server";
import { canHave } from "./can-have";

/** A libsql-server with an admin key, and a process's driver for it. */
export interface ServedSqld extends Sqld {
  readonly adminKey: string;
  readonly signingKey: string;
  /** Template for `tenantry:databaseUrl`. */
  readonly databaseUrl: string;
  platform(options?: Partial<LibsqlServerOptions>): Platform;
  /** Past the driver: status and text. */
  admin(method: string, path: string, body?: object): Promise<{ status: number; text: string }>;
}

export async function serveSqld(options: Partial<SqldOptions> = {}): Promise<ServedSqld> {
  const directory = await mkdtemp(path.join(tmpdir(), "tenantry-sqld-"));
  const adminKey = `admin-${process.pid}`;
  const sqld = await startSqld({ namespaces: true, adminKey, directory: path.join(directory, "data"), ...options });
  const signingKey = newSigningKey();
  const databaseUrl = sqld.url.replace("127.0.0.1", "{name}.localhost");
  return {
    ...sqld,
    ...{ adminKey, signingKey, databaseUrl },
    platform: (more = {}) =>
      libsqlServerPlatform({ apiUrl: sqld.adminUrl, apiToken: adminKey, databaseUrl, signingKey, ...more }),
    async admin(method, at, body) {
      const headers = { authorization: `Basic ${adminKey}`, "content-type": "application/json" };
      const answer = await fetch(sqld.adminUrl + at, { method, headers, body: body && JSON.stringify(body) });
      return { status: answer.status, text: await answer.text() };
    },
    async close() {
      await sqld.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Tests on a real libsql-server, where one can be had. */
export function describeWithSqld(title: string, tests: () => void): void {
  describe(title, () => {
    before(async function () {
      if (!(await hasSqld(title))) this.skip();
    });
    tests();
  });
}

/** Says once what `title` goes without, or fails where CI is set. */
export const hasSqld = (title: string): Promise<boolean> => canHave(title, findSqld);

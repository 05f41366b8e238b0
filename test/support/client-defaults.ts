// What the run-time library does where nothing is said, measured: its rows of the README's table.
import type { Context } from "../../provider/context";
import { readClaims } from "../../provider/local/jwt";
import { createTenantry } from "../../sdk/client";
import { ClientCache } from "../../sdk/client/client-cache";
import { openFaultyLine } from "./faulty-line";

const inSeconds = (count: number): { seconds: number } => ({ seconds: count });

/** On a platform that has a group "eu". */
export function clientDefaults(
  { url: apiUrl, apiToken }: { readonly url: string; readonly apiToken: string },
  context: Context,
): Record<string, () => unknown> {
  const atLocal = { platform: "local", apiUrl, token: apiToken, group: "eu" };
  return {
    "createTenantry.cache.clients": async () => {
      const cache = new ClientCache<number>();
      for (let count = 0; count < 2_000; count++) await cache.get(String(count), async () => count);
      const { size } = cache;
      cache.clear();
      return size;
    },
    "createTenantry.cache.idle": async () => {
      const { setTimeout: set } = globalThis;
      const waits: (number | undefined)[] = [];
      globalThis.setTimeout = ((callback: () => void, ms?: number) => (waits.push(ms), set(callback, ms))) as never;
      const cache = new ClientCache<number>();
      try {
        await cache.get("a", async () => 1);
      } finally {
        globalThis.setTimeout = set;
        cache.clear();
      }
      // It looks twice in the time.
      return inSeconds((waits[0]! * 2) / 1_000);
    },
    "forEachTenant.concurrency": async () => {
      const tenants = Object.fromEntries(
        Array.from({ length: 300 }, (_, i) => [`t${i}`, { url: "http://127.0.0.1:1/" }]),
      );
      let begun = 0;
      const waiting = createTenantry({ tenants, tokenFor: () => "none" }).forEachTenant(async () => {
        begun += 1;
        await new Promise<void>((resolve) => setTimeout(resolve, 20));
      });
      await waiting.next();
      await waiting.return();
      return begun;
    },
    "forEachTenant.access": async () => {
      await context.platform.createDatabase({ name: "asked", group: "eu" });
      const line = await openFaultyLine(apiUrl);
      try {
        const where = { group: "eu" };
        const tenantry = createTenantry({ ...atLocal, apiUrl: line.url, access: "full-access" });
        for await (const _ of tenantry.forEachTenant((db) => db.execute("SELECT 1"), { where }));
      } finally {
        await line.close();
      }
      const [minted] = line.calls.filter(({ path: at }) => at.includes("/groups/eu/auth/tokens"));
      return new URL(minted!.path, apiUrl).searchParams.get("authorization");
    },
    "forEachTenant.onError": async () => {
      const tenantry = createTenantry({ tenants: { a: { url: "http://127.0.0.1:1/" } }, tokenFor: () => "none" });
      for await (const { ok } of tenantry.forEachTenant(() => Promise.reject(new Error())))
        return ok ? "none" : "result";
    },
    "provision.access": async () => {
      const error = await createTenantry(atLocal)
        .provision("a")
        .catch((thrown: unknown) => thrown);
      return /no "([^"]+)" tokens/.exec(String(error))?.[1];
    },
    "provision.tokenTtl": async () => {
      const { token: minted } = await createTenantry({ ...atLocal, access: "full-access" }).provision("a");
      const claims = readClaims(minted)!;
      return inSeconds(claims.exp! - claims.iat!);
    },
    "provision.ttl": async () => {
      const { database } = await createTenantry({ ...atLocal, access: "full-access" }).provision("a");
      const claims = (await (await context.existingRegistry("eu", "organization/readme/test"))?.all()) ?? [];
      const claim = claims.find(({ name }) => name === database.name)!;
      return claim.expiresAt ?? "never";
    },
    "Tokens of connect": async () => {
      await context.platform.createDatabase({ name: "connected", group: "eu" });
      const line = await openFaultyLine(apiUrl);
      try {
        await createTenantry({ ...atLocal, apiUrl: line.url, access: "full-access" }).connect("connected");
      } finally {
        await line.close();
      }
      const [minted] = line.calls.filter(({ path: at }) => at.includes("/databases/connected/auth/tokens"));
      return new URL(minted!.path, apiUrl).searchParams.get("expiration");
    },
  };
}

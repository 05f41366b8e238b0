import assert from "node:assert/strict";
import { createTenantry } from "../../sdk/client";
import { makeWorkspace, withStandIn } from "../support/tenantsdb/scene";

describe("connectionString", () => {
  it("is what a client of the database's own kind takes; connect says so", () =>
    withStandIn({}, async ({ standIn, platform, project }) => {
      await makeWorkspace(standIn, "app", "PostgreSQL");
      await makeWorkspace(standIn, "cache", "Redis");
      const { apiKey, proxyPassword } = standIn.project;
      const parts = [{ blueprint: "app" }, { blueprint: "cache" }];
      await platform.createDatabase({ name: "acme", group: project, parts });
      await platform.createDatabase({ name: "globex", group: project, parts: [{ blueprint: "app" }] });
      const where = { platform: "tenantsdb", organization: project, token: apiKey, apiUrl: standIn.url } as const;
      const environment = process.env["TENANTRY_PROXY_PASSWORD"];
      const stranger = createTenantry(where);
      try {
        await assert.rejects(stranger.connectionString("globex"), { code: "credentials-missing", message: /masked/ });
        process.env["TENANTRY_PROXY_PASSWORD"] = proxyPassword;
        const tenantry = createTenantry(where);
        const text = `postgresql://${project}:${proxyPassword}@pg.tenantsdb.com:5432/app__globex?sslmode=require`;
        assert.equal(await tenantry.connectionString("globex"), text);
        await assert.rejects(tenantry.connectionString("acme"), { message: /acme has "app", "cache"/ });
        const cache = { blueprint: "cache" };
        await assert.rejects(tenantry.connectionString("acme", cache), { code: "needs-decision" });
        const allowed = await tenantry.connectionString("acme", { ...cache, allowApiKey: true });
        assert.equal(allowed, `rediss://acme:${apiKey}@redis.tenantsdb.com:6379/0`);
        await assert.rejects(tenantry.connectionString("nobody"), { code: "database-not-found" });
        assert.throws(
          () => createTenantry({ ...where, organization: undefined }),
          /Pass organization to createTenantry/,
        );
        await assert.rejects(tenantry.connect("acme"), { code: "unsupported", message: /Use connectionString/ });
      } finally {
        if (environment === undefined) delete process.env["TENANTRY_PROXY_PASSWORD"];
        else process.env["TENANTRY_PROXY_PASSWORD"] = environment;
      }
    }));
});

import assert from "node:assert/strict";
import { createContext } from "../../provider/context";
import { TenantryError } from "../../provider/platform/errors";
import { openSql } from "../../provider/platform/sql";
import { readSettings } from "../../provider/platform/settings";
import { previewDown } from "../../provider/preview/down";
import type { PreviewOrder } from "../../provider/preview/order";
import { previewUp } from "../../provider/preview/up";
import { describeWithSqld, serveSqld } from "../support/sqld";

describeWithSqld("a pull request's branches on a libsql-server", () => {
  it("are copies, masked or without rows, with tokens that open nothing else, and go", async function () {
    this.timeout(120_000);
    const sqld = await serveSqld();
    try {
      const given = { platform: "libsql-server", apiUrl: sqld.adminUrl, apiToken: sqld.adminKey };
      const addresses = { databaseUrl: sqld.databaseUrl, signingKey: sqld.signingKey };
      const context = createContext(sqld.platform(), readSettings({ ...given, ...addresses }, {}));
      const { platform } = context;
      await platform.createGroup({ name: "eu", location: "default" });
      const source = await platform.createDatabase({ name: "acme", group: "eu" });
      const its = context.sql({ ...source, group: "eu" });
      await its.ready();
      await its.batch(["CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)"], "write");
      await its.batch(["INSERT INTO users VALUES (1, 'ada@acme.test')"], "write");
      const of = { repository: "shop/app", group: "eu" };
      const order = (pullRequest: number, more: Partial<PreviewOrder>): PreviewOrder => ({
        ...{ ...of, pullRequest, tenants: [{ tenant: "acme", source: "acme" }], data: "copy" },
        ...{ expiresAt: null, fleetTenants: 1, ...more },
      });
      const rows = [];
      for (const [i, more] of [
        { data: "copy" },
        { data: "masked", mask: { users: { email: "hash" } } },
        { data: "schema-only" },
      ].entries()) {
        const { report, tokens } = await previewUp(context, order(i + 1, more as Partial<PreviewOrder>));
        const [branch] = report.branches;
        assert.deepEqual([branch!.state, branch!.error], ["ready", null]);
        const { token } = tokens.get("acme")!;
        const ask = async (url: string) => {
          const sql = openSql({ url, token: async () => token });
          try {
            return (await sql.execute({ sql: "SELECT email FROM users", args: [] })).rows;
          } finally {
            sql.close();
          }
        };
        rows.push((await ask(branch!.url)).map(({ email }) => email));
        await assert.rejects(
          ask(platform.databaseUrl(source)),
          (error) => error instanceof TenantryError && error.code === "credentials-rejected",
        );
      }
      assert.deepEqual(rows[0], ["ada@acme.test"]);
      assert.match(String(rows[1]![0]), /^[0-9a-f]{24}$/);
      assert.deepEqual(rows[2], []);
      for (const pullRequest of [1, 2, 3]) {
        const { deleted, left } = await previewDown(context, { ...of, pullRequest });
        assert.deepEqual([deleted.length, left], [1, []]);
      }
      const names: string[] = [];
      for await (const { name } of platform.listDatabases()) names.push(name);
      assert.deepEqual(names.sort(), ["acme", "tenantry-registry-eu"]);
    } finally {
      await sqld.close();
    }
  });
});

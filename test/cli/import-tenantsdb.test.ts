import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ModuleKind, transpile } from "typescript";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { usePostgres } from "../support/postgres";
import { makeWorkspace } from "../support/tenantsdb/scene";
import { withShop } from "../support/tenantsdb/shop";

const main = path.resolve(__dirname, "..", "..", "dist", "sdk", "cli", "main.js");
type Declared = Partial<TenantDatabaseInputs> & { readonly resource: string };

/** What a program declares that imports this module. */
function declaredIn(file: string): Declared[] {
  const declared: Declared[] = [];
  const tenantry = {
    TenantDatabase: class {
      constructor(resource: string, args: Partial<TenantDatabaseInputs>) {
        declared.push({ resource, ...args });
      }
    },
  };
  const text = transpile(readFileSync(file, "utf8"), { module: ModuleKind.CommonJS });
  new Function("exports", "require", text)({}, (name: string) => (assert.equal(name, "tenantry"), tenantry));
  return declared;
}

describe("tenantry import on TenantsDB", () => {
  const postgres = usePostgres("tenantry import on TenantsDB");

  it("writes a module that declares what exists, which a deploy adopts without changing any of it", function () {
    this.timeout(60_000);
    const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-import-"));
    return withShop({ postgres: postgres() }, async ({ standIn, platform, project, context, fresh, tenant }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      await makeWorkspace(standIn, "cache", "Redis");
      const parts = [{ blueprint: "docs", isolation: "L2", region: "us-east" }, { blueprint: "cache" }];
      await platform.createDatabase({ name: "shop_acme", group: project, parts });
      await platform.createDatabase({ name: "shop_bolt", group: project, parts: [{ blueprint: "docs" }] });
      await platform.awaitDatabase!("shop_acme", 60_000);
      const had = tenant("shop_had", { databases: [{ blueprint: "docs" }] });
      await tenantDatabase.create({ inputs: had, context });
      const env = {
        PATH: process.env["PATH"],
        TENANTRY_PLATFORM: "tenantsdb",
        TENANTRY_ORGANIZATION: project,
        TENANTRY_API_URL: standIn.url,
        TENANTRY_API_TOKEN: standIn.project.apiKey,
        TENANTRY_PROXY_PASSWORD: standIn.project.proxyPassword,
      };
      const run = async (...args: string[]) => {
        const options = { env, cwd: folder };
        const { stdout } = await promisify(execFile)(process.execPath, [main, "import", ...args], options);
        for (const secret of [standIn.project.proxyPassword, standIn.project.apiKey]) {
          assert.ok(!stdout.includes(secret), stdout);
        }
        return stdout;
      };
      const file = path.join(folder, "tenants.ts");
      const listed = JSON.parse(await run("--dry-run", "--json")) as { tenants: object[]; skipped: object[] };
      assert.deepEqual([listed.tenants.length, listed.skipped.length, existsSync(file)], [2, 1, false]);

      const said = await run("--pattern", "shop_{id}");
      assert.match(said, /Written to tenants\.ts: 2 tenants/);
      assert.match(said, /Say `import "\.\/tenants"` in your program, and run `pulumi up`/);
      assert.match(said, /shop_had: organization\/shop\/dev\/shop_had has it/);
      await assert.rejects(run(), /exists already/);

      const declared = declaredIn(file);
      assert.deepEqual(
        declared.map(({ resource, tenant: id, name, databases }) => [resource, id, name, databases]),
        [
          [
            "acme",
            "acme",
            "shop_acme",
            [
              { blueprint: "docs", isolation: "L2" },
              { blueprint: "cache", isolation: "L1" },
            ],
          ],
          ["bolt", "bolt", "shop_bolt", [{ blueprint: "docs", isolation: "L1" }]],
        ],
      );
      const before = standIn.requests.length;
      for (const { resource, ...args } of declared) {
        const inputs = tenant(args.name!, { ...args, self: `organization/shop/dev/${resource}` });
        const { outputs } = await tenantDatabase.create({ inputs, context: fresh() });
        assert.equal(outputs.adopted, true);
      }
      const changes = standIn.requests
        .slice(before)
        .filter((one) => one.method !== "GET" && /^\/tenants/.test(one.path));
      assert.deepEqual(changes, []);
      assert.equal(standIn.project.tenants.get("shop_acme")?.databases[0]?.region, "us-east");
    }).finally(() => rmSync(folder, { recursive: true }));
  });
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { RunError } from "@pulumi/pulumi";
import { openSql } from "../../provider/platform/sql";
import { migrate } from "../../provider/rollout/migrate";
import { readMigrations } from "../../provider/rollout/source";
import type * as Tenantry from "../../sdk";
import { mint } from "../local/api-caller";
import { type CountedPlatform, withCountedPlatform } from "../support/counted-platform";

/** As built, since what it imports late is a file of JavaScript; and not before that is built. */
const getSchemaDrift: typeof Tenantry.getSchemaDrift = (options) =>
  (createRequire(__filename)("../../dist/sdk") as typeof Tenantry).getSchemaDrift(options);

async function withTenants(use: (platform: CountedPlatform, migrations: string) => Promise<void>): Promise<void> {
  const migrations = await mkdtemp(path.join(tmpdir(), "tenantry-drift-"));
  const before = { ...process.env };
  try {
    await writeFile(path.join(migrations, "0001_notes.sql"), "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);");
    await withCountedPlatform({}, async (platform) => {
      Object.assign(process.env, platform.env);
      for (const [name, group] of Object.entries({ acme: "eu", initech: "eu", umbrella: "us" })) {
        if (name !== "initech") await platform.api.ok("POST", "/groups", { name: group, location: "local" });
        await platform.api.ok("POST", "/databases", { name, group });
        const token = await mint(platform.api, `databases/${name}`);
        const sql = openSql({ url: platform.databaseUrl(name), token: () => Promise.resolve(token) });
        await migrate({ sql, database: name, migrations: readMigrations(migrations).migrations, run: undefined });
        sql.close();
      }
      await platform.sql("eu", "initech", "ALTER TABLE notes ADD COLUMN by_hand");
      await use(platform, migrations);
    });
  } finally {
    process.env = before;
    await rm(migrations, { recursive: true, force: true });
  }
}

describe("getSchemaDrift", () => {
  it("looks at all tenants, at a group's, or at those named, and says which have drifted", async () => {
    await withTenants(async (platform, migrations) => {
      const states = async (options: { group?: string; tenants?: string[] }) =>
        Object.fromEntries(
          (await getSchemaDrift({ migrations, ...options })).map(({ tenant, state }) => [tenant, state]),
        );
      const { result, asked } = await platform.during(() => states({}));
      assert.deepEqual(result, { acme: "in-sync", initech: "drifted", umbrella: "in-sync" });
      assert.deepEqual(
        Object.keys(asked.writes).filter((call) => !call.endsWith("/auth/tokens")),
        [],
      );
      assert.deepEqual(await states({ group: "us" }), { umbrella: "in-sync" });
      assert.deepEqual(await states({ tenants: ["initech", "hooli"] }), { initech: "drifted", hooli: "unknown" });
    });
  });

  it("fails with a message alone where the folder is none", async () => {
    await withTenants(async () => {
      await assert.rejects(getSchemaDrift({ migrations: "nowhere" }), (error: unknown) => {
        assert.ok(error instanceof RunError);
        assert.match(error.message, /the folder "nowhere" does not exist/);
        return true;
      });
    });
  });
});

import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { usePostgres } from "../support/postgres";
import { makeWorkspace } from "../support/tenantsdb/scene";
import { withShop } from "../support/tenantsdb/shop";
import { runCli } from "./run-cli";

describe("tenantry restore and place on TenantsDB", function () {
  this.timeout(240_000);
  const postgres = usePostgres("tenantry restore and place on TenantsDB");

  it("puts a tenant back to a moment where it is, takes that back, and says where that cannot be", () =>
    withShop({ postgres: postgres() }, async ({ standIn, project, tenant, fresh }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      for (const [name, isolation] of [
        ["acme", "L2"],
        ["bolt", "L1"],
      ] as const) {
        const inputs = tenant(name, { databases: [{ blueprint: "docs", isolation }] });
        await tenantDatabase.create({ inputs, context: fresh() });
      }
      const env = {
        ...{ TENANTRY_PLATFORM: "tenantsdb", TENANTRY_ORGANIZATION: project, TENANTRY_API_URL: standIn.url },
        TENANTRY_API_TOKEN: standIn.project.apiKey,
      };
      const cli = async (code: number, ...args: string[]): Promise<string> => {
        const ended = await runCli(args, { cwd: tmpdir(), env });
        assert.equal(ended.code, code, ended.stdout + ended.stderr);
        return code === 0 ? ended.stdout : ended.stderr;
      };
      const restore = (code: number, ...args: string[]) => cli(code, "restore", ...args);
      const stored = standIn.project.tenants.get("acme")!;
      const then = "2026-11-27T09:30:00Z";
      const said = await restore(0, "acme", "--timestamp", then);
      const undoable =
        /acme: it is as it was at 2026-11-27T09:30:00Z\. Until (\S+) `npx tenantry restore acme --undo` undoes/;
      assert.equal(undoable.exec(said)?.[1], stored.undoUntil?.toISOString(), said);
      assert.match(await restore(0, "acme", "--undo"), /acme: the last restore is undone\./);
      assert.equal(stored.undoUntil, undefined);
      assert.match(await restore(1, "acme", "--undo"), /window of 24 hours is over, or there was none/);
      assert.match(await restore(1, "bolt", "--timestamp", then), /on isolation L1 there are backups/);
      assert.match(await restore(1, "acme", "--timestamp", "yesterday"), /--timestamp: "yesterday" is not a moment/);
      assert.match(await restore(1, "acme", "--timestamp", then, "--undo"), /cannot be used with/);
      const sent = standIn.requests.filter(({ path }) => /\/recover/.test(path)).map(({ path }) => path);
      assert.deepEqual(sent, ["/tenants/acme/recover", "/tenants/acme/recover-undo"]);

      const place = (code: number, ...args: string[]) => cli(code, "place", ...args);
      assert.match(await place(0, "acme", "--region", "us-east"), /^acme: docs is on L2 in us-east\.$/m);
      assert.equal(stored.databases[0]?.region, "us-east");
      assert.match(await place(0, "acme", "--isolation", "L1", "--blueprint", "docs"), /^acme: docs is on L1\.$/m);
      assert.equal(stored.databases[0]?.level, 1);
      assert.match(await place(1, "acme"), /say where to/);
      assert.match(await place(1, "acme", "--isolation", "high"), /--isolation: "high" is no level/);
      assert.match(await place(1, "acme", "--region", "us-east"), /only a database on L2 has one/);
      assert.match(
        await place(1, "acme", "--isolation", "L2", "--blueprint", "app"),
        /Say which one: --blueprint docs/,
      );
    }));
});

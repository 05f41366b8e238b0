import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext } from "../../provider/context";
import { persqlPlatform } from "../../provider/drivers/persql";
import { readSettings } from "../../provider/platform/settings";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { tenant } from "../support/bench";
import { slugOf } from "../support/persql/namespace";
import { withPersql } from "../support/persql/server";
import { type Ended, runCli } from "./run-cli";

describe("tenantry on PerSQL, where nothing can be deleted", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("keeps what is due and says so, until somebody deletes it there; and says that the balance is used up", () =>
    withPersql(async ({ url, adminToken, namespace }) => {
      const cwd = await mkdtemp(join(tmpdir(), "tenantry-life-"));
      const env = { TENANTRY_PLATFORM: "persql", TENANTRY_API_URL: url, TENANTRY_API_TOKEN: adminToken };
      const cli = async (args: string, code = 0): Promise<Ended> => {
        const ended = await runCli(args.split(" "), { cwd, env });
        const said = `${ended.stdout}${ended.stderr}`;
        assert.ok(!said.includes(adminToken), "it prints the token");
        assert.equal(ended.code, code, said);
        return ended;
      };
      try {
        const platform = persqlPlatform({ apiUrl: url, apiToken: adminToken });
        const settings = readSettings({ platform: "persql", apiUrl: url, apiToken: adminToken }, {});
        // What `provision` records with a ttl; a program would be refused it.
        const inputs = tenant("bolt", { group: "acme", expiresAt: "2026-01-01T00:00:00.000Z" });
        await tenantDatabase.create({ inputs, context: createContext(platform, settings) });
        const kept = /^bolt +acme +2026-01-01\S+ +kept: persql deletes no database for a program: delete it in the pl/m;
        for (const args of ["reap", "reap --yes"]) {
          const { stdout } = await cli(args);
          assert.match(stdout, kept);
          assert.match(stdout, /^1 kept\.$/m);
          assert.ok(namespace.databases.has(slugOf("bolt")));
        }
        for (const [args, says] of [
          ["suspend bolt", /persql cannot suspend a tenant and keep its data\. Let its tokens run out/],
          ["restore bolt --backup b", /--backup: persql has no backups that can be named/],
          ["deployments", /persql has no deployments: Tenantry brings a schema to each of its tenants itself/],
        ] as const) {
          assert.match((await cli(args, 1)).stderr, says);
        }
        namespace.databases.delete(slugOf("bolt"));
        assert.match((await cli("reap --yes")).stdout, /^bolt .*gone already$/m);
        assert.match((await cli("reap")).stdout, /^Nothing has an end\.$/m);
        namespace.balance = 0;
        assert.match((await cli("reap", 1)).stderr, /^tenantry: .*prepaid balance.*402/i);
      } finally {
        await rm(cwd, { recursive: true, force: true });
      }
    }));
});

import assert from "node:assert/strict";
import type { EndingRow } from "../../sdk/cli/reap/endings";
import { withLifeScene } from "./life-scene";

const past = "2026-01-01T00:00:00.000Z";
type Document = { readonly format: number; readonly dryRun: boolean; readonly databases: readonly EndingRow[] };
const told = ({ databases }: Document): string[] => databases.map(({ name, status }) => `${name} ${status}`);

describe("tenantry reap", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("shows first, deletes what is due when told so, and finds nothing the second time", async () => {
    await withLifeScene(async ({ bench, cli, json, make }) => {
      await bench.api.ok("POST", "/databases", { name: "adopted", group: "eu" });
      await make("adopted", { adopt: "unowned", expiresAt: past });
      await make("over", { expiresAt: past, tenant: "42" });
      await make("over-2", { expiresAt: past });
      await make("later", { expiresAt: "2999-01-01T00:00:00Z" });
      await make("forever");

      const shown = await cli("reap", 2);
      assert.match(shown.stdout, /^Platform local:.* \(TENANTRY_PLATFORM\)\.$/m);
      assert.match(shown.stdout, /^over +eu +2026-01-01T00:00:00.000Z +to be deleted$/m);
      assert.match(shown.stdout, /^adopted .*kept: it was there before Tenantry had it/m);
      assert.match(shown.stdout, /^2 to be deleted, 1 kept, 1 database with an end to come, the next at 2999-01-01/m);
      assert.match(shown.stdout, /^Nothing was deleted: --yes deletes what is due\.$/m);
      assert.equal((await bench.databases()).length, 5);

      const one = await json<Document>("reap over --yes");
      assert.deepEqual([one.format, one.dryRun, told(one)], [1, false, ["over reaped"]]);
      assert.deepEqual([one.databases[0]?.tenant, one.databases[0]?.endsAt], ["42", past]);
      const rest = await json<Document>("reap --yes");
      assert.deepEqual(told(rest), ["adopted kept", "over-2 reaped", "later later"]);
      assert.deepEqual(await bench.databases(), ["adopted", "forever", "later"]);
      assert.deepEqual(told(await json<Document>("reap")), ["adopted kept", "later later"]);
    });
  });

  it("says what could not be deleted or told, and goes on with the others", async () => {
    await withLifeScene(async ({ bench, cli, json, make }) => {
      await make("over", { expiresAt: past });
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-eu-west-1" });
      await bench.api.ok("POST", "/databases", { name: "tenantry-registry-us", group: "us" });
      await bench.api.ok("PATCH", "/databases/tenantry-registry-us/configuration", { block_reads: true });
      const ended = await cli("reap --yes", 3);
      assert.match(ended.stdout, /^The registry of group "us" was not read: .*blocked/m);
      assert.match(ended.stdout, /^1 deleted\.$/m);
      assert.deepEqual(told(await json<Document>("reap --group eu")), []);
    });
  });
});

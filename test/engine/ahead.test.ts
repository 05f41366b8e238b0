import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { tenantUrn, withScene } from "../support/scene";

const names = Array.from({ length: 12 }, (_, i) => `t${i + 1}`);

const program = `
import { TenantDatabase } from "tenantry";
for (const name of ${JSON.stringify(names)}) new TenantDatabase(name, { group: "eu" });
`;

describe("intents written ahead, on the engine", function () {
  this.timeout(290_000);

  it("leave none behind of tenants that a run does not create: targeted, failing or going on", async () => {
    await withScene({ files: { "index.ts": program } }, async ({ project, claims, make, tenants }) => {
      const states = async (): Promise<string[]> =>
        (await claims()).map((claim) => claim.split(" ").slice(1, 3).join(" "));
      const few = ["--parallel", "2"];
      await project.up({ args: [...few, ...["t2", "t5", "t9"].flatMap((name) => ["--target", tenantUrn(name)])] });
      assert.deepEqual(await states(), ["t2 held", "t5 held", "t9 held"]);

      await make("t7");
      await project.up({ args: few, fails: true });
      const after = await states();
      assert.ok(!after.some((state) => state.endsWith("open")), after.join(", "));

      await project.up({ args: [...few, "--continue-on-error"], fails: true });
      assert.deepEqual(
        await states(),
        names
          .filter((name) => name !== "t7")
          .map((name) => `${name} held`)
          .sort(),
      );
      assert.deepEqual(await tenants(), [...names].sort());
    });
  });
});

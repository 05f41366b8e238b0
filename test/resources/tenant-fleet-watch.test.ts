import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type ErrorCode, TenantryError } from "../../provider/platform/errors";
import { readSettings } from "../../provider/platform/settings";
import { createWatch } from "../../provider/resources/tenant-fleet/watch";

/** Works on 400 tenants, one after the other eight at a time; answers how many were begun, and why it stopped. */
async function begun(codeOf: (tenant: number) => ErrorCode | undefined) {
  const settings = readSettings({ platform: "local", concurrency: "1" }, {});
  const watch = createWatch({ settings }, () => undefined);
  let count = 0;
  const failed: number[] = [];
  const tenants = Array.from({ length: 400 }, (_, i) => i);
  const work = async (tenant: number): Promise<void> => {
    count += 1;
    await Promise.resolve();
    const code = codeOf(tenant);
    if (code) throw new TenantryError(code, `tenant ${tenant}`);
  };
  await watch.each(tenants, work, (tenant) => failed.push(tenant));
  return { count, failed, stopped: watch.stopped?.code };
}

describe("who fails in a fleet", () => {
  for (const code of ["credentials-rejected", "superseded", "cancelled", "forbidden"] as const) {
    it(`with "${code}" is the last to be begun, beside those that are under way`, async () => {
      const { count, stopped } = await begun((tenant) => (tenant === 10 ? code : undefined));
      assert.equal(stopped, code);
      assert.ok(count < 40, `${count} were begun`);
    });
  }

  it("for reasons of its own stops nobody, however many they are", async () => {
    const { count, failed, stopped } = await begun((tenant) => (tenant < 300 ? "already-exists" : undefined));
    assert.deepEqual([count, failed.length, stopped], [400, 300, undefined]);
  });

  it("for the platform's stops the others when nobody succeeds in between", async () => {
    const down = await begun((tenant) => (tenant < 50 ? undefined : "unavailable"));
    assert.equal(down.stopped, "unavailable");
    assert.ok(down.failed.length < 30, `${down.failed.length} failed`);
    const shaky = await begun((tenant) => (tenant % 3 === 0 ? "unavailable" : undefined));
    assert.deepEqual([shaky.count, shaky.stopped], [400, undefined]);
  });
});

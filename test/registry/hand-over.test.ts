import assert from "node:assert/strict";
import { giveUp, handOver } from "../../provider/registry/hand-over";
import { type RecordedClaim, begunAt, inspectClaims, withRegistrySql } from "../../provider/registry/inspect";
import type { Sql } from "../../provider/platform/sql";
import { registryName } from "../../provider/registry/reserved-names";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { type Bench, addressOf, stack, tenant, withBench } from "../support/bench";

const other = "organization/blog/prod";
const to = (owner: string, address = addressOf("acme", other), databaseId = "id") => ({
  ...{ address, owner, incarnation: `incarnation of ${owner}`, databaseId },
});

/** A registry with what the tenants' creates left in it; `look` reads the claim on a name. */
async function withClaims(
  names: string[],
  use: (scene: { bench: Bench; sql: Sql; look: (name: string) => Promise<RecordedClaim | undefined> }) => Promise<void>,
): Promise<void> {
  await withBench(async (bench) => {
    const context = bench.context();
    for (const name of names) await tenantDatabase.create({ inputs: tenant(name), context });
    const { platform } = context;
    const database = (await platform.getDatabase(registryName("eu")))!;
    await withRegistrySql({ platform, group: "eu", database, access: "full-access" }, (sql) =>
      use({ bench, sql, look: async (name) => (await inspectClaims(sql)).find((claim) => claim.name === name) }),
    );
  });
}

describe("handing claims over", () => {
  it("gives a claim a new owner, once: of two at the same time one wins", async () => {
    await withClaims(["acme"], async ({ sql, look }) => {
      const read = (await look("acme"))!;
      const both = await Promise.all([handOver(sql, read, to("one")), handOver(sql, read, to("two"))]);
      const now = (await look("acme"))!;
      assert.ok(["one", "two"].includes(now.owner));
      assert.deepEqual(
        both.map((claim) => claim?.owner),
        [now.owner, now.owner],
      );
      assert.deepEqual([now.address, now.state, now.databaseId], [addressOf("acme", other), "held", "id"]);
    });
  });

  it("changes nothing when sent again, nor after the claim has changed", async () => {
    await withClaims(["acme"], async ({ sql, look }) => {
      const read = (await look("acme"))!;
      await handOver(sql, read, to("one"));
      const stands = await look("acme");
      assert.deepEqual(await handOver(sql, read, to("one")), stands);
      assert.deepEqual(await giveUp(sql, read), stands);
      assert.equal(await giveUp(sql, stands!), undefined);
      assert.equal(await giveUp(sql, stands!), undefined);
      assert.equal(await handOver(sql, read, to("two")), undefined);
    });
  });

  it("refuses an address that has another name", async () => {
    await withClaims(["acme", "globex"], async ({ sql, look }) => {
      const read = (await look("acme"))!;
      assert.deepEqual(await handOver(sql, read, to("one", addressOf("globex"))), read);
    });
  });

  it("overtakes a run that is still at work for the former holder, and no other", async () => {
    await withClaims(["acme", "globex"], async ({ bench, sql, look }) => {
      const context = bench.context();
      const made = await tenantDatabase.create({ inputs: tenant("initech"), context });
      const others = (await bench.context().existingRegistry("eu", other))!;
      await others.run();
      assert.ok(await handOver(sql, (await look("acme"))!, to("one")));
      const removal = tenantDatabase.delete({ id: made.id, outputs: made.outputs, context });
      await assert.rejects(removal, { code: "superseded" });
      assert.ok((await bench.databases()).includes("initech"));
      const claim = (await others.find("database", "acme"))!;
      await others.amend(claim, { ...claim, tenant: "42" });
      assert.equal((await look("acme"))!.tenant, "42");

      const later = (await bench.context().existingRegistry("eu", stack))!;
      await later.run();
      await giveUp(sql, (await look("globex"))!);
      await assert.rejects(later.deleting((await later.find("database", "initech"))!), { code: "superseded" });
    });
  });

  it("leaves what existed before an intent marked as somebody's", async () => {
    await withClaims(["acme"], async ({ bench, sql, look }) => {
      const registry = await bench.context().registry("eu", stack);
      const intent = { kind: "database", address: addressOf("old"), formerAddresses: [], owner: "o" } as const;
      await registry.claim({
        ...intent,
        name: "old",
        incarnation: "i",
        existed: true,
        defaultName: false,
        force: false,
      });
      const now = await handOver(sql, (await look("old"))!, to("one"));
      assert.deepEqual([now?.state, now?.adopted], ["held", true]);
    });
  });

  it("tells when the run began, as far as its number can be a time", () => {
    const now = Date.parse("2030-01-02T00:00:00Z");
    assert.equal(begunAt({ run: now / 1000 - 60 }, now)?.toISOString(), "2030-01-01T23:59:00.000Z");
    for (const run of [1, 1_000, now / 1000 + 100_000]) assert.equal(begunAt({ run }, now), undefined);
  });
});

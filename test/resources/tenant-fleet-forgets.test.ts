import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Fate, LineCall } from "../support/faulty-line";
import { member, recordsOf, withFleetScene } from "../support/fleet-scene";

const isCreateOf =
  (name: string) =>
  ({ method, path, body }: LineCall): boolean =>
    method === "POST" && path.endsWith("/databases") && body.includes(`"${name}"`);

describe("a tenant of which a fleet's state has no database", function () {
  this.timeout(60_000);

  for (const how of ["is taken out of the fleet", "goes with the fleet"] as const) {
    it(`leaves alone what somebody made in another group under its name, when it ${how}`, async () => {
      await withFleetScene(async ({ bench, declare, up, destroy, state }) => {
        // The request never arrives, and nobody can tell: the intent stays.
        const isCreate = isCreateOf("t-a");
        let lost = false;
        const fate = (call: LineCall): Fate => {
          if (isCreate(call)) return (lost = true) && "drop";
          return lost && call.path.endsWith("/databases/t-a") ? { status: 503, text: "{}" } : "pass";
        };
        const { context } = await bench.contextOn(fate);
        await assert.rejects(up(declare([member("a"), member("b")]), context));
        assert.equal((await bench.claims()).find(({ name }) => name === "t-a")?.state, "open");
        await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
        await bench.api.ok("POST", "/databases", { name: "t-a", group: "us" });

        if (how === "goes with the fleet") await destroy();
        else await up(declare([member("b")]));
        assert.ok((await bench.databases()).includes("t-a"), "somebody else's database was deleted");
        assert.equal(
          (await bench.claims()).find(({ name }) => name === "t-a"),
          undefined,
        );
        if (how === "is taken out of the fleet") assert.deepEqual(Object.keys(recordsOf(state().outputs)), ["b"]);
      });
    });

    it(`stays in the trash, and can be brought back, when it ${how} after a death and a refresh`, async () => {
      await withFleetScene(async ({ bench, declare, up, doomedUp, refresh, destroy, state }) => {
        await up(declare([member("a", { deletionPolicy: "soft" }), member("b")]));
        const id = await bench.databaseId("t-a");
        // The trash has it, and state was not told.
        await doomedUp(declare([member("b")]), bench.context());
        const claim = async () => (await bench.claims()).find(({ name }) => name === "t-a");
        assert.equal((await claim())?.state, "trashed");
        assert.equal(recordsOf(await refresh())["a"]!.state, "gone");

        if (how === "goes with the fleet") await destroy();
        else await up(declare([member("b")]));
        assert.equal(await bench.databaseId("t-a"), id);
        assert.deepEqual([(await claim())?.state, (await claim())?.databaseId], ["trashed", id]);
        if (how === "is taken out of the fleet") {
          assert.deepEqual(Object.keys(recordsOf(state().outputs)), ["b"]);
          const back = await up(declare([member("a", { adopt: "restore" }), member("b")]));
          assert.equal(recordsOf(back!.outputs)["a"]!.databaseId, id);
        }
      });
    });
  }

  it("leaves no orphan of a create whose reply was lost, when it has another name then", async () => {
    await withFleetScene(async ({ bench, declare, up }) => {
      const isCreate = isCreateOf("t-a");
      let lost = false;
      const { context } = await bench.contextOn((call) => {
        if (isCreate(call) && !lost) return (lost = true) && "lose";
        return lost && (isCreate(call) || call.path.endsWith("/databases/t-a")) ? { status: 503, text: "{}" } : "pass";
      });
      await assert.rejects(up(declare([member("a"), member("b")]), context));
      assert.deepEqual(await bench.databases(), ["t-a", "t-b"]);
      const renamed = await up(declare([member("a", { name: "acme" }), member("b")]));
      assert.equal(renamed!.outputs.open, 0);
      assert.deepEqual(await bench.databases(), ["acme", "t-b"]);
      assert.deepEqual((await bench.claims()).map(({ name }) => name).sort(), ["acme", "t-b"]);
    });
  });
});

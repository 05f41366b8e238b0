import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { TenantFleetInputs } from "../../provider/resources/tenant-fleet/inputs";
import { addressOf } from "../support/bench";
import type { Fate, LineCall } from "../support/faulty-line";
import { type FleetScene, member, recordsOf, withFleetScene } from "../support/fleet-scene";

const first = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };
const second = { ...first, "0002_texts.sql": "CREATE TABLE texts (text TEXT);" };

/** What is declared at first, and what then; ids carry a number, so that fleets stand beside each other. */
function story({ declare }: FleetScene, n: number, [one, two]: [string, string]) {
  const self = addressOf(`prod-${n}`);
  const ids = ["a", "b", "c", "d", "e"].map((letter) => `${letter}${n}`);
  const at = (schema: string) => (id: string) => member(id, { schema });
  const [changed, ...same] = ids.slice(1).map(at(two));
  return {
    ids,
    created: (): TenantFleetInputs => declare(ids.slice(0, 4).map(at(one)), { self }),
    updated: (): TenantFleetInputs => declare([{ ...changed!, blockWrites: true }, ...same], { self }),
  };
}

/** All that is declared is there, once, its claim held, and nothing else of this fleet. */
async function assertWhole(
  { bench, state }: FleetScene,
  ids: readonly string[],
  all: readonly string[],
): Promise<void> {
  const { outputs } = state();
  const records = recordsOf(outputs);
  assert.equal(outputs.open, 0, JSON.stringify(outputs.unfinished));
  assert.deepEqual(Object.keys(records), ids);
  const mine = (name: string): boolean => all.some((id) => name === `t-${id}`);
  assert.deepEqual(
    (await bench.databases()).filter(mine),
    ids.map((id) => `t-${id}`),
  );
  const claims = (await bench.claims()).filter(({ name }) => mine(name));
  assert.deepEqual(
    claims.map(({ name, state: how, databaseId, owner, incarnation }) => ({
      name,
      how,
      databaseId,
      owner,
      incarnation,
    })),
    Object.values(records).map(({ name, databaseId, owner, incarnation }) => ({
      ...{ name, how: "held", databaseId, owner: owner ?? incarnation, incarnation },
    })),
  );
}

describe("a TenantFleet under fault", function () {
  this.timeout(120_000);

  for (const fate of ["lose", "die"] as const) {
    it(`${fate === "lose" ? "survives lost replies" : "goes on after a death at many a write"} in create and update`, async () => {
      await withFleetScene(async (scene) => {
        const { bench } = scene;
        const one = await scene.schema(first);
        // A folder of its own: the first one is still read.
        const { ref } = await bench.template(second, { folder: "app-2" });
        const two = ref.replace(" copy ", " copy+rollout ");
        // What all share is there from the beginning.
        await scene.up(scene.declare([member("x", { schema: one }), member("y", { schema: two })]));
        for (const part of ["create", "update"] as const) {
          let writes = 0;
          // The first is harmless and counts. That each step bears it is shown at a single tenant: some are tried here.
          for (let n = 0; n <= writes; n += fate === "die" ? 2 : 3) {
            scene.forget();
            const { ids, created, updated } = story(scene, part === "create" ? n : 100 + n, [one, two]);
            if (part === "update") await scene.up(created());
            const news = part === "create" ? created() : updated();
            const declared = part === "create" ? ids.slice(0, 4) : ids.slice(1);
            const { context, line } = await bench.contextOn(({ write }) => (write === n ? fate : "pass"));
            if (fate === "die") await scene.doomedUp(news, context);
            else await scene.up(news, context).catch(() => undefined);
            const made = new Map<string, string>();
            for (const name of await bench.databases()) made.set(name, await bench.databaseId(name));
            await scene.up(news);
            await assertWhole(scene, declared, ids);
            for (const { name, databaseId } of Object.values(recordsOf(scene.state().outputs))) {
              if (made.has(name)) assert.equal(databaseId, made.get(name), `${name} was made anew at write ${n}`);
            }
            if (n === 0) writes = line.calls.filter(({ write }) => write !== undefined).length;
          }
          assert.ok(writes > 5, `${part}: ${writes} writes`);
        }
      });
    });
  }

  it("ends each tenant for itself: the others are done, and the next run does what is left", async () => {
    await withFleetScene(async (scene) => {
      const { bench, declare, up, state } = scene;
      await bench.api.ok("POST", "/databases", { name: "t-b", group: "eu" });
      const news = declare(["a", "b", "c"].map((id) => member(id)));
      await assert.rejects(up(news), (error: Error) => {
        assert.match(error.message, /^2 of 3 tenants are as declared, 1 is not:\n {2}b: name: a database "t-b" exists/);
        assert.match(error.message, /What is done stays done/);
        return true;
      });
      assert.deepEqual(
        Object.values(recordsOf(state().outputs)).map(({ id, state: how }) => [id, how]),
        [
          ["a", "ready"],
          ["b", "failed"],
          ["c", "ready"],
        ],
      );
      await bench.api.ok("DELETE", "/databases/t-b");
      const again = await up(news);
      assert.equal(again!.note, "create 1: b");
      assert.equal(again!.outputs.open, 0);
    });
  });

  it("begins no other once a failure concerns all of them", async () => {
    await withFleetScene(async ({ bench, declare, up, state }) => {
      const ids = Array.from({ length: 600 }, (_, i) => `m${i}`);
      let creates = 0;
      const refused = { status: 401, text: '{"error":"no"}' };
      const isCreate = ({ method, path, body }: LineCall): boolean =>
        method === "POST" && path.endsWith("/databases") && body.includes("t-m");
      const fate = (call: LineCall): Fate => (isCreate(call) && ++creates > 20 ? refused : "pass");
      const { context } = await bench.contextOn(fate);
      await assert.rejects(up(declare(ids.map((id) => member(id))), context), /and no other was begun: /);
      assert.ok(creates < 200, `${creates} creates were tried`);
      assert.equal(state().outputs.counts.ready, (await bench.databases()).length);
      const done = await up(declare(ids.map((id) => member(id))));
      assert.equal(done!.outputs.counts.ready, 600);
      assert.equal((await bench.databases()).length, 600);
    });
  });

  it("leaves no orphan of a create whose reply was lost, when the fleet is destroyed then", async () => {
    await withFleetScene(async ({ bench, declare, up, destroy }) => {
      const isCreate = ({ method, path, body }: LineCall): boolean =>
        method === "POST" && path.endsWith("/databases") && body.includes('"t-a"');
      // The platform does it, and never answers: neither the call nor whoever looks for it.
      const gone = { status: 503, text: "{}" };
      let lost = false;
      const { context } = await bench.contextOn((call) => {
        if (isCreate(call) && !lost) return (lost = true) && "lose";
        return lost && (isCreate(call) || call.path.endsWith("/databases/t-a")) ? gone : "pass";
      });
      await assert.rejects(up(declare([member("a"), member("b")]), context));
      assert.deepEqual(await bench.databases(), ["t-a", "t-b"]);
      await destroy();
      assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
    });
  });
});

import assert from "node:assert/strict";
import type { Sql } from "../../provider/platform/sql";
import { type RecordedClaim, inspectClaims, withRegistrySql } from "../../provider/registry/inspect";
import { type Move, findMoves, openMoves, writeMoves } from "../../provider/registry/move";
import { registrySchema } from "../../provider/registry/schema";
import { registryName } from "../../provider/registry/reserved-names";
import { type Bench, addressOf, stack, withBench } from "../support/bench";

const fleet = addressOf("fleet");
const toFleet = (claim: RecordedClaim, address = `${fleet}/${claim.name}`): Move => ({ claim, address });

interface Scene {
  readonly bench: Bench;
  readonly sql: Sql;
  /** All claims, by name. */
  claims(): Promise<RecordedClaim[]>;
  claim(name: string): Promise<RecordedClaim>;
  /** How many requests `use` sends. */
  requests(use: () => Promise<unknown>): Promise<number>;
}

/** A registry with these held; of "adopted-..." it says that they were somebody's. */
async function withHeld(names: readonly string[], use: (scene: Scene) => Promise<void>): Promise<void> {
  await withBench(async (bench) => {
    const { platform } = bench.context();
    const database = await platform.createDatabase({ name: registryName("eu"), group: "eu" });
    await withRegistrySql({ platform, group: "eu", database, access: "full-access" }, async (opened) => {
      let requests = 0;
      const sql: Sql = { ...opened, batch: (...given) => (requests++, opened.batch(...given)) };
      await sql.batch(registrySchema, "write");
      await hold(bench, names);
      const claims = (): Promise<RecordedClaim[]> => inspectClaims(sql);
      await use({
        ...{ bench, sql, claims },
        claim: async (name) => (await claims()).find((one) => one.name === name)!,
        requests: async (each) => {
          requests = 0;
          await each();
          return requests;
        },
      });
    });
  });
}

async function hold(bench: Bench, names: readonly string[]): Promise<void> {
  const registry = await bench.context().registry("eu", stack);
  await Promise.all(
    names.map(async (name) => {
      const claim = await registry.claim({
        ...({
          kind: "database",
          name,
          address: addressOf(name),
          formerAddresses: [],
          owner: `owner of ${name}`,
        } as const),
        ...{ incarnation: `incarnation of ${name}`, existed: false, defaultName: name === "by-default", force: false },
      });
      await registry.hold(claim, `id of ${name}`, name.startsWith("adopted"));
    }),
  );
}

const subject = ({ kind, name, owner }: RecordedClaim) => ({ kind, name, owner });

describe("handing claims over on purpose", function () {
  this.timeout(30_000);

  it("moves many in one transaction, with new owners, and remembers from whom; what was adopted stays adopted", async () => {
    const names = Array.from({ length: 900 }, (_, i) => `${i % 2 ? "adopted" : "made"}-${i}`).sort();
    await withHeld(names, async ({ sql, claims, requests }) => {
      const before = await claims();
      let left: RecordedClaim[] | undefined;
      assert.equal(
        await requests(
          async () =>
            (left = await writeMoves(
              sql,
              before.map((claim) => toFleet(claim)),
            )),
        ),
        1,
      );
      assert.deepEqual(left, []);
      const after = await claims();
      assert.deepEqual(
        after.map((claim) => ({ ...claim, owner: "", incarnation: "" })),
        before.map((claim) => ({
          ...{ ...claim, owner: "", incarnation: "" },
          ...{ address: `${fleet}/${claim.name}`, defaultName: true },
        })),
      );
      for (const of of ["owner", "incarnation"] as const) {
        assert.equal(new Set([...before, ...after].map((claim) => claim[of])).size, 1_800);
      }
      const found = await findMoves(sql, [...before, ...after].map(subject));
      assert.deepEqual(found, [...after.map(({ address }) => address), ...after.map(() => undefined)]);
      assert.deepEqual(
        (await openMoves(sql)).map(({ from }) => from),
        before.map(({ address }) => address),
      );
    });
  });

  it("changes nothing when sent again, nor for a claim that has changed since it was read", async () => {
    await withHeld(["acme", "globex"], async ({ bench, sql, claims, claim }) => {
      const [acme, globex] = await claims();
      const registry = await bench.context().registry("eu", stack);
      await registry.amend(globex!, { ...globex!, address: addressOf("renamed") });
      const left = await writeMoves(sql, [toFleet(acme!), toFleet(globex!)]);
      assert.deepEqual(left, [await claim("globex")]);
      const stands = await claims();
      assert.deepEqual(await writeMoves(sql, [toFleet(acme!)]), []);
      assert.deepEqual(await writeMoves(sql, [toFleet(acme!, addressOf("elsewhere"))]), [stands[0]]);
      assert.deepEqual(await claims(), stands);
      assert.deepEqual(await findMoves(sql, [subject(globex!)]), [undefined]);
    });
  });

  it("leaves a claim that was given up, one that is no more than an intent, and an address that has another name", async () => {
    await withHeld(["acme", "gone", "globex"], async ({ bench, sql, claims, claim }) => {
      const registry = await bench.context().registry("eu", stack);
      const [acme, , gone] = await claims();
      await registry.release(gone!);
      const intent = { kind: "database", name: "open", address: addressOf("open"), formerAddresses: [] } as const;
      await registry.claim({
        ...intent,
        owner: "o",
        incarnation: "i",
        existed: false,
        defaultName: false,
        force: false,
      });
      const moves = [toFleet(acme!, addressOf("globex")), toFleet(gone!), toFleet(await claim("open"))];
      const before = await claims();
      assert.deepEqual(
        (await writeMoves(sql, moves)).map(({ name }) => name),
        ["acme", "gone", "open"],
      );
      assert.deepEqual(await claims(), before);
      assert.deepEqual(await openMoves(sql), []);
    });
  });

  it("gives back what nobody has taken yet exactly as it was", async () => {
    await withHeld(["acme", "by-default"], async ({ sql, claims }) => {
      const before = await claims();
      await writeMoves(
        sql,
        before.map((claim) => toFleet(claim)),
      );
      await writeMoves(
        sql,
        (await openMoves(sql)).map(({ claim, from }) => ({ claim, address: from })),
      );
      assert.deepEqual(await claims(), before);
      assert.deepEqual([await findMoves(sql, before.map(subject)), await openMoves(sql)], [[undefined, undefined], []]);
      // And once more, from the beginning.
      await writeMoves(
        sql,
        before.map((claim) => toFleet(claim)),
      );
      assert.equal((await findMoves(sql, before.map(subject))).filter(Boolean).length, 2);
    });
  });

  it("gives back what was taken, so that either state leaves it or has it, as it stands", async () => {
    await withHeld(["acme"], async ({ bench, sql, claim }) => {
      const first = await claim("acme");
      await writeMoves(sql, [toFleet(first)]);
      // The fleet's create.
      const registry = await bench.context().registry("eu", stack);
      const asked = { ...(await claim("acme")), formerAddresses: [], incarnation: "the fleet's", force: false };
      await registry.hold(await registry.claim(asked), first.databaseId!, false);
      const second = await claim("acme");
      assert.equal(second.incarnation, "the fleet's");
      assert.deepEqual(await openMoves(sql), []);

      await writeMoves(sql, [{ claim: second, address: first.address }]);
      const third = await claim("acme");
      assert.deepEqual([third.owner, third.incarnation], [first.owner, first.incarnation]);
      assert.deepEqual(await openMoves(sql), []);
      assert.deepEqual(await findMoves(sql, [subject(first), subject(second)]), [undefined, first.address]);
      // Onwards to a third place: both who had it leave it there.
      await writeMoves(sql, [{ claim: third, address: addressOf("third") }]);
      assert.deepEqual(await findMoves(sql, [subject(first), subject(second)]), [
        addressOf("third"),
        addressOf("third"),
      ]);
    });
  });

  it("does not take another database of the name for what an address had before", async () => {
    await withHeld(["acme"], async ({ bench, sql, claim }) => {
      const first = await claim("acme");
      await writeMoves(sql, [toFleet(first)]);
      const registry = await bench.context().registry("eu", stack);
      await registry.hold(await claim("acme"), "id of another one", false);
      await writeMoves(sql, [{ claim: await claim("acme"), address: first.address }]);
      const now = await claim("acme");
      assert.notEqual(now.owner, first.owner);
      assert.deepEqual(await findMoves(sql, [subject(first)]), [first.address]);
    });
  });

  it("goes on from one who was to have it and never did, and back to who had it", async () => {
    await withHeld(["acme"], async ({ sql, claim }) => {
      const first = await claim("acme");
      await writeMoves(sql, [toFleet(first)]);
      const second = await claim("acme");
      await writeMoves(sql, [{ claim: second, address: addressOf("third") }]);
      const [open, ...others] = await openMoves(sql);
      assert.deepEqual([open?.from, open?.claim, others], [first.address, await claim("acme"), []]);
      assert.deepEqual(await findMoves(sql, [subject(first), subject(second)]), [addressOf("third"), undefined]);
      await writeMoves(sql, [{ claim: open!.claim, address: open!.from }]);
      assert.deepEqual([await claim("acme"), await openMoves(sql)], [first, []]);
    });
  });

  it("overtakes a run that is still at work for the former holder, and no other", async () => {
    await withHeld(["acme"], async ({ bench, sql, claim }) => {
      const other = "organization/blog/prod";
      const [theirs, ours] = [await bench.context().registry("eu", other), await bench.context().registry("eu", stack)];
      await Promise.all([theirs.run(), ours.run()]);
      const read = await claim("acme");
      await writeMoves(sql, [toFleet({ ...read, incarnation: "of an earlier one" })]);
      await ours.deleting({ ...read, name: "none" });
      await writeMoves(sql, [toFleet(read)]);
      await assert.rejects(ours.deleting(read), { code: "superseded" });
      await theirs.deleting({ ...read, name: "none" });
    });
  });

  it("finds nothing where nothing was ever handed over", async () => {
    await withHeld(["acme"], async ({ bench, sql, claim }) => {
      const acme = await claim("acme");
      assert.deepEqual([await findMoves(sql, [subject(acme)]), await openMoves(sql)], [[undefined], []]);
      const registry = (await bench.context().existingRegistry("eu", stack))!;
      assert.equal(await registry.handedOver(acme), undefined);
    });
  });
});

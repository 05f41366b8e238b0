import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { inspectClaims, withRegistrySql } from "../../provider/registry/inspect";
import { writeMoves } from "../../provider/registry/move";
import { registryName } from "../../provider/registry/reserved-names";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { type Bench, addressOf, tenant } from "../support/bench";
import type { LineCall } from "../support/faulty-line";
import { member, recordsOf, withFleetScene } from "../support/fleet-scene";

/** Processes on one line, and what they created, deleted or configured on the platform. */
async function counting(bench: Bench) {
  const changes: string[] = [];
  const see = ({ method, path }: LineCall): "pass" => {
    if (method !== "GET" && /\/databases(?:\/[^/]+(?:\/configuration)?)?$/.test(path))
      changes.push(`${method} ${path}`);
    return "pass";
  };
  const { line } = await bench.contextOn(see);
  return { changes, context: (): Context => bench.context({ url: line.url }) };
}

async function handOver(bench: Bench, to: (name: string) => string | undefined): Promise<void> {
  const { platform } = bench.context();
  const database = (await platform.getDatabase(registryName("eu")))!;
  await withRegistrySql({ platform, group: "eu", database, access: "full-access" }, async (sql) => {
    const claims = await inspectClaims(sql);
    assert.deepEqual(
      await writeMoves(
        sql,
        claims.flatMap((claim) => {
          const address = to(claim.name);
          return address === undefined ? [] : [{ claim, address }];
        }),
      ),
      [],
    );
  });
}

const idOf = (name: string): string => name.replace(/^t-/, "");
const ids = (size: number): string[] => Array.from({ length: size }, (_, i) => `n${i}`);

async function makeAll(names: readonly string[], context: Context) {
  return Promise.all(names.map((name) => tenantDatabase.create({ inputs: tenant(name), context })));
}

describe("tenants between resources of their own and a fleet", function () {
  this.timeout(240_000);

  it("800 go into the fleet, and back, without a call that creates, deletes or configures a database", async () => {
    await withFleetScene(async ({ bench, declare, up, state }) => {
      const all = ids(800);
      const names = all.map((id) => `t-${id}`);
      const made = await makeAll(names, bench.context());
      await bench.sql("t-n7", "CREATE TABLE notes AS SELECT 'kept' AS x");
      const databases = new Map(made.map(({ outputs }) => [outputs.name, outputs.databaseId]));
      const { changes, context } = await counting(bench);

      await handOver(bench, (name) => addressOf(`prod/${idOf(name)}`));
      const fleet = declare(all.map((id) => member(id)));
      await up(fleet, context());
      const removal = context();
      for (const one of made) {
        assert.match((await tenantDatabase.delete({ ...one, context: removal })) ?? "", /left as it is/);
      }
      const records = Object.values(recordsOf(state().outputs));
      assert.equal(records.length, 800);
      for (const { name, databaseId, state: how, adopted } of records) {
        assert.deepEqual([databaseId, how, adopted], [databases.get(name), "ready", undefined], name);
      }
      assert.ok((await up(fleet, context())) === undefined, "the second up has nothing to do");

      await assert.rejects(up(declare([]), context()), { code: "too-many-removals" });
      await handOver(bench, addressOf);
      await up(declare([]), context());
      const back = await makeAll(names, context());
      assert.deepEqual(new Map(back.map(({ outputs }) => [outputs.name, outputs.databaseId])), databases);
      assert.deepEqual(changes, []);
      assert.deepEqual(await bench.sql("t-n7", "SELECT x FROM notes"), [{ x: "kept" }]);
      assert.ok(Buffer.byteLength(state().outputs.packed) < 1_000);
      // They are the stack's own, as before.
      await tenantDatabase.delete({ ...back[0]!, context: bench.context() });
      assert.equal((await bench.databases()).length, 799);
    });
  });

  it("one that cannot be taken keeps its data and is taken later; one of another name is not made anew", async () => {
    await withFleetScene(async ({ bench, said, declare, up, state }) => {
      const all = ids(4);
      const made = await makeAll(
        all.map((id) => `t-${id}`),
        bench.context(),
      );
      const { changes, context } = await counting(bench);
      await handOver(bench, (name) => addressOf(`prod/${idOf(name)}`));
      await bench.sql(
        registryName("eu"),
        `UPDATE claims SET address = '${addressOf("prod/other")}' WHERE name = 't-n1'`,
      );
      const wrong = declare(all.map((id) => member(id, id === "n2" ? { name: "n2" } : {})));
      await assert.rejects(up(wrong, context()), (error: Error) => {
        assert.match(error.message, /2 of 4 tenants are as declared, 2 are not/);
        assert.match(error.message, /n1: name: the database "t-n1" belongs to organization\/shop\/dev\/prod\/other/);
        assert.match(error.message, /n2: name: it was handed the database "t-n2" over, and is declared as "n2"/);
        return true;
      });
      for (const one of made) {
        assert.match((await tenantDatabase.delete({ ...one, context: context() })) ?? "", /left as it is/);
      }
      await bench.sql(registryName("eu"), `UPDATE claims SET address = '${addressOf("prod/n1")}' WHERE name = 't-n1'`);
      await up(declare(all.map((id) => member(id))), context());
      assert.deepEqual(changes, []);
      assert.deepEqual(
        Object.values(recordsOf(state().outputs)).map(({ databaseId }) => databaseId),
        made.map(({ outputs }) => outputs.databaseId),
      );

      // Out again: while it is still declared the fleet says so, and changes nothing.
      await handOver(bench, (name) => addressOf(name));
      said.length = 0;
      await up(declare(all.map((id) => member(id, { blockWrites: true }))), context());
      assert.match(said.join("\n"), /t-n0: left as it is, because it was handed over to organization\/shop\/dev\/t-n0/);
      assert.deepEqual(changes, []);
    });
  });

  it("what was handed over and then deleted is no loss of the fleet's, and is not made anew by it", async () => {
    await withFleetScene(async ({ bench, declare, up, refresh }) => {
      const all = ids(15);
      const [kept, ...moved] = all.map((id) => `t-${id}`);
      await up(declare(all.map((id) => member(id))));
      const before = await bench.databaseId(kept!);
      // More than a refresh would take for a mistake.
      await handOver(bench, (name) => (name === kept ? undefined : addressOf(name)));
      for (const one of await makeAll(moved, bench.context()))
        await tenantDatabase.delete({ ...one, context: bench.context() });
      assert.deepEqual(await bench.databases(), [kept]);

      const refreshed = await refresh(bench.context());
      assert.deepEqual([refreshed.counts.gone, refreshed.counts.ready], [0, 15]);
      assert.equal(await up(declare(all.map((id) => member(id)))), undefined, "nothing is to be made");
      // The fleet's own is: what its owner did not give away.
      await bench.api.ok("DELETE", `/databases/${kept}`);
      assert.equal((await refresh(bench.context())).counts.gone, 1);
      assert.equal((await up(declare([member("n0")], { maxRemovals: 14 })))?.outputs.counts.ready, 1);
      assert.deepEqual(await bench.databases(), [kept]);
      assert.notEqual(await bench.databaseId(kept!), before);
    });
  });
});

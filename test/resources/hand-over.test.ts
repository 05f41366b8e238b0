import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { TenantryError } from "../../provider/platform/errors";
import { inspectClaims, withRegistrySql } from "../../provider/registry/inspect";
import { openMoves, writeMoves } from "../../provider/registry/move";
import type { Registry } from "../../provider/registry/registry";
import { registryName } from "../../provider/registry/reserved-names";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, addressOf, stack, tenant, withBench } from "../support/bench";
import { said } from "../support/said";

interface Made {
  readonly id: string;
  readonly outputs: TenantDatabaseOutputs;
}

interface Scene {
  readonly bench: Bench;
  /** What was created, deleted or configured on the platform since the last question, such as "DELETE acme". */
  changes(): string[];
  /** Makes a tenant with a row in it, and forgets what that took. */
  make(name: string, more?: Partial<TenantDatabaseInputs>): Promise<Made>;
  /** As `tenantry move` does. */
  handOver(to: Readonly<Record<string, string>>): Promise<void>;
  /** Takes back what nobody has taken. */
  undo(): Promise<void>;
  /** The database is the one that `make` made, with its row. */
  intact(made: Made): Promise<void>;
}

async function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  let seen: string[] = [];
  const onRequest = ({ method, path, status }: { method: string; path: string; status: number }): void => {
    if (method === "GET" || status >= 400 || !/\/databases(?:\/[^/]+(?:\/configuration)?)?$/.test(path)) return;
    if (!path.includes("tenantry-")) seen.push(`${method} ${path.replace(/^.*\/databases\/?/, "")}`.trim());
  };
  const changes = (): string[] => {
    const since = seen;
    seen = [];
    return since;
  };
  await withBench(
    async (bench) => {
      const registry = async <Result>(work: Parameters<typeof withRegistrySql<Result>>[1]): Promise<Result> => {
        const { platform } = bench.context();
        const database = (await platform.getDatabase(registryName("eu")))!;
        return withRegistrySql({ platform, group: "eu", database, access: "full-access" }, work);
      };
      await use({
        ...{ bench, changes },
        async make(name, more) {
          const made = await tenantDatabase.create({ inputs: tenant(name, more), context: bench.context() });
          await bench.sql(name, "CREATE TABLE IF NOT EXISTS notes (x)");
          await bench.sql(name, `INSERT INTO notes VALUES ('${name}')`);
          changes();
          return made;
        },
        handOver: (to) =>
          registry(async (sql) => {
            const moves = (await inspectClaims(sql)).filter(({ name }) => name in to);
            assert.equal(moves.length, Object.keys(to).length);
            const left = await writeMoves(
              sql,
              moves.map((claim) => ({ claim, address: to[claim.name]! })),
            );
            assert.deepEqual(left, []);
          }),
        undo: () =>
          registry(async (sql) => {
            const open = await openMoves(sql);
            await writeMoves(
              sql,
              open.map(({ claim, from }) => ({ claim, address: from })),
            );
          }),
        async intact({ outputs: { name, databaseId } }) {
          assert.equal(await bench.databaseId(name), databaseId);
          assert.deepEqual(await bench.sql(name, "SELECT x FROM notes"), [{ x: name }]);
        },
      });
    },
    { onRequest },
  );
}

const other = "organization/blog/prod";
/** In the same stack, and in another one. */
const places = [addressOf("fleet/acme"), addressOf("acme", other)];
const left = (address: string): RegExp => new RegExp(`^acme: left as it is, because it was handed over to ${address}$`);

const down = async (): Promise<never> => {
  throw new TenantryError("unreachable", "connection refused.");
};
const without = (context: Context, registry: Partial<Registry>): Context => ({
  ...context,
  knownScope: undefined,
  registry: async (group, of) => ({ ...(await context.registry(group, of)), ...registry }),
});

describe("a tenant that is handed over", function () {
  this.timeout(120_000);

  for (const address of places) {
    const gained = (more: Partial<TenantDatabaseInputs> = {}) => tenant("acme", { self: address, ...more });
    const where = address.startsWith(stack) ? "within a stack" : "to another stack";

    it(`${where}: is left by the one and taken by the other, whoever comes first, and again`, async () => {
      for (const order of [
        ["gain", "lose"],
        ["lose", "gain"],
        ["lose", "lose", "gain", "lose"],
      ]) {
        await withScene(async ({ bench, changes, make, handOver, intact }) => {
          const made = await make("acme", { deleteProtection: true });
          await handOver({ acme: address });
          let now: Made | undefined;
          for (const step of order) {
            const context = bench.context();
            if (step === "lose") assert.match((await tenantDatabase.delete({ ...made, context })) ?? "", left(address));
            else now = await tenantDatabase.create({ inputs: gained({ deleteProtection: true }), context });
          }
          assert.deepEqual(changes(), [], order.join());
          await intact(made);
          assert.equal(now!.outputs.adopted, undefined);
          const claims = await bench.claims();
          assert.deepEqual([claims.length, claims[0]!.owner, claims[0]!.state], [1, now!.id, "held"]);
          const news = gained({ deleteProtection: false });
          const outputs = await tenantDatabase.update({ ...now!, olds: now!.outputs, news, context: bench.context() });
          assert.deepEqual(changes(), ["PATCH acme/configuration"]);
          // What the stack made, whoever has it may delete; the one that had it leaves it gone.
          await tenantDatabase.delete({ id: now!.id, outputs, context: bench.context() });
          assert.deepEqual([await bench.databases(), await bench.claims()], [[], []]);
          assert.match((await tenantDatabase.delete({ ...made, context: bench.context() })) ?? "", left(address));
        });
      }
    });

    it(`${where}: what was adopted stays adopted, and what becomes of it is no longer the former one's to say`, async () => {
      await withScene(async ({ bench, changes, make, handOver, intact }) => {
        await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
        const made = await make("acme", { adopt: "unowned" });
        await handOver({ acme: address });
        const now = await tenantDatabase.create({ inputs: gained(), context: bench.context() });
        assert.equal(now.outputs.adopted, true);
        await tenantDatabase.delete({ ...now, context: bench.context() });
        // Nobody has it, so a look at the registry alone would not tell what it was to the first one.
        assert.match((await tenantDatabase.delete({ ...made, context: bench.context() })) ?? "", left(address));
        assert.deepEqual(changes(), []);
        await intact(made);
      });
    });
  }

  it("is left alone by an update of the one that had it, whatever changes there", async () => {
    await withScene(async ({ bench, changes, make, handOver, intact }) => {
      const { ref } = await bench.template({ "0001_more.sql": "CREATE TABLE more (x);" });
      const made = await make("acme");
      await handOver({ acme: places[0]! });
      for (const change of [
        { blockWrites: true },
        { schema: ref },
        { tenant: "42" },
        { self: addressOf("renamed"), formerly: [addressOf("acme")] },
        { name: "copied", onReplace: "copy" },
      ] as const) {
        const news = { ...tenant("acme"), ...change };
        const context = bench.context();
        const lines = await said(async () => {
          const outputs = await tenantDatabase.update({ ...made, olds: made.outputs, news, context });
          assert.deepEqual(outputs, made.outputs, JSON.stringify(change));
        });
        assert.match(lines.join("\n"), left(places[0]!));
      }
      assert.deepEqual(changes(), []);
      await intact(made);
      assert.deepEqual(await bench.sql("acme", "SELECT name FROM sqlite_schema"), [{ name: "notes" }]);
      // A refresh tells what is there; what the new owner has deleted is no loss of the old one's stack.
      const read = await tenantDatabase.read({ ...made, context: bench.context() });
      assert.equal(read?.databaseId, made.outputs.databaseId);
      await bench.api.ok("DELETE", "/databases/acme");
      const context = bench.context({ config: { maxRemovals: "0" } });
      assert.equal(await tenantDatabase.read({ ...made, context }), undefined);
    });
  });

  it("is safe when the one that is to have it fails, before and after it has it", async () => {
    await withScene(async ({ bench, changes, make, handOver, intact }) => {
      const { ref } = await bench.template({ "0001_notes.sql": "CREATE TABLE notes (x);" });
      const made = await make("acme");
      const address = places[0]!;
      await handOver({ acme: address });
      const inputs = tenant("acme", { self: address });
      const create = (more: Partial<TenantDatabaseInputs>, context: Context) =>
        tenantDatabase.create({ inputs: { ...inputs, ...more }, context });
      await assert.rejects(create({ group: "none" }, bench.context()), { code: "group-not-found" });
      await assert.rejects(create({}, without(bench.context(), { hold: down })), { code: "unreachable" });
      // Its table is there already.
      await assert.rejects(create({ schema: ref }, bench.context()), /notes already exists/);
      assert.match((await tenantDatabase.delete({ ...made, context: bench.context() })) ?? "", left(address));
      const now = await create({}, bench.context());
      assert.deepEqual(changes(), []);
      await intact(made);
      assert.equal((await bench.claims())[0]!.owner, now.id);
    });
  });

  it("is as before when it is given back, with nothing to do, and is kept from the one that was to have it", async () => {
    await withScene(async ({ bench, changes, make, handOver, undo, intact }) => {
      const made = await make("acme");
      const before = await bench.claims();
      await handOver({ acme: places[0]! });
      await undo();
      assert.deepEqual(await bench.claims(), before);
      const inputs = tenant("acme", { self: places[0]! });
      await assert.rejects(tenantDatabase.create({ inputs, context: bench.context() }), { code: "not-owner" });
      const news = tenant("acme", { tenant: "42" });
      const updated = await tenantDatabase.update({ ...made, olds: made.outputs, news, context: bench.context() });
      assert.equal((await bench.claims())[0]!.tenant, "42");
      await intact(made);
      assert.deepEqual(changes(), []);
      await tenantDatabase.delete({ id: made.id, outputs: updated, context: bench.context() });
      assert.deepEqual([changes(), await bench.claims()], [["DELETE acme"], []]);
    });
  });

  it("goes back after it was taken, also where the first one never ran in between", async () => {
    for (const hasLeft of [true, false]) {
      await withScene(async ({ bench, changes, make, handOver, intact }) => {
        const made = await make("acme");
        await handOver({ acme: places[0]! });
        const inputs = tenant("acme", { self: places[0]! });
        const there = await tenantDatabase.create({ inputs, context: bench.context() });
        if (hasLeft) await tenantDatabase.delete({ ...made, context: bench.context() });
        await handOver({ acme: addressOf("acme") });
        const back = hasLeft ? await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() }) : made;
        assert.match(
          (await tenantDatabase.delete({ ...there, context: bench.context() })) ?? "",
          left(addressOf("acme")),
        );
        assert.deepEqual(changes(), []);
        await intact(made);
        await tenantDatabase.delete({ ...back, context: bench.context() });
        assert.deepEqual([changes(), await bench.claims()], [["DELETE acme"], []]);
      });
    }
  });

  it("has no name of its own to keep: a default one finds the database under the name that it has", async () => {
    await withScene(async ({ bench, changes, make, handOver, intact }) => {
      const made = await make("acme");
      await handOver({ acme: addressOf("customer") });
      const inputs = tenant("customer", { nameIsDefault: true });
      const { outputs } = await tenantDatabase.create({ inputs, context: bench.context() });
      assert.deepEqual([outputs.name, outputs.databaseId], ["acme", made.outputs.databaseId]);
      assert.deepEqual(changes(), []);
      await intact(made);
    });
  });

  it("is not made anew, empty, by one that was handed it and is declared under another name", async () => {
    await withScene(async ({ bench, changes, make, handOver, undo, intact }) => {
      const made = await make("acme");
      await handOver({ acme: addressOf("customer") });
      const create = (name: string) =>
        tenantDatabase.create({ inputs: { ...tenant(name), self: addressOf("customer") }, context: bench.context() });
      await assert.rejects(create("customer"), {
        code: "needs-decision",
        message: /handed the database "acme" over, and is declared as "customer"\. .*name: "acme".*move --undo acme/,
      });
      assert.deepEqual([changes(), (await bench.claims()).map(({ name }) => name)], [[], ["acme"]]);
      // A run that dies before it can take its intent back leaves that to the next one.
      const dying = without(bench.context(), { release: () => Promise.reject(new Error("dead")) });
      const inputs = { ...tenant("customer"), self: addressOf("customer") };
      await assert.rejects(tenantDatabase.create({ inputs, context: dying }), /dead/);
      assert.deepEqual((await bench.claims()).map(({ name }) => name).sort(), ["acme", "customer"]);
      await assert.rejects(create("customer"), /handed the database "acme" over, and is declared as "customer"/);
      assert.deepEqual([changes(), (await bench.claims()).map(({ name }) => name)], [[], ["acme"]]);
      await undo();
      assert.equal((await create("customer")).outputs.name, "customer");
      await intact(made);
    });
  });

  it("is not made anew either when it comes back under another name; what state has can be replaced on purpose", async () => {
    for (const hasLeft of [true, false]) {
      await withScene(async ({ bench, make, handOver, intact }) => {
        const made = await make("acme");
        await handOver({ acme: places[0]! });
        const inputs = tenant("acme", { self: places[0]! });
        await tenantDatabase.create({ inputs, context: bench.context() });
        if (hasLeft) await tenantDatabase.delete({ ...made, context: bench.context() });
        await handOver({ acme: addressOf("acme") });
        const news = { ...tenant("another", { onReplace: "destroy" }), self: addressOf("acme") } as const;
        const context = bench.context();
        if (!hasLeft) await tenantDatabase.diff({ id: made.id, olds: made.outputs, news, context });
        const replaced = tenantDatabase.create({ inputs: news, context });
        if (hasLeft) await assert.rejects(replaced, /handed the database "acme" over, and is declared as "another"/);
        else assert.equal((await replaced).outputs.name, "another");
        await intact(made);
      });
    }
  });

  it("without a hand-over is refused to the one, and not deleted by the other in the same run", async () => {
    await withScene(async ({ bench, changes, make, handOver, intact }) => {
      const made = await make("acme");
      const context = bench.context();
      const command =
        /npx tenantry move acme --to organization\/shop\/dev\/fleet\/acme --stack organization\/shop\/dev/;
      const inputs = tenant("acme", { self: places[0]! });
      await assert.rejects(tenantDatabase.create({ inputs, context }), { code: "not-owner", message: command });
      await assert.rejects(tenantDatabase.delete({ ...made, context }), { code: "needs-decision", message: command });
      await intact(made);
      await handOver({ acme: places[0]! });
      const next = bench.context();
      await tenantDatabase.create({ inputs, context: next });
      await tenantDatabase.delete({ ...made, context: next });
      assert.deepEqual(changes(), []);
      await intact(made);
    });
  });

  it("is refused to a former owner as ever where it was taken by force", async () => {
    await withScene(async ({ bench, changes, make, intact }) => {
      const made = await make("acme");
      const inputs = tenant("acme", { self: places[1]!, adopt: "force" });
      await tenantDatabase.create({ inputs, context: bench.context() });
      const removal = tenantDatabase.delete({ ...made, context: bench.context() });
      await assert.rejects(removal, { code: "not-owner", message: /now belongs to organization\/blog\/prod\/acme/ });
      const news = tenant("acme", { tenant: "42" });
      const update = tenantDatabase.update({ ...made, olds: made.outputs, news, context: bench.context() });
      await assert.rejects(update, { message: /the registry has another owner/ });
      assert.deepEqual(changes(), []);
      await intact(made);
    });
  });

  it("is one of 800 that go to another stack, and back, without a call that creates, deletes or configures", async () => {
    await withScene(async ({ bench, changes, handOver }) => {
      const names = Array.from({ length: 800 }, (_, i) => `t${i}`);
      const [here, there] = [(name: string) => addressOf(name), (name: string) => addressOf(name, other)];
      const create = async (of: typeof here): Promise<Made[]> => {
        const context = bench.context();
        const inputs = names.map((name) => tenant(name, { self: of(name) }));
        return Promise.all(inputs.map((each) => tenantDatabase.create({ inputs: each, context })));
      };
      const leave = async (all: Made[]): Promise<void> => {
        const context = bench.context();
        const notes = await Promise.all(all.map((made) => tenantDatabase.delete({ ...made, context })));
        assert.ok(notes.every((note) => note?.includes("left as it is")));
      };
      let made = await create(here);
      const ids = made.map(({ outputs }) => outputs.databaseId);
      // And the registry.
      assert.equal(changes().length, 801);
      for (const of of [there, here, there]) {
        await handOver(Object.fromEntries(names.map((name) => [name, of(name)])));
        const gained = await create(of);
        assert.deepEqual(
          gained.map(({ outputs }) => outputs.databaseId),
          ids,
        );
        await leave(made);
        made = gained;
      }
      assert.deepEqual(changes(), []);
    });
  });
});

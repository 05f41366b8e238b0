import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Context } from "../../provider/context";
import { inspectClaims, withRegistrySql } from "../../provider/registry/inspect";
import { writeMoves } from "../../provider/registry/move";
import { isReserved, registryName } from "../../provider/registry/reserved-names";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, addressOf, tenant } from "../support/bench";
import type { Fate, FaultyLine, LineCall } from "../support/faulty-line";
import { type FleetScene, member, recordsOf, withFleetScene } from "../support/fleet-scene";

/** More than are at work at once. */
const ids = Array.from({ length: 80 }, (_, i) => `n${String(i).padStart(2, "0")}`);
const nameOf = (id: string): string => `t-${id}`;
const addressInFleet = (id: string): string => addressOf(`prod/${id}`);
const addressOfOwn = (id: string): string => addressOf(nameOf(id));

/** What the engine's state has of the tenants that are resources of their own, by name. */
type Singles = Map<string, { id: string; outputs: TenantDatabaseOutputs }>;

type Direction = "intoFleet" | "back";

/** As `tenantry move` writes it. */
async function handOver(bench: Bench, to: (id: string) => string): Promise<void> {
  const { platform } = bench.context();
  const database = (await platform.getDatabase(registryName("eu")))!;
  await withRegistrySql({ platform, group: "eu", database, access: "full-access" }, async (sql) => {
    const claims = await inspectClaims(sql);
    const moves = claims.map((claim) => ({ claim, address: to(claim.name.replace(/^t-/, "")) }));
    assert.deepEqual(await writeMoves(sql, moves), []);
  });
}

/**
 * The parts of an `up` of each direction, in the engine's order: creates and updates, then deletes. What the engine was told
 * before the process died is in its state, if it writes state meanwhile.
 */
function partsOf({ declare, up, doomedUp }: FleetScene, singles: Singles, checkpoints: boolean) {
  const news = { intoFleet: declare(ids.map((id) => member(id))), back: declare([]) };
  const each = async (names: readonly string[], work: (name: string) => Promise<() => void>): Promise<void> => {
    const settled = await Promise.allSettled(
      names.map(async (name) => {
        const tell = await work(name);
        if (checkpoints) tell();
        return tell;
      }),
    );
    for (const one of settled) if (one.status === "rejected") throw one.reason as Error;
    for (const one of settled) if (one.status === "fulfilled") one.value();
  };
  const fleet =
    (direction: Direction) =>
    async (context: Context, isDoomed: boolean): Promise<void> =>
      isDoomed ? doomedUp(news[direction], context) : void (await up(news[direction], context));
  return {
    intoFleet: [
      fleet("intoFleet"),
      (context: Context) =>
        each([...singles.keys()], async (name) => {
          assert.match((await tenantDatabase.delete({ ...singles.get(name)!, context })) ?? "", /left as it is/);
          return () => singles.delete(name);
        }),
    ],
    back: [
      (context: Context) =>
        each(
          ids.map(nameOf).filter((name) => !singles.has(name)),
          async (name) => {
            const made = await tenantDatabase.create({ inputs: tenant(name), context });
            return () => singles.set(name, made);
          },
        ),
      fleet("back"),
    ],
  };
}

describe("a run that dies while tenants move between resources of their own and a fleet", function () {
  this.timeout(240_000);

  it("is finished by the next one, at whichever write it died: nothing is created, deleted or lost", async () => {
    await withFleetScene(async (scene) => {
      const { bench } = scene;
      const singles: Singles = new Map();
      const beginning = bench.context();
      for (const made of await Promise.all(
        ids.map((id) => tenantDatabase.create({ inputs: tenant(nameOf(id)), context: beginning })),
      )) {
        singles.set(made.outputs.name, made);
      }
      await bench.sql("t-n07", "CREATE TABLE notes AS SELECT 'kept' AS x");
      const databases = new Map([...singles].map(([name, { outputs }]) => [name, outputs.databaseId]));

      const changes: string[] = [];
      const dyingAt = async (n: number): Promise<{ context: Context; line: FaultyLine }> =>
        bench.contextOn(({ method, path, write }: LineCall): Fate => {
          if (method !== "GET" && /\/databases(?:\/[^/]+(?:\/configuration)?)?$/.test(path)) {
            changes.push(`${method} ${path}`);
          }
          return write === n ? "die" : "pass";
        });
      const whole = async (): Promise<void> => {
        assert.deepEqual(changes, []);
        const listed = await bench.api.ok<{ databases: { Name: string; DbId: string }[] }>("GET", "/databases");
        const now = listed.databases.filter(({ Name }) => !isReserved(Name));
        assert.deepEqual(new Map(now.map(({ Name, DbId }) => [Name, DbId])), databases);
        assert.deepEqual(await bench.sql("t-n07", "SELECT x FROM notes"), [{ x: "kept" }]);
      };

      let deaths = 0;
      /** How many writes each part takes, by direction. */
      const writes: Record<Direction, number[]> = { intoFleet: [], back: [] };
      const most = (): number => Math.max(...Object.values(writes).map(([one = 0, two = 0]) => one + two));
      // The first is harmless and counts.
      for (let n = 0; n <= most(); n++) {
        const parts = partsOf(scene, singles, n % 2 === 0);
        for (const direction of ["intoFleet", "back"] as const) {
          await handOver(bench, direction === "intoFleet" ? addressInFleet : addressOfOwn);
          const { context, line } = await dyingAt(n);
          const written = (): number => line.calls.filter(({ write }) => write !== undefined).length;
          let before = 0;
          for (const [i, part] of parts[direction].entries()) {
            const isDoomed = n > 0 && n <= before + (writes[direction][i] ?? 0);
            const died = await part(context, isDoomed).then(
              () => isDoomed,
              (error: unknown) => {
                if (n === 0) throw error;
                return true;
              },
            );
            deaths += Number(died);
            if (died) break;
            if (n === 0) writes[direction][i] = written() - before;
            before = written();
          }
          const next = (await dyingAt(0)).context;
          for (const part of parts[direction]) await part(next, false);
          await whole();
          const claims = await bench.claims();
          const own = [...singles].map(([name, { id, outputs }]) => [name, id, outputs.databaseId, "held"]);
          const inFleet = Object.values(recordsOf(scene.state().outputs)).map(
            ({ name, owner, incarnation, databaseId }) => [name, owner ?? incarnation, databaseId, "held"],
          );
          assert.deepEqual(
            claims.map(({ name, owner, databaseId, state }) => [name, owner, databaseId, state]),
            (direction === "intoFleet" ? inFleet : own).sort(([a], [b]) => (a! < b! ? -1 : 1)),
          );
          assert.equal((direction === "intoFleet" ? own : inFleet).length, 0);
        }
      }
      const tried = Object.values(writes).flat();
      assert.ok(
        tried.every((count) => count > 0),
        "a part wrote nothing, so that nothing was tried",
      );
      assert.ok(deaths >= tried.reduce((sum, count) => sum + count) - 2, `only ${deaths} deaths`);
    });
  });
});

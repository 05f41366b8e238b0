import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { RosterTenant } from "../../provider/resources/tenant-fleet/roster";
import type { LineCall } from "../support/faulty-line";
import { type FleetScene, member, withFleetScene } from "../support/fleet-scene";
import { type Wave, inLockstep } from "../support/lockstep";

const concurrency = 16;

const kindOf = ({ method, path }: LineCall): string => {
  const database = /^\/(?!v1\/)(?:.*\/)?(tenantry-registry|tenantry-template|t)-[^/]*\/v\d/.exec(path)?.[1];
  if (database !== undefined) return `SQL ${database.replace("tenantry-", "")}`;
  return `${method} ${path.replace(/^\/v1\/organizations\/[^/]+\//, "").replace(/\?.*/, "")}`;
};

/** A wave in words: "POST databases (16), SQL registry". Which statements go together is a matter of milliseconds. */
function told(wave: Wave): string {
  const counts = new Map<string, number>();
  for (const kind of wave.map(kindOf)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts]
    .map(([kind, count]) => (count === 1 || kind.startsWith("SQL") ? kind : `${kind} (${count})`))
    .sort()
    .join(", ");
}

/** The trips of a fleet's first `up`, one after the other. */
const tripsOf = ({ bench, declare, up }: FleetScene, tenants: readonly RosterTenant[]): Promise<string[]> =>
  inLockstep(async ({ fate, isAt }) => {
    const { line } = await bench.contextOn(fate);
    isAt(line.url);
    const context = bench.context({ url: line.url, config: { concurrency: String(concurrency) } });
    assert.equal((await up(declare(tenants), context))!.outputs.open, 0);
  }).then((waves) => {
    const trips = waves.map(told);
    return trips.filter((trip, i) => trip !== trips[i - 1] || !isRest.test(trip));
  });

/** What is asked of databases alone is more than one wave where there is a lot of it. */
const isRest = /^SQL registry, SQL t$|^SQL t$/;

const members = (count: number, schema?: string): RosterTenant[] =>
  Array.from({ length: count }, (_, i) => member(`n${i}`, schema === undefined ? {} : { schema }));

describe("a new fleet's trips to the platform", function () {
  this.timeout(120_000);

  it("lie behind each other only where one needs the other's answer", async () => {
    await withFleetScene(async (scene) => {
      assert.deepEqual(await tripsOf(scene, members(2 * concurrency)), [
        // Only the embedded platform has to be asked which one it is.
        "GET /tenantry/identity",
        // Alone, since no call has shown yet that the token is taken.
        "GET databases",
        "GET groups, POST databases, POST groups/eu/auth/tokens",
        // Tables and the run's number, then intents.
        "SQL registry",
        "SQL registry",
        "POST databases (16)",
        "POST databases (16), SQL registry",
        "SQL registry",
      ]);
    });
  });

  it("are no more before the first create where there is a schema", async () => {
    await withFleetScene(async (scene) => {
      const schema = await scene.schema({ "0001_notes.sql": "CREATE TABLE notes (x);" });
      assert.deepEqual(await tripsOf(scene, members(2 * concurrency, schema)), [
        "GET /tenantry/identity",
        "GET databases",
        "GET groups, POST databases (2), POST groups/eu/auth/tokens",
        "SQL registry, SQL template",
        "SQL registry",
        "POST databases (16)",
        "POST databases (16), SQL registry",
        "SQL registry, SQL t",
        "SQL t",
      ]);
    });
  });
});

import { createHash } from "node:crypto";
import type { Context } from "../../../provider/context";
import type { LocalPlatformOptions } from "../../../provider/local";
import { type Sql, openSql } from "../../../provider/platform/sql";
import type { PolicyInputs } from "../../../provider/rollout/fleet/policy";
import { inTurn } from "../../../provider/rollout/fleet/pool";
import type { RolloutProgress } from "../../../provider/rollout/fleet/progress";
import type { FleetReport } from "../../../provider/rollout/fleet/report";
import {
  type PreparedRollout,
  type RolloutRequest,
  prepareRollout,
  runRollout,
} from "../../../provider/rollout/fleet/rollout";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import { readLedger } from "../../../provider/rollout/ledger";
import { type Migration, digestOf } from "../../../provider/rollout/source";
import { executionOf } from "../../../provider/rollout/source/execution";
import { splitStatements } from "../../../provider/rollout/statements";
import { mint } from "../../local/api-caller";
import { type Bench, stack, withBench } from "../../support/bench";

export const migrationOf = (id: string, sql: string): Migration => ({
  id,
  file: `migrations/${id}.sql`,
  hash: createHash("sha256").update(sql).digest("hex").slice(0, 16),
  sql,
  ...executionOf(splitStatements(sql), true),
});

/** What every tenant of a scene begins with: rows that a migration can stumble over, and a number to count with. */
export const init = migrationOf(
  "0001_init",
  "CREATE TABLE people (email TEXT); CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0);",
);
/** Fails where two people have the same address. Twice, it would fail too. */
export const unique = migrationOf(
  "0002_unique",
  "UPDATE counter SET n = n + 1;\nCREATE UNIQUE INDEX people_email ON people (email);",
);
/** Twice, it would count twice and leave two rows. */
export const once = migrationOf("0002_once", "UPDATE counter SET n = n + 1;\nINSERT INTO people VALUES ('somebody');");

/** How a test rolls out: whatever it may destroy, and without trying it first, where it does not say so. */
export interface Way {
  readonly policy?: PolicyInputs;
  readonly tenants?: readonly FleetTenant[];
  readonly context?: Context;
  /** Default: none, so that runs are not numbered. */
  readonly stack?: string;
  readonly note?: (text: string) => void;
  readonly onProgress?: (progress: RolloutProgress) => void;
  readonly signal?: AbortSignal;
  /** Told of each tenant that a run begins with, before anything is sent. */
  readonly onBegun?: (name: string) => void;
}

export interface FleetScene {
  readonly bench: Bench;
  readonly tenants: readonly FleetTenant[];
  prepare(migrations: readonly Migration[], way?: Way): Promise<PreparedRollout>;
  run(prepared: PreparedRollout, way?: Way): Promise<FleetReport>;
  /** Both, one after the other. */
  rollOut(migrations: readonly Migration[], way?: Way): Promise<FleetReport>;
  /** SQL on a tenant, as its application would. */
  sql(name: string): Promise<Sql>;
  /** Two people with the same address in each of them. */
  spoil(names: readonly string[]): Promise<void>;
  heal(names: readonly string[]): Promise<void>;
  /** Names of the tenants by what their ledgers say: ids, such as "0001_init 0002_unique". */
  ledgers(): Promise<Record<string, string[]>>;
  /** How often `unique` or `once` took effect, by tenant. */
  counters(): Promise<Map<string, number>>;
}

/** Alive while `use` runs: t01, t02, ... in group "eu", which has a registry; every tenant has `init`. */
export async function withFleet(
  size: number,
  use: (scene: FleetScene) => Promise<void>,
  options: LocalPlatformOptions = {},
): Promise<void> {
  await withBench(async (bench) => {
    const width = String(size).length;
    const tenants = Array.from({ length: size }, (_, i) => ({
      name: `t${String(i + 1).padStart(width, "0")}`,
      group: "eu",
    }));
    await (await bench.context().registry("eu", stack)).run();
    await inTurn(
      tenants,
      8,
      async ({ name, group }) => void (await bench.api.ok("POST", "/databases", { name, group })),
    );
    const opened = new Map<string, Sql>();
    const scene = makeScene(bench, tenants, opened);
    try {
      await scene.rollOut([init], { policy: { canary: 0 } });
      await use(scene);
    } finally {
      for (const sql of opened.values()) sql.close();
    }
  }, options);
}

function makeScene(bench: Bench, tenants: readonly FleetTenant[], opened: Map<string, Sql>): FleetScene {
  let token: Promise<string> | undefined;
  const sql: FleetScene["sql"] = async (name) => {
    const known = opened.get(name);
    if (known) return known;
    const made = openSql({
      url: bench.platform.databaseUrl(name),
      token: () => (token ??= mint(bench.api, "groups/eu")),
    });
    opened.set(name, made);
    return made;
  };
  const everywhere = async <T>(
    look: (sql: Sql, name: string) => Promise<T>,
    names = tenants.map(({ name }) => name),
  ) => {
    const found = new Map<string, T>();
    await inTurn(names, 8, async (name) => void found.set(name, await look(await sql(name), name)));
    return new Map(names.map((name) => [name, found.get(name)!]));
  };
  const prepare: FleetScene["prepare"] = (migrations, way = {}) => {
    const request: RolloutRequest = {
      context: way.context ?? bench.context(),
      template: { name: "app", digest: digestOf(migrations) },
      migrations,
      tenants: way.tenants ?? tenants,
      policy: { verify: false, allowDestructive: migrations.map(({ id }) => id), ...way.policy },
      stack: way.stack,
      startedBy: "a test",
      note: way.note,
    };
    return prepareRollout(request);
  };
  const run: FleetScene["run"] = (prepared, { onProgress, signal, onBegun } = {}) => {
    const seen = {
      ...prepared.seen,
      sql: (tenant: FleetTenant) => {
        onBegun?.(tenant.name);
        return prepared.seen.sql(tenant);
      },
    };
    return runRollout({ ...prepared, seen }, { onProgress, signal });
  };
  return {
    ...{ bench, tenants, sql, prepare, run },
    rollOut: async (migrations, way) => run(await prepare(migrations, way), way),
    async spoil(names) {
      const insert = "INSERT INTO people VALUES ('twice'), ('twice')";
      await everywhere((on) => on.execute({ sql: insert, args: [] }), [...names]);
    },
    async heal(names) {
      await everywhere((on) => on.execute({ sql: "DELETE FROM people WHERE email = 'twice'", args: [] }), [...names]);
    },
    async ledgers() {
      const byLedger: Record<string, string[]> = {};
      for (const [name, ledger] of await everywhere(readLedger)) {
        (byLedger[ledger.map(({ id }) => id).join(" ")] ??= []).push(name);
      }
      return byLedger;
    },
    async counters() {
      const count = async (on: Sql): Promise<number> =>
        Number((await on.execute({ sql: "SELECT n FROM counter", args: [] })).rows[0]!["n"]);
      return everywhere(count);
    },
  };
}

/** The report's tenants by how they ended. */
export function byState({ outcomes }: FleetReport): Record<string, string[]> {
  const states: Record<string, string[]> = {};
  for (const { name, state } of outcomes) (states[state] ??= []).push(name);
  return states;
}

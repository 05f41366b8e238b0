// The process that changes the schema of a fleet, in both ways: for each message { kind: "ours" | "reference" | "plan" }
// it does so once, and answers { seconds } or { error }. Only the work is timed, not what is made ready for it.
import dns from "node:dns";
import type { Client } from "@libsql/client" with { "resolution-mode": "import" };
import { type Context, createContext } from "../../../provider/context";
import { selectPlatform } from "../../../provider/platform/select";
import { readSettings } from "../../../provider/platform/settings";
import { inTurn } from "../../../provider/rollout/fleet/pool";
import { countsOf } from "../../../provider/rollout/fleet/report";
import { prepareRollout, runRollout } from "../../../provider/rollout/fleet/rollout";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import { type Migration, digestOf } from "../../../provider/rollout/source";
import { executionOf } from "../../../provider/rollout/source/execution";
import { shortHash } from "../../../provider/rollout/source/migration";
import { splitStatements } from "../../../provider/rollout/statements";

export type Task =
  | { readonly kind: "ours"; readonly target: Target; readonly texts: readonly string[] }
  | { readonly kind: "reference"; readonly target: Target; readonly text: string; readonly inFlight: number };

export interface Target {
  /** Of the Platform API. */
  readonly apiUrl: string;
  readonly apiToken: string;
  /** Of a database, with `{name}`. */
  readonly databaseUrl: string;
  readonly names: readonly string[];
}

// A libsql-server tells its namespaces by the host's name. Every such name is this machine, but not every system knows.
const lookup = dns.lookup;
dns.lookup = ((host: string, ...rest: unknown[]) =>
  (lookup as (...args: unknown[]) => void)(host.endsWith(".localhost") ? "127.0.0.1" : host, ...rest)) as typeof lookup;

const group = "bench";

async function ours({ apiUrl, apiToken, databaseUrl, names }: Target, texts: readonly string[]): Promise<number> {
  const migrations = texts.map(migrationOf);
  const tenants = names.map((name): FleetTenant => ({ name, group }));
  // Each run is a process of its own, which knows nothing of the fleet yet.
  const settings = readSettings({ platform: "local", apiUrl, apiToken, databaseUrl, organization: "local" }, {});
  const context: Context = createContext(selectPlatform(settings), settings);
  const stack = "organization/bench/dev";
  await (await context.registry(group, stack)).run();
  const began = performance.now();
  const prepared = await prepareRollout({
    ...{ context, migrations, tenants, stack, policy: {}, startedBy: "the bench" },
    template: { name: "app", digest: digestOf(migrations) },
  });
  const { outcomes, stopped } = await runRollout(prepared);
  const seconds = (performance.now() - began) / 1_000;
  const { migrated } = countsOf(outcomes);
  if (migrated !== names.length) throw new Error(`${migrated} of ${names.length} were migrated: ${stopped}`);
  for (const tenant of tenants) prepared.seen.sql(tenant).close();
  return seconds;
}

/** As people write it: the statements as one batch to each database, so many at a time. */
async function reference({ databaseUrl, names }: Target, text: string, inFlight: number): Promise<number> {
  // An ES module only; everything here is CommonJS.
  const { createClient } = await import("@libsql/client");
  const statements = splitStatements(text).map(({ sql }) => sql);
  const began = performance.now();
  await inTurn(names, inFlight, async (name) => {
    const client: Client = createClient({ url: databaseUrl.replace("{name}", name) });
    await client.batch(statements, "write");
    client.close();
  });
  return (performance.now() - began) / 1_000;
}

const migrationOf = (text: string, i: number): Migration => {
  const id = `${String(i + 1).padStart(4, "0")}_step`;
  return { id, file: `${id}.sql`, hash: shortHash(text), sql: text, ...executionOf(splitStatements(text), true) };
};

const run = (task: Task): Promise<number> =>
  task.kind === "ours" ? ours(task.target, task.texts) : reference(task.target, task.text, task.inFlight);

process.on("message", (task: Task) => {
  run(task).then(
    (seconds) => process.send?.({ seconds }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on("disconnect", () => process.exit());

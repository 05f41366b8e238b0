import { SqlError, TenantryError } from "../../../provider/platform/errors";
import type { Sql } from "../../../provider/platform/sql";
import { isOfDatabase } from "../../../provider/platform/sql-failure";
import { inspectClaims } from "../../../provider/registry/inspect";
import type { RolloutProgress } from "../../../provider/rollout/fleet/progress";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import { type RolloutRecord, listRollouts } from "../../../provider/registry/rollouts";
import { type Ground, noteOnce } from "./ground";

/** A group's registry that answers. */
export interface OpenRegistry {
  readonly group: string;
  readonly sql: Sql;
}

/** The groups that a command without tenants is about: the one given, or all that are not archived. */
export async function groupsOf({ context, group, notes }: Ground): Promise<string[]> {
  const { byName } = await context.listing.groups();
  if (group !== undefined) {
    if (byName.has(group) || (await context.listing.group(group))) return [group];
    const known = [...byName.keys()].map((name) => `"${name}"`).join(", ");
    throw new TenantryError("group-not-found", `There is no group "${group}".`, {
      fix: known ? `There is ${known}.` : "There are no groups yet.",
    });
  }
  const open = [...byName.values()].filter(({ archived, name }) => {
    if (archived) notes.push(`Group "${name}" is archived, so its registry was not read.`);
    return !archived;
  });
  return open.map(({ name }) => name).sort();
}

/** The registries of these groups. One that is not there is none; one that does not answer is noted. */
export async function openRegistries(ground: Ground, groups: readonly string[]): Promise<OpenRegistry[]> {
  const opened = await Promise.all(
    groups.map(async (group) => {
      const sql = await ground.context.registrySql(group);
      return sql ? [{ group, sql }] : [];
    }),
  );
  return opened.flat();
}

/** Does `work` on each registry; one that does not answer is noted, and told of by nothing else. */
export async function onEach<Row>(
  ground: Ground,
  registries: readonly OpenRegistry[],
  work: (registry: OpenRegistry) => Promise<readonly Row[]>,
): Promise<Row[]> {
  const rows = await Promise.all(
    registries.map(async (registry) => {
      try {
        return await work(registry);
      } catch (error) {
        if (!(error instanceof TenantryError) || (error.whose === "yours" && !isOfDatabase(error))) throw error;
        noteOnce(ground, `The registry of group "${registry.group}" does not answer: ${error.message}`);
        return [];
      }
    }),
  );
  return rows.flat();
}

/** A rollout stands in the registry of each of its groups; here it is one. */
export interface KnownRun extends RolloutRecord<RolloutProgress> {
  readonly groups: readonly string[];
}

/** The newest first. */
export async function findRuns(
  ground: Ground,
  registries: readonly OpenRegistry[],
  template: string | undefined,
): Promise<KnownRun[]> {
  const rows = await onEach(ground, registries, async ({ group, sql }) =>
    (await listRollouts<RolloutProgress>(sql)).map((run) => ({ ...run, groups: [group] })),
  );
  const runs = new Map<string, KnownRun>();
  for (const run of rows) {
    if (template !== undefined && run.template !== template) continue;
    const known = runs.get(run.id);
    const newer = known && known.beatAt > run.beatAt ? known : run;
    runs.set(run.id, { ...newer, groups: [...(known?.groups ?? []), ...run.groups].sort() });
  }
  return [...runs.values()].sort((a, b) => compare(b.startedAt, a.startedAt) || compare(a.id, b.id));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Databases that the registries have as tenants of a template, by group and name. */
export async function claimedTenants(
  ground: Ground,
  registries: readonly OpenRegistry[],
  template: string,
): Promise<FleetTenant[]> {
  return onEach(ground, registries, async ({ group, sql }) => {
    try {
      const claims = await inspectClaims(sql);
      return claims
        .filter((one) => one.kind === "database" && one.template === template && one.state === "held")
        .map(({ name }) => ({ name, group }));
    } catch (error) {
      // A run died between making the database and its tables: nothing was claimed there.
      if (error instanceof SqlError && error.message.includes("no such table")) return [];
      throw error;
    }
  });
}

export type RunState = "under way" | "broken off" | "ended";

/** A run that has not been heard of for so long was killed. In ms. */
const silence = 60_000;

export function stateOfRun({ endedAt, beatAt }: Pick<KnownRun, "endedAt" | "beatAt">, now = Date.now()): RunState {
  if (endedAt !== undefined) return "ended";
  return now - Date.parse(beatAt) < silence ? "under way" : "broken off";
}

import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import type { Sql } from "../../platform/sql";
import { type Quarantine, beatRollout, beginRollout, listQuarantine, putInQuarantine } from "../../registry/rollouts";
import type { RolloutProgress } from "./progress";

/** What a run writes down for others, in the registry of each group that it goes over. */
export interface Journal {
  /** Tenants that an earlier run of the same template put in quarantine, by name. */
  readonly quarantine: ReadonlyMap<string, Quarantine>;
  begin(progress: RolloutProgress): Promise<void>;
  /** How far it is; answers whether somebody asked it to stop. */
  beat(progress: RolloutProgress): Promise<boolean>;
  quarantined(tenant: { readonly name: string; readonly group: string }, error: string): Promise<void>;
  end(progress: RolloutProgress): Promise<void>;
}

export interface JournalOptions {
  readonly id: string;
  readonly template: string;
  readonly digest: string;
  readonly target: string;
  /** A resource's address, or a command. */
  readonly startedBy: string;
  readonly groups: readonly string[];
  /** Told once of what could not be read or written: a rollout goes on without it. */
  readonly note: (text: string) => void;
}

/**
 * A group without a registry, or with one that cannot be reached, has no journal: its tenants' ledgers alone keep a
 * migration to exactly once, and quarantine is then known only from this run's result.
 */
export async function openJournal(context: Context, options: JournalOptions): Promise<Journal> {
  const { id, template, digest, target, startedBy, groups, note } = options;
  const registries = new Map<string, Sql>();
  let noted = false;
  const attempt = async <T>(group: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!noted)
        note(
          `The registry of group "${group}" cannot be used, so that this run can neither be stopped nor shown: ${error.message}`,
        );
      noted = true;
      return undefined;
    }
  };
  const everywhere = <T>(work: (sql: Sql) => Promise<T>): Promise<(T | undefined)[]> =>
    Promise.all([...registries].map(([group, sql]) => attempt(group, () => work(sql))));

  await Promise.all(
    groups.map((group) =>
      attempt(group, async () => {
        const sql = await context.registrySql(group);
        if (sql) registries.set(group, sql);
      }),
    ),
  );
  const known = (await everywhere((sql) => listQuarantine(sql, template))).flatMap((rows) => rows ?? []);
  return {
    // A template that has changed since is tried anew.
    quarantine: new Map(known.filter((row) => row.digest === digest).map((row) => [row.name, row])),
    async begin(progress) {
      await everywhere((sql) => beginRollout(sql, { id, template, target, startedBy }, progress));
    },
    beat: async (progress) => (await everywhere((sql) => beatRollout(sql, id, progress, false))).includes(true),
    async quarantined({ name, group }, error) {
      const sql = registries.get(group);
      if (sql) await attempt(group, () => putInQuarantine(sql, [{ template, name, digest, error }]));
    },
    async end(progress) {
      await everywhere((sql) => beatRollout(sql, id, progress, true));
    },
  };
}

/** Fails with "unreachable" and its kin: for commands whose whole purpose is the journal. */
export async function requireRegistrySql(context: Context, group: string): Promise<Sql> {
  const sql = await context.registrySql(group);
  if (sql) return sql;
  throw new TenantryError("not-configured", `Group "${group}" has no registry, so no rollout has been there.`, {
    fix: "It is made with the first TenantDatabase of the group.",
  });
}

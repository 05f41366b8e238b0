import type { Context } from "../../context";
import { cancelled } from "../../http/cancellation";
import { TenantryError } from "../../platform/errors";
import type { Observation } from "../../rollout/fleet/plan";
import { planText } from "../../rollout/fleet/plan-text";
import type { PolicyInputs } from "../../rollout/fleet/policy";
import { verdict } from "../../rollout/fleet/report";
import { prepareRollout, runRollout } from "../../rollout/fleet/rollout";
import type { FleetTenant } from "../../rollout/fleet/waves";
import type { Migration } from "../../rollout/source";
import { type TemplateRef, parseTemplateRef } from "../../rollout/template-ref";
import { templateMigrations } from "../../rollout/template-source";
import { type Say, narrate } from "../schema-rollout/narration";
import { parseSelf } from "../self";
import type { TenantFleetInputs } from "./inputs";
import type { MadeRecord, Profiles } from "./record";
import type { RosterTenant } from "./roster";

/** A tenant with a database, and whether it may be behind its template. */
export interface Member {
  readonly tenant: RosterTenant;
  readonly record: MadeRecord;
  readonly isBehind: boolean;
}

export interface Brought {
  readonly records: readonly MadeRecord[];
  /** Why a tenant is not there, by id. */
  readonly whys: ReadonlyMap<string, string>;
  readonly problem: TenantryError | undefined;
}

/**
 * Brings the tenants of one template to its version, by the fleet's policy. All of them count for shares and waves; only
 * those that may be behind are looked at. `schema`: the template's ref.
 */
export async function bringTo(
  schema: string,
  members: readonly Member[],
  fleet: TenantFleetInputs,
  context: Context,
  profiles: Profiles,
  say: Say,
): Promise<Brought> {
  const template = parseTemplateRef(schema)!;
  const notes: Promise<void>[] = [];
  const byName = new Map(members.map((member) => [member.record.name, member]));
  try {
    const migrations = templateMigrations(template);
    const prepared = await prepareRollout({
      context,
      template,
      migrations,
      tenants: members.map(({ tenant, record }) => ({ ...record, group: record.profile.group, labels: tenant.labels })),
      policy: byDatabaseName(fleet.rollout ?? {}, members),
      stack: parseSelf(fleet.self).stack,
      startedBy: fleet.self,
      note: (text) => void notes.push(say("warning", text)),
      known: currentOnes(byName, migrations),
    });
    const { findings } = prepared.destruction;
    if (prepared.plan.waves.length > 0) await say("info", planText(prepared.plan, { findings }).join("\n"));
    const narration = narrate(prepared.plan, say);
    const report = await runRollout(prepared, { ...narration, signal: cancelled });
    notes.push(narration.written());
    const whys = new Map<string, string>();
    const records = report.outcomes.map(({ name, state, version, why }) => {
      const { tenant, record } = byName.get(name)!;
      const isThere = state === "current" || state === "migrated";
      if (!isThere) whys.set(tenant.id, why ?? state);
      return {
        ...record,
        // Of one that could not be looked at, what is recorded stands.
        schemaVersion: version ?? record.schemaVersion,
        profile: isThere ? profiles.of({ ...record.profile, schema }) : record.profile,
        state: isThere ? ("ready" as const) : state,
      };
    });
    return { records, whys, problem: verdict(report, prepared.policy) };
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    return failedAll(members, error);
  } finally {
    await Promise.all(notes);
  }
}

/** What concerns the template or the fleet as a whole touched nobody. */
function failedAll(members: readonly Member[], problem: TenantryError): Brought {
  const behind = members.filter(({ isBehind }) => isBehind);
  return {
    records: behind.map(({ record }) => ({ ...record, state: "failed" })),
    whys: new Map(behind.map(({ tenant }) => [tenant.id, problem.message])),
    problem,
  };
}

function currentOnes(byName: ReadonlyMap<string, Member>, migrations: readonly Migration[]) {
  const current: Observation = { applied: migrations.map(({ id, hash }) => ({ id, hash })) };
  return ({ name }: FleetTenant): Observation | undefined => (byName.get(name)?.isBehind ? undefined : current);
}

/** A canary by ids, in the names that the rollout knows. */
function byDatabaseName(policy: PolicyInputs, members: readonly Member[]): PolicyInputs {
  const { canary } = policy;
  if (!Array.isArray(canary)) return policy;
  const names = new Map(members.map(({ tenant, record }) => [tenant.id, record.name]));
  return { ...policy, canary: (canary as readonly string[]).map((id) => names.get(id) ?? id) };
}

/** The template that a tenant is to follow. */
export const templateOf = ({ schema }: Pick<RosterTenant, "schema">): TemplateRef | undefined =>
  schema === undefined ? undefined : parseTemplateRef(schema);

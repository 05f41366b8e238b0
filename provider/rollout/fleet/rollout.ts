import type { Context } from "../../context";
import { hasCode } from "../../platform/errors";
import { randomId } from "../../random-id";
import { refuseWhatCannotRun } from "../refusal";
import type { Migration } from "../source";
import { type Journal, openJournal } from "./journal";
import { type SeenFleet, observeFleet } from "./observe";
import { type Destruction, judgeDestruction } from "./destruction";
import { type FleetPlan, type Observation, planFleet, plannedTenants } from "./plan";
import { type Policy, type PolicyInputs, policyOf } from "./policy";
import type { RolloutProgress } from "./progress";
import type { FleetReport } from "./report";
import { runFleet } from "./run";
import type { FleetTenant } from "./waves";

export interface RolloutRequest {
  readonly context: Context;
  readonly template: { readonly name: string; readonly digest: string };
  readonly migrations: readonly Migration[];
  /** In the order in which shares of the fleet are counted. */
  readonly tenants: readonly FleetTenant[];
  readonly policy: PolicyInputs;
  /** What is known of a tenant beforehand, which is then not looked at. Default: nothing. */
  readonly known?: (tenant: FleetTenant) => Observation | undefined;
  /** `organization/project/stack`, whose runs are numbered; undefined: the ledgers alone keep two runs apart. */
  readonly stack: string | undefined;
  /** A resource's address, or a command: who looks at the journal is told. */
  readonly startedBy: string;
  /** Told of what is worth a line and stops nothing. */
  readonly note?: (text: string) => void;
}

/** A rollout that has looked at its fleet, and has changed nothing yet. */
export interface PreparedRollout {
  readonly request: RolloutRequest;
  readonly policy: Policy;
  readonly plan: FleetPlan;
  readonly seen: SeenFleet;
  readonly journal: Journal;
  /** What it would destroy; `runRollout` fails with its refusal. */
  readonly destruction: Destruction;
}

/**
 * Looks at every tenant and says what would be done: a preview, `tenantry schema plan` and the run itself begin with it.
 *
 * Fails with "invalid-input" (the policy), "migration-invalid" (a tenant's history is another one) and with whatever
 * concerns all tenants, such as "credentials-rejected".
 */
export async function prepareRollout(request: RolloutRequest): Promise<PreparedRollout> {
  const { context, template, migrations, tenants, startedBy, note = () => {}, known = () => undefined } = request;
  const policy = policyOf(request.policy);
  // Without the texts; the file is for errors.
  const history = migrations.map(({ id, hash, file }) => ({ id, hash, file }));
  const unseen = tenants.filter((tenant) => known(tenant) === undefined);
  const [seen, journal] = await Promise.all([
    // To look is harmless: how careful the change is to be does not slow it down.
    observeFleet(context, unseen, Math.max(policy.concurrency, context.settings.concurrency), migrations),
    openJournal(context, {
      id: randomId(),
      template: template.name,
      digest: template.digest,
      target: history.at(-1)!.id,
      startedBy,
      groups: [...new Set(tenants.map(({ group }) => group))],
      note,
    }),
  ]);
  const quarantined = ({ name }: FleetTenant): string | undefined => journal.quarantine.get(name)?.error;
  const plan = planFleet({
    template: template.name,
    history,
    tenants,
    observed: (tenant) => known(tenant) ?? seen.observation(tenant),
    quarantined,
    policy,
  });
  const planned = plannedTenants(plan);
  const had = planned.length > 0 ? Math.min(...planned.map((tenant) => tenant.had)) : undefined;
  for (const migration of had === undefined ? [] : migrations.slice(had)) refuseWhatCannotRun(migration);
  const destruction = await judgeDestruction(template.name, migrations, had, policy.allowDestructive);
  return { request, policy, plan, seen, journal, destruction };
}

/**
 * Does what was prepared. What happens to a tenant is in the report; see `verdict`. Fails, before anything is written,
 * with "needs-decision" where data would be destroyed that nobody allowed, and "migration-invalid" where SQLite refuses
 * a file.
 */
export async function runRollout(
  { request, policy, plan, seen, journal, destruction }: PreparedRollout,
  watch: { readonly onProgress?: (progress: RolloutProgress) => void; readonly signal?: AbortSignal } = {},
): Promise<FleetReport> {
  if (destruction.refusal) throw destruction.refusal;
  const { context, migrations, tenants, stack } = request;
  const fences = new Map<string, Promise<number | undefined>>();
  const fence = ({ group }: FleetTenant): Promise<number | undefined> => {
    const known = fences.get(group) ?? fenceOf(context, group, stack);
    fences.set(group, known);
    return known;
  };
  return runFleet({ plan, policy, migrations, tenants, journal, fence, sql: seen.sql, ...watch });
}

/** Migrations go on without a registry: each database's own ledger keeps them to exactly once. */
async function fenceOf(context: Context, group: string, stack: string | undefined): Promise<number | undefined> {
  if (stack === undefined) return undefined;
  try {
    return await (await context.existingRegistry(group, stack))?.run();
  } catch (error) {
    if (hasCode(error, "superseded")) throw error;
    return undefined;
  }
}

import type { Context } from "../../context";
import { TenantryError, hasCode } from "../../platform/errors";
import { randomId } from "../../random-id";
import { openJournal } from "../../rollout/fleet/journal";
import { observeFleet } from "../../rollout/fleet/observe";
import { type Observation, planFleet, plannedTenants } from "../../rollout/fleet/plan";
import { policyOf } from "../../rollout/fleet/policy";
import type { TenantOutcome } from "../../rollout/fleet/report";
import type { FleetTenant } from "../../rollout/fleet/waves";
import type { Migration } from "../../rollout/source";
import type { TemplateRef } from "../../rollout/template-ref";
import { templateMigrations } from "../../rollout/template-source";
import { requireScope } from "../scope";
import { fleetOf } from "./fleet";
import { policyIn, templateOf } from "./inputs";
import { type OpenTenant, type SchemaRolloutOutputs, outputsOf } from "./outputs";

/** Looks at every ledger again. A tenant that cannot be looked at, or has another history, is told as such. */
export async function readSchemaRollout(
  outputs: SchemaRolloutOutputs,
  context: Context,
): Promise<SchemaRolloutOutputs> {
  await requireScope(context, outputs.scope);
  const ref = templateOf(outputs);
  const { name: template, digest } = ref;
  const { targetVersion: target, history } = outputs;
  const tenants = await fleetOf(context, outputs.tenants);
  const groups = [...new Set(tenants.map(({ group }) => group))];
  const [seen, { quarantine }] = await Promise.all([
    observeFleet(context, tenants, policyOf(policyIn(outputs)).concurrency, filesOf(ref)),
    openJournal(context, { id: randomId(), template, digest, target, startedBy: outputs.self, groups, note: () => {} }),
  ]);
  const known = new Map(outputs.unfinished.map((one) => [one.name, one]));
  const outcomes = tenants.map((tenant) => {
    const outcome = standing(outputs, tenant, seen.observation(tenant), quarantine.get(tenant.name)?.error);
    const before = known.get(tenant.name);
    return before && isAsBefore(before, outcome) ? { ...outcome, state: before.state, why: before.why } : outcome;
  });
  const report = { template, history, outcomes, stopped: outputs.stopped };
  const isOver = outcomes.every(({ state }) => state === "current");
  return outputsOf(outputs, { ...report, stopped: isOver ? undefined : report.stopped }, outputs);
}

/** A refresh runs without the program: the files may be others by now, and only tell what another tool's history means. */
function filesOf(ref: TemplateRef): readonly Migration[] {
  try {
    return templateMigrations(ref);
  } catch (error) {
    if (hasCode(error, "migration-invalid")) return [];
    throw error;
  }
}

/** Why it failed, or was not reached, only the run knew; it holds as long as nothing has happened to the tenant since. */
const isAsBefore = (before: OpenTenant, { state, version }: TenantOutcome): boolean =>
  state === "skipped" && (before.state === "failed" || before.state === "skipped") && before.version === version;

function standing(
  { history }: SchemaRolloutOutputs,
  tenant: FleetTenant,
  observation: Observation,
  quarantine: string | undefined,
): TenantOutcome {
  try {
    const plan = planFleet({
      template: "",
      history,
      tenants: [tenant],
      observed: () => observation,
      quarantined: () => quarantine,
      policy: { canary: 0, waves: [1] },
    });
    const [behind] = plannedTenants(plan);
    if (!behind) return plan.settled[0]!;
    const lacks = history.slice(behind.had).map(({ id }) => id);
    return { ...tenant, state: "skipped", version: history[behind.had - 1]?.id, why: `it lacks ${lacks.join(", ")}` };
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    return { ...tenant, state: "failed", why: error.message };
  }
}

import type { Context } from "../../context";
import { cancelled } from "../../http/cancellation";
import { planText } from "../../rollout/fleet/plan-text";
import { verdict } from "../../rollout/fleet/report";
import { prepareRollout, runRollout } from "../../rollout/fleet/rollout";
import { templateMigrations } from "../../rollout/template-source";
import { Unfinished } from "../handler";
import { parseSelf } from "../self";
import { fleetOf } from "./fleet";
import { type SchemaRolloutInputs, policyIn, templateOf } from "./inputs";
import { type Say, narrate } from "./narration";
import { type SchemaRolloutOutputs, outputsOf } from "./outputs";

/**
 * Brings every tenant to the template's version, canary and waves as declared. What was reached is in the outputs, also
 * where that is not all: then it fails, and the next run goes on.
 */
export async function rollOut(
  id: string,
  inputs: SchemaRolloutInputs,
  context: Context,
  scope: string,
  say: Say,
): Promise<SchemaRolloutOutputs> {
  const template = templateOf(inputs);
  const notes: Promise<void>[] = [];
  const prepared = await prepareRollout({
    context,
    template,
    migrations: templateMigrations(template),
    tenants: await fleetOf(context, inputs.tenants),
    policy: policyIn(inputs),
    stack: parseSelf(inputs.self).stack,
    startedBy: inputs.self,
    note: (text) => void notes.push(say("warning", text)),
  });
  const { findings } = prepared.destruction;
  const plan = planText(prepared.plan, { findings }).join("\n");
  // Where nobody is changed: who is left out, such as those that are ahead of a template that was taken back.
  const isWorthTelling =
    prepared.plan.waves.length > 0 || prepared.plan.settled.some(({ state }) => state !== "current");
  if (isWorthTelling) await say("info", plan);
  const narration = narrate(prepared.plan, say);
  const report = await runRollout(prepared, { ...narration, signal: cancelled });
  const outputs = outputsOf(inputs, report, { scope, plan });
  const failed = verdict(report, prepared.policy);
  const { current } = outputs.counts;
  if (prepared.plan.waves.length > 0) {
    notes.push(
      narration
        .written()
        .then(() => say("info", `${current} of ${inputs.tenants.length} tenants are at ${outputs.targetVersion}`)),
    );
  }
  await Promise.all(notes);
  if (failed) throw new Unfinished(failed, id, outputs);
  return outputs;
}

import * as pulumi from "./pulumi";
import type { TenantryError } from "../provider/platform/errors";
import type { SchemaRolloutInputs } from "../provider/resources/schema-rollout/inputs";
import { settled } from "./known";
import { readOnlyContext } from "./preflight";

type Declared = Pick<SchemaRolloutInputs, "schema" | "tenants">;

/**
 * In a preview, says what a rollout would do: the same plan as `pulumi up` makes, from each tenant's ledger, read-only.
 * `declared` says which of the tenants are resources: those that are not there yet will be made.
 */
export function previewRollout(
  resource: pulumi.Resource,
  name: string,
  connection: string | undefined,
  inputs: pulumi.Inputs,
  declared: readonly boolean[],
): void {
  if (!pulumi.isDryRun()) return;
  void settled(pulumi.output(inputs)).then((known) => {
    // The engine would not wait for what only calls a platform.
    const done = pulumi.rpcKeepAlive();
    return tell(resource, name, connection, known as Declared | undefined, declared).finally(done);
  });
}

async function tell(
  resource: pulumi.Resource,
  name: string,
  connection: string | undefined,
  inputs: Declared | undefined,
  declared: readonly boolean[],
): Promise<void> {
  if (inputs === undefined) return pulumi.log.info("No plan yet: not all of its inputs are known.", resource);
  const errors = await import("../provider/platform/errors.js");
  try {
    const plan = await planOf(connection, inputs, declared);
    if (plan) await pulumi.log.info(plan.text, resource);
    if (plan?.refusal) throw plan.refusal;
  } catch (error) {
    if (!(error instanceof errors.TenantryError)) throw error;
    if (error.code !== "migration-invalid" && error.code !== "needs-decision")
      return pulumi.log.info(`No plan: ${error.message}`, resource);
    // `up` would be refused before it touches anything. Nobody catches this: it is told as the program's own error.
    throw Object.assign(new pulumi.RunError(`${name}: ${error.message}`), { stack: "" });
  }
}

/** Undefined where check has something against the inputs, and says it. */
async function planOf(
  connection: string | undefined,
  inputs: Declared,
  declared: readonly boolean[],
): Promise<{ text: string; refusal: TenantryError | undefined } | undefined> {
  const [{ fleetOf }, { judgeSchemaRollout, policyIn, templateOf }, { templateMigrations }] = await Promise.all([
    import("../provider/resources/schema-rollout/fleet.js"),
    import("../provider/resources/schema-rollout/inputs.js"),
    import("../provider/rollout/template-source.js"),
  ]);
  const [{ prepareRollout }, { planText }] = await Promise.all([
    import("../provider/rollout/fleet/rollout.js"),
    import("../provider/rollout/fleet/plan-text.js"),
  ]);
  if (judgeSchemaRollout({ ...inputs, self: "" }).length > 0) return undefined;
  const context = await readOnlyContext(connection);
  const { byName } = await context.listing.databases();
  const template = templateOf(inputs);
  const migrations = templateMigrations(template);
  const { plan, destruction } = await prepareRollout({
    context,
    template,
    migrations,
    tenants: await fleetOf(context, inputs.tenants),
    policy: policyIn(inputs),
    stack: undefined,
    startedBy: "a preview",
  });
  const fresh = inputs.tenants.filter(({ name }, i) => declared[i] === true && !byName.has(name));
  const names = new Set(fresh.map(({ name }) => name));
  const text = planText(plan, { migrations, findings: destruction.findings, fresh: names }).join("\n");
  return { text, refusal: destruction.refusal };
}

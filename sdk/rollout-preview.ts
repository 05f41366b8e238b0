import * as pulumi from "@pulumi/pulumi";
import type { SchemaRolloutInputs } from "../provider/resources/schema-rollout/inputs";
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
  if (!pulumi.runtime.isDryRun()) return;
  void settled(pulumi.output(inputs)).then((known) => {
    // The engine would not wait for what only calls a platform.
    const done = pulumi.runtime.rpcKeepAlive();
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
  const { TenantryError } = await import("../provider/platform/errors.js");
  try {
    const text = await planOf(connection, inputs, declared);
    if (text !== undefined) await pulumi.log.info(text, resource);
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    if (error.code !== "migration-invalid") return pulumi.log.info(`No plan: ${error.message}`, resource);
    // `up` would be refused before it touches anything. Nobody catches this: it is told as the program's own error.
    throw Object.assign(new pulumi.RunError(`${name}: ${error.message}`), { stack: "" });
  }
}

/** The value, or undefined where a part of it is known only once something else is done. */
async function settled<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  // What the SDK itself asks; it has no public question for it.
  const { isKnown } = output as unknown as { isKnown: Promise<boolean> };
  if (!(await isKnown.catch(() => false))) return undefined;
  return new Promise((resolve) => output.apply((value) => resolve(value as T)));
}

/** Undefined where check has something against the inputs, and says it. */
async function planOf(
  connection: string | undefined,
  inputs: Declared,
  declared: readonly boolean[],
): Promise<string | undefined> {
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
  const { plan } = await prepareRollout({
    context,
    template,
    migrations,
    tenants: await fleetOf(context, inputs.tenants),
    policy: policyIn(inputs),
    stack: undefined,
    startedBy: "a preview",
  });
  const fresh = inputs.tenants.filter(({ name }, i) => declared[i] === true && !byName.has(name));
  return planText(plan, { migrations, fresh: new Set(fresh.map(({ name }) => name)) }).join("\n");
}

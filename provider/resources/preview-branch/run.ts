import { relative, resolve } from "node:path";
import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { forgetKeeper, keeperOf, writeKeeper } from "../../preview/keeper";
import type { PreviewOrder } from "../../preview/order";
import { previewClaims, previewRegistry } from "../../preview/registry";
import type { BranchReport } from "../../preview/report";
import { previewUp } from "../../preview/up";
import { projectFolder } from "../../project-folder";
import { previewStack } from "../../registry/preview-address";
import { parseTemplateRef } from "../../rollout/template-ref";
import { templateMigrations } from "../../rollout/template-source";
import { Unfinished } from "../handler";
import type { PreviewBranchInputs } from "./inputs";
import { type PreviewBranchOutputs, endOf, outputsOf } from "./outputs";
import type { Place } from "./place";

interface Run {
  readonly id: string;
  readonly inputs: PreviewBranchInputs;
  readonly scope: string;
  readonly place: Place;
  /** Start over, from the sources as they are now. */
  readonly reset: boolean;
}

/** Brings the branches to what is declared. Where one could not be, outputs say which, and the next `up` tries again. */
export async function bringUp(
  context: Context,
  { id, inputs, scope, place, reset }: Run,
): Promise<PreviewBranchOutputs> {
  const order = { ...orderOf(inputs), ...place, reset };
  await takeUp(context, place, id, inputs);
  const up = await previewUp(context, order).catch((error: unknown) =>
    gaveUp(context, error, { id, inputs, scope, place }),
  );
  const outputs = outputsOf(inputs, up, { scope, place });
  const failed = up.report.branches.filter(({ state }) => state !== "ready");
  if (failed.length > 0) throw new Unfinished(failureOf(failed, up.report.branches.length), id, outputs);
  return outputs;
}

/** Whatever is there belongs to the resource, so that a destroy finds it; nothing there: the resource neither. */
async function gaveUp(
  context: Context,
  error: unknown,
  { id, inputs, scope, place }: Omit<Run, "reset">,
): Promise<never> {
  const sql = await previewRegistry(context, place.group);
  if ((await previewClaims(sql, place)).length === 0) {
    await forgetKeeper(sql, previewStack(place), id);
    throw error;
  }
  const { repository, pullRequest } = place;
  const { data } = inputs;
  const fleet = { tenants: 0, projectedMs: null };
  const report = { version: 1 as const, repository, pullRequest, data, expiresAt: null, branches: [], fleet };
  throw new Unfinished(error, id, outputsOf(inputs, { report, tokens: new Map() }, { scope, place }));
}

/**
 * Says in the registry that this resource has the branches. One that is made anew over its own takes them up again; then
 * the end of the former one leaves them.
 */
async function takeUp(
  context: Context,
  place: Place,
  id: string,
  { self, formerly = [] }: PreviewBranchInputs,
): Promise<void> {
  const sql = await previewRegistry(context, place.group);
  const of = previewStack(place);
  const keeper = await keeperOf(sql, of);
  if (keeper && keeper.id !== id && keeper.self !== self && !formerly.includes(keeper.self)) {
    throw new TenantryError(
      "not-owner",
      `${place.repository}#${place.pullRequest}: ${keeper.self} has the branches of this pull request.`,
      { fix: "Give another repository or pullRequest, or take it out there first." },
    );
  }
  await writeKeeper(sql, of, { id, self });
}

function orderOf(inputs: PreviewBranchInputs): Omit<PreviewOrder, "repository" | "pullRequest" | "group"> {
  const { from, data, mask, access, timestamp, schema } = inputs;
  const template = schema === undefined ? undefined : parseTemplateRef(schema)!;
  // Only what was previewed is run.
  if (template) templateMigrations(template);
  const folder = template && (relative(process.cwd(), resolve(projectFolder(), template.path)) || ".");
  return {
    tenants: from.map(({ tenant, database }) => ({ tenant, source: database })),
    data,
    expiresAt: endOf(inputs),
    fleetTenants: from.length,
    ...(mask ? { mask } : {}),
    ...(access ? { access } : {}),
    ...(timestamp === undefined ? {} : { sourceTimestamp: timestamp }),
    ...(folder === undefined
      ? {}
      : { migrations: { folder, ...(template!.format ? { format: template!.format } : {}) } }),
  };
}

function failureOf(failed: readonly BranchReport[], all: number): TenantryError {
  const lines = failed.slice(0, 5).map(({ tenant, error }) => `${tenant}: ${error?.message ?? "it did not say why."}`);
  const more = failed.length > 5 ? [`and ${failed.length - 5} more, in the output "report"`] : [];
  return new TenantryError(
    "migration-failed",
    `${failed.length} of ${all} branches failed: ${[...lines, ...more].join("\n")}`,
    { fix: "\nCorrect the migration, or what is said of the branch, and run `pulumi up` again." },
  );
}

import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import type { TemplateRef } from "../template-ref";
import { deployToAll, recordsOf } from "./deploy";
import type { Recorded } from "./records";

/** The last deployment that this process has begun because a tenant was behind, by template. */
const repeated = new WeakMap<Context, Map<string, Promise<unknown>>>();

/**
 * The last migration that a tenant has, told from its blueprint's version. One that is behind its template (it was in the
 * trash, suspended, restored, or failed) is deployed to once more. Fails with "migration-failed" where it stays behind.
 */
export async function deployedVersion(
  context: Context,
  tenant: string,
  template: TemplateRef,
): Promise<string | undefined> {
  const found = await look(context, tenant, template);
  if (found === template.version) return found;
  const known = repeated.get(context) ?? new Map<string, Promise<unknown>>();
  repeated.set(context, known);
  const bringing = bringUp(context, tenant, template, known.get(template.name));
  known.set(template.name, bringing);
  const after = await bringing;
  if (after === template.version) return after;
  throw new TenantryError(
    "migration-failed",
    `schema: ${tenant} has ${after ?? "nothing"} of "${template.name}", and the deployment did not bring it to ${template.version}.`,
    { fix: "Look at its deployments in TenantsDB; then run `pulumi up` again." },
  );
}

/** By one deployment for all that are behind; by another one for a tenant that was restored since `earlier` began. */
async function bringUp(
  context: Context,
  tenant: string,
  template: TemplateRef,
  earlier: Promise<unknown> | undefined,
): Promise<string | undefined> {
  await earlier;
  const found = earlier && (await look(context, tenant, template));
  if (found === template.version) return found;
  await deployToAll(context.platform.deployments!, template.name, () => undefined);
  return look(context, tenant, template);
}

async function look(context: Context, tenant: string, { name, version }: TemplateRef): Promise<string | undefined> {
  const parts = (await context.platform.getDatabase(tenant))?.parts;
  const part = parts?.find(({ blueprint }) => blueprint === name);
  if (!part) {
    throw new TenantryError("invalid-input", `schema: ${tenant} has no database of blueprint "${name}".`, {
      fix: "Adopt it with its own blueprints, or leave the schema out.",
    });
  }
  // Where the platform does not tell, a new tenant has what its blueprint has.
  if (part.version === undefined) return version;
  const recorded = await (await recordsOf(context.platform.deployments!)).migrations(name);
  return migrationAt(recorded, part.version);
}

/** The last of ours that is not after the tenant's version: somebody may have typed more into the workspace. */
export function migrationAt(recorded: readonly Recorded[], version: string): string | undefined {
  return recorded.filter((one) => one.version !== undefined && compare(one.version, version) <= 0).at(-1)?.id;
}

/** "1.10" is after "1.9". */
function compare(a: string, b: string): number {
  const [one, other] = [a, b].map((text) => text.replace(/^v/i, "").split(".").map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const difference = (one[i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

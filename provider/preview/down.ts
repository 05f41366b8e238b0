import type { Context } from "../context";
import { TenantryError } from "../platform/errors";
import { previewStack } from "../registry/preview-address";
import { inTurn } from "../rollout/fleet/pool";
import { withLease } from "./lease";
import { type PreviewOf, titleOf } from "./order";
import { readRecords } from "./records";
import { previewClaims } from "./registry";
import { removeBranch } from "./remove";

export interface PreviewDown {
  /** Names of databases. */
  readonly deleted: readonly string[];
  /** What stays all the same, and why. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** Deletes at the same time. */
const concurrency = 8;

/**
 * Deletes every branch of a pull request in a group, or those of `tenants`; an `up` that is under way is ended first. Only what the registry has
 * under the pull request goes, while its id and name agree; what could not be deleted is told, and keeps no other. Where
 * nothing was ever made, nothing is there to do.
 */
export async function previewDown(
  context: Context,
  of: PreviewOf & { readonly tenants?: readonly string[] },
  onWait: () => void = () => {},
): Promise<PreviewDown> {
  const { group } = of;
  const sql = await context.registrySql(group);
  const deleted: string[] = [];
  const left: { name: string; why: string }[] = [];
  if (!sql) return { deleted, left };
  // An `up` that has only just begun holds the lease, and no claim yet.
  const stack = previewStack(of);
  await withLease(sql, stack, { title: titleOf(of), closes: true, onWait }, async () => {
    const records = await readRecords(sql);
    const all = await previewClaims(sql, of);
    const claims = all.filter(({ place }) => of.tenants?.includes(place.tenant) ?? true);
    await inTurn(claims, concurrency, async ({ claim }) => {
      const { name } = claim;
      try {
        const fate = await removeBranch({ context, group, sql, reaper: `lease of ${stack}` }, claim, records.get(name));
        if (fate.is === "reaped") deleted.push(name);
        if (fate.is === "kept") left.push({ name, why: fate.why });
      } catch (error) {
        if (!(error instanceof TenantryError)) throw error;
        left.push({ name, why: error.message });
      }
    });
  });
  return { deleted: deleted.sort(), left: left.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

import type { Context } from "../context";
import { SqlError } from "../platform/errors";
import type { Sql } from "../platform/sql";
import { type RecordedClaim, inspectClaims } from "../registry/inspect";
import { type PreviewPlace, previewPlace, previewPrefix } from "../registry/preview-address";

/** A branch as a group's registry has it. */
export interface PreviewClaim {
  readonly claim: RecordedClaim;
  readonly place: PreviewPlace;
}

/** The group's registry, made at first use. */
export async function previewRegistry(context: Context, group: string): Promise<Sql> {
  // Numbers no pull request's runs: who waits for another one must not overtake it.
  await context.registry(group, previewPrefix);
  return (await context.registrySql(group))!;
}

/** Every branch in a registry, or those of one pull request. */
export async function previewClaims(
  sql: Sql,
  of: Partial<Pick<PreviewPlace, "repository" | "pullRequest">> = {},
): Promise<PreviewClaim[]> {
  const claims = await inspectClaims(sql).catch((error: unknown) => {
    // A run died between making the database and its tables: nothing was claimed there.
    if (error instanceof SqlError && error.message.includes("no such table")) return [];
    throw error;
  });
  return claims.flatMap((claim) => {
    const place = claim.kind === "database" ? previewPlace(claim.address) : undefined;
    if (!place) return [];
    if (of.repository !== undefined && of.repository !== place.repository) return [];
    if (of.pullRequest !== undefined && of.pullRequest !== place.pullRequest) return [];
    return [{ claim, place }];
  });
}

import { z } from "zod";

/** How a branch's data comes about: no rows at all, all rows, or all rows with values put out of sight by rules. */
export const previewData = ["schema-only", "copy", "masked"] as const;
export type PreviewData = (typeof previewData)[number];

/** A migration as it ran on a branch. */
export interface AppliedMigration {
  readonly id: string;
  /** From its beginning to its end, attempts among it. */
  readonly ms: number;
  /** Rows that its statements inserted, changed or deleted. */
  readonly rowsWritten: number;
  /** For how long its transactions were under way, about: nobody else could write then. */
  readonly lockedMs: number;
}

export interface BranchReport {
  readonly tenant: string;
  /** Name of the database that it was made from. */
  readonly source: string;
  /** Name of the branch's own database. */
  readonly branch: string;
  readonly url: string;
  readonly databaseId: string;
  readonly state: "ready" | "migration-failed" | "failed";
  /** False: it was there before, and keeps its rows. */
  readonly created: boolean;
  /** The last migration that the source had when the branch was made, and the last one that the branch has. */
  readonly from: string | null;
  readonly to: string | null;
  /** Since the branch was made, the oldest first. */
  readonly applied: readonly AppliedMigration[];
  readonly error: { readonly migration: string | null; readonly message: string } | null;
}

/** What `tenantry preview up --json` prints of a pull request, and `tenantry preview comment` reads. No secret is in it. */
export interface PreviewReport {
  readonly version: 1;
  /** "owner/name" */
  readonly repository: string;
  readonly pullRequest: number;
  readonly data: PreviewData;
  /** ISO 8601; null: without end. */
  readonly expiresAt: string | null;
  /** In the order of their tenants. */
  readonly branches: readonly BranchReport[];
  /** How many tenants there are, and how long these migrations take over all of them, about; null: none was applied. */
  readonly fleet: { readonly tenants: number; readonly projectedMs: number | null };
}

const whole = z.number().int().nonnegative();

export const previewReportSchema: z.ZodType<PreviewReport> = z.object({
  version: z.literal(1),
  repository: z.string(),
  pullRequest: z.number().int().positive(),
  data: z.enum(previewData),
  expiresAt: z.string().nullable(),
  branches: z.array(
    z.object({
      tenant: z.string(),
      source: z.string(),
      branch: z.string(),
      url: z.string(),
      databaseId: z.string(),
      state: z.enum(["ready", "migration-failed", "failed"]),
      created: z.boolean(),
      from: z.string().nullable(),
      to: z.string().nullable(),
      applied: z.array(
        z.object({
          id: z.string(),
          ms: z.number().nonnegative(),
          rowsWritten: whole,
          lockedMs: z.number().nonnegative(),
        }),
      ),
      error: z.object({ migration: z.string().nullable(), message: z.string() }).nullable(),
    }),
  ),
  fleet: z.object({ tenants: whole, projectedMs: z.number().nonnegative().nullable() }),
});

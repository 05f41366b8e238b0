import type { Access } from "../platform/platform";
import type { MigrationFormat } from "../rollout/source";
import type { MaskRules } from "./mask/rules";
import type { PreviewData } from "./report";

/** Where a pull request's migrations are. */
export interface MigrationSource {
  /** As the user wrote it; relative to the working directory. */
  readonly folder: string;
  /** Default: detected. */
  readonly format?: MigrationFormat;
}

/** Whose branches: a pull request's of one repository, in one group. */
export interface PreviewOf {
  /** "owner/name" */
  readonly repository: string;
  readonly pullRequest: number;
  /** Branches are in the group of their sources: only there a platform copies. */
  readonly group: string;
}

/** For people: "owner/name#42". */
export const titleOf = ({ repository, pullRequest }: Pick<PreviewOf, "repository" | "pullRequest">): string =>
  `${repository}#${pullRequest}`;

/** The branches that a pull request is to have in a group. */
export interface PreviewOrder extends PreviewOf {
  /** `source`: name of the database. */
  readonly tenants: readonly { readonly tenant: string; readonly source: string }[];
  readonly data: PreviewData;
  /** Of "masked", which has them. */
  readonly mask?: MaskRules;
  /** Applied to the branches. Default: none, so that they have their sources' schema. */
  readonly migrations?: MigrationSource;
  /** ISO 8601; null: without end. */
  readonly expiresAt: string | null;
  /** The moment that the data is taken from, ISO 8601, where the platform can. Default: now. */
  readonly sourceTimestamp?: string;
  /** Start over: branches that are there are deleted with their rows. Default false. */
  readonly reset?: boolean;
  /** How long the tokens live, in seconds. Default a week, and no longer than the branches. */
  readonly tokenTtl?: number;
  /** What the tokens may do. Default "read-write" where the platform has that, else "full-access". */
  readonly access?: Access;
  /** How many tenants there are in all, for the time that the migrations take over them. */
  readonly fleetTenants: number;
}

/** A token of one branch, which opens nothing else. */
export interface PreviewToken {
  readonly token: string;
  /** ISO 8601 */
  readonly expiresAt: string;
}

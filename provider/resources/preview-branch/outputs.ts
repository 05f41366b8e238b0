import { parseDuration } from "../../duration";
import type { PreviewUp } from "../../preview/up";
import type { PreviewToken } from "../../preview/order";
import { encodePreview } from "../../preview/value";
import type { Place } from "./place";
import type { PreviewBranchInputs } from "./inputs";

/** A branch as outputs show it. */
export interface Branch {
  readonly name: string;
  readonly databaseId: string;
  readonly url: string;
  /** Last migration that it has; undefined: none. */
  readonly schemaVersion?: string;
  readonly state: "ready" | "migration-failed" | "failed";
}

export interface PreviewBranchOutputs extends PreviewBranchInputs {
  readonly scope: string;
  readonly place: Place;
  /** By tenant. A refresh leaves out those that are gone. */
  readonly branches: Readonly<Record<string, Branch>>;
  /** By tenant; secret. */
  readonly tokens: Readonly<Record<string, string>>;
  /** TENANTRY_PREVIEW; secret. */
  readonly preview: string;
  /** JSON of the report, as `tenantry preview comment` reads it. */
  readonly report: string;
  /** ISO 8601; undefined: without end. */
  readonly expiresAt?: string;
  /** When the next `up` mints anew, and gives the branches their time again. ISO 8601. */
  readonly renewAt: string;
}

/** Counted from now on. */
export function endOf({ expiresIn }: PreviewBranchInputs): string | null {
  const seconds = expiresIn === undefined ? undefined : parseDuration(expiresIn, "expiresIn");
  return seconds === undefined ? null : new Date(Date.now() + seconds * 1000).toISOString();
}

export function outputsOf(
  inputs: PreviewBranchInputs,
  { report, tokens }: Pick<PreviewUp, "report" | "tokens">,
  kept: { readonly scope: string; readonly place: Place },
): PreviewBranchOutputs {
  const branches = report.branches.map(({ tenant, branch, databaseId, url, to, state }): [string, Branch] => [
    tenant,
    { name: branch, databaseId, url, ...(to === null ? {} : { schemaVersion: to }), state },
  ]);
  const opened = report.branches.flatMap(({ tenant, url, databaseId, state }) => {
    // An application would meet a schema that is neither the old one nor its own.
    const token = state === "ready" ? tokens.get(tenant) : undefined;
    return token ? [[tenant, { url, databaseId, ...token }] as const] : [];
  });
  const { repository, pullRequest } = kept.place;
  return {
    ...inputs,
    ...kept,
    branches: Object.fromEntries(branches),
    tokens: Object.fromEntries([...tokens].map(([tenant, { token }]) => [tenant, token])),
    preview: encodePreview({ v: 1, repository, pullRequest, tenants: Object.fromEntries(opened) }),
    report: JSON.stringify(report),
    ...(report.expiresAt === null ? {} : { expiresAt: report.expiresAt }),
    renewAt: renewalOf([...tokens.values()], report.expiresAt),
  };
}

/** A deploy in the last third of what ends first. */
function renewalOf(tokens: readonly PreviewToken[], expiresAt: string | null): string {
  const ends = [...tokens.map((token) => token.expiresAt), ...(expiresAt === null ? [] : [expiresAt])];
  const now = Date.now();
  const first = Math.min(...ends.map((end) => Date.parse(end)));
  return new Date(Number.isFinite(first) ? now + ((first - now) * 2) / 3 : now).toISOString();
}

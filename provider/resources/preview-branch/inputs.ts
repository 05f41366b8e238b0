import { z } from "zod";
import { parseDuration } from "../../duration";
import type { Capabilities } from "../../platform/capabilities";
import type { Access } from "../../platform/platform";
import { type MaskRules, maskTreatments } from "../../preview/mask/rules";
import { type PreviewData, previewData } from "../../preview/report";
import { lackOf } from "../../preview/requirements";
import { parseTemplateRef } from "../../rollout/template-ref";
import type { CommonInputs, Failure } from "../handler";
import { commonShape, judge } from "../inputs";
import { hasUnknown } from "../unknown";

/** A tenant to be branched, by the name of its database. */
export interface PreviewSource {
  readonly tenant: string;
  readonly database: string;
}

export interface PreviewBranchInputs extends CommonInputs {
  readonly from: readonly PreviewSource[];
  readonly data: PreviewData;
  readonly mask?: MaskRules;
  /** A template's ref. */
  readonly schema?: string;
  readonly expiresIn?: string;
  readonly refresh?: string;
  readonly timestamp?: string;
  readonly access?: Access;
  readonly repository?: string;
  readonly pullRequest?: number;
}

const aSource = "must be a TenantDatabase, or the name of a database";
const schema = z.strictObject({
  ...commonShape,
  from: z
    .array(z.strictObject({ tenant: z.string(aSource).min(1), database: z.string(aSource).min(1) }), aSource)
    .min(1),
  data: z.enum(previewData, 'must be "schema-only", "copy" or "masked"'),
  mask: z.record(z.string(), z.record(z.string(), z.enum(maskTreatments))).optional(),
  schema: z.string("must be a SchemaTemplate, or the ref of one").optional(),
  expiresIn: z.string().optional(),
  refresh: z.string().optional(),
  timestamp: z.iso.datetime({ offset: true }).optional(),
  access: z.enum(["read-only", "read-write", "full-access"]).optional(),
  repository: z.string().optional(),
  pullRequest: z.int("must be a whole number from 1 on").min(1).optional(),
});

export const previewKeys = [
  ...(["from", "data", "mask", "schema", "expiresIn", "refresh", "timestamp", "access"] as const),
  ...(["repository", "pullRequest", "connection"] as const),
];

export function judgePreviewBranch(
  news: Partial<PreviewBranchInputs>,
  capabilities: Capabilities,
  platform: string,
): Failure[] {
  const failures = judge(schema, news, previewKeys);
  const { data, mask, expiresIn, access, timestamp, schema: ref, from } = news;
  if (data === "masked" && mask === undefined) {
    failures.push('mask: data "masked" needs rules; {} nulls every column.');
  }
  if (mask !== undefined && typeof data === "string" && !hasUnknown(data) && data !== "masked") {
    failures.push(`mask: there are rules, and data is "${data}"; say "masked", or leave them out.`);
  }
  if (typeof expiresIn === "string" && !hasUnknown(expiresIn)) {
    try {
      parseDuration(expiresIn, "expiresIn");
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  if (failures.length === 0 && data && !hasUnknown([data, access, timestamp])) {
    const lacks = lackOf(
      { data, ...(access ? { access } : {}), ...(timestamp ? { sourceTimestamp: timestamp } : {}) },
      capabilities,
    );
    if (lacks) failures.push(`${platform} ${lacks.what}. ${lacks.instead}`);
  }
  if (typeof ref === "string" && !hasUnknown(ref) && !parseTemplateRef(ref)) {
    failures.push("schema: it must be a SchemaTemplate, or the ref of one.");
  }
  if (Array.isArray(from) && !hasUnknown(from)) {
    const tenants = from.map(({ tenant }) => tenant);
    const twice = tenants.find((tenant, i) => tenants.indexOf(tenant) < i);
    if (twice !== undefined) failures.push(`from: "${twice}" is named twice; name each once.`);
  }
  return failures;
}

import { z } from "zod";
import { type Policy, type PolicyInputs, policyOf } from "../../rollout/fleet/policy";
import { partition } from "../../rollout/fleet/waves";
import { TenantryError } from "../../platform/errors";
import { type TemplateRef, parseTemplateRef } from "../../rollout/template-ref";
import type { CommonInputs, Failure } from "../handler";
import { commonShape, judge, labelsShape } from "../inputs";
import { hasUnknown } from "../unknown";

/** A tenant as the program names it; without a group it is looked up. */
export interface RolloutTenant {
  readonly name: string;
  readonly group?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface SchemaRolloutInputs extends CommonInputs, PolicyInputs {
  /** The template's ref. */
  readonly schema: string;
  /** In the order in which shares of the fleet are counted. */
  readonly tenants: readonly RolloutTenant[];
}

const aTemplate = "must be a SchemaTemplate, or the ref of one";
const aTenant = "must be a TenantDatabase, or the name of a database";
const tenant = z.strictObject({
  name: z.string(aTenant).min(1),
  group: z.string().optional(),
  labels: labelsShape.optional(),
});

const aCanary = "must be names of tenants, labels, or a number of tenants";
const from1To256 = "must be a whole number from 1 to 256";

export const policyShape = {
  canary: z.union([z.array(z.string()), labelsShape, z.int(aCanary).min(0, aCanary)], aCanary).optional(),
  waves: z
    .array(z.union([z.number(), labelsShape], "must be a share of the fleet such as 0.1, or labels"))
    .min(1, "there must be one at least")
    .optional(),
  concurrency: z.int(from1To256).min(1, from1To256).max(256, from1To256).optional(),
  maxFailures: z.union([z.number(), z.string()], 'must be a number of tenants, or a share such as "5%"').optional(),
  pauseBetween: z.string().optional(),
  onFailure: z.enum(["stop", "quarantine"]).optional(),
  timeout: z.string().optional(),
  lockTimeout: z.string().optional(),
  allowDestructive: z.array(z.string()).optional(),
  verify: z.boolean().optional(),
};
const shape = { ...commonShape, schema: z.string(aTemplate), tenants: z.array(tenant), ...policyShape };
const schema = z.strictObject(shape);

export const policyKeys = Object.keys(policyShape) as (keyof PolicyInputs)[];
/** What a user may write. `group` is resolved by the SDK. */
const known = ["schema", "tenants", "group", "connection", ...policyKeys];

/** Everything that can be held against the inputs without looking at a tenant. */
export function judgeSchemaRollout(news: Partial<SchemaRolloutInputs>): Failure[] {
  const failures = judge(schema, news, known);
  const wrong = new Set(failures.map((text) => /^\w+/.exec(text)?.[0]));
  const isGood = (key: keyof SchemaRolloutInputs): boolean =>
    news[key] !== undefined && !hasUnknown(news[key]) && !wrong.has(key);
  if (isGood("schema")) failures.push(...judgeTemplate(news.schema!));
  if (isGood("tenants")) failures.push(...judgeTwice(news.tenants!));
  const policies = judgePolicy(Object.fromEntries(policyKeys.filter(isGood).map((key) => [key, news[key]])));
  failures.push(...policies);
  if (
    policies.length === 0 &&
    isGood("tenants") &&
    !policyKeys.some((key) => wrong.has(key) || hasUnknown(news[key]))
  ) {
    failures.push(...judgeWaves(news.tenants!, policyOf(policyIn(news))));
  }
  return failures;
}

/** Everything that can be held against a policy whose properties have the right types, property by property. */
export const judgePolicy = (policy: PolicyInputs): Failure[] =>
  Object.entries(policy).flatMap(([key, value]) => attempt(() => policyOf({ [key]: value })));

function judgeTemplate(text: string): Failure[] {
  const ref = parseTemplateRef(text);
  if (!ref) return [`schema: ${aTemplate}.`];
  if (ref.rollout) return [];
  return [
    `schema: each tenant of template "${ref.name}" migrates itself, ahead of any canary. ` +
      'Declare the SchemaTemplate with migrate: "rollout".',
  ];
}

function judgeTwice(tenants: readonly RolloutTenant[]): Failure[] {
  const seen = new Set<string>();
  const twice = new Set(tenants.filter(({ name }) => seen.size === seen.add(name).size).map(({ name }) => name));
  return [...twice].map((name) => `tenants: "${name}" is given twice; name each tenant once.`);
}

/** Waves are judged as for a fleet of which all are behind; a fleet of nobody has nothing to hold against them. */
function judgeWaves(tenants: readonly RolloutTenant[], policy: Policy): Failure[] {
  if (tenants.length === 0) return [];
  const fleet = tenants.map((one) => ({ ...one, group: one.group ?? "" }));
  return attempt(() => partition(fleet, policy, () => true));
}

function attempt(work: () => unknown): Failure[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof TenantryError) return [error.message];
    throw error;
  }
}

/** The policy's part of the inputs. */
export const policyIn = (inputs: Partial<SchemaRolloutInputs>): PolicyInputs =>
  Object.fromEntries(policyKeys.filter((key) => inputs[key] !== undefined).map((key) => [key, inputs[key]]));

/** The template that the inputs name; check has seen that they name one. */
export const templateOf = ({ schema: text }: Pick<SchemaRolloutInputs, "schema">): TemplateRef =>
  parseTemplateRef(text)!;

import { z } from "zod";
import type { PolicyInputs } from "../../rollout/fleet/policy";
import type { CommonInputs, Failure } from "../handler";
import { commonShape, judge } from "../inputs";
import { judgePolicy, policyShape } from "../schema-rollout/inputs";
import { hasUnknown } from "../unknown";

export interface TenantFleetInputs extends CommonInputs {
  /** The folder with the fleet's rosters, relative to the project's. */
  readonly roster: string;
  /** Which roster it is. */
  readonly digest: string;
  /** How many tenants it has. */
  readonly count: number;
  /** How many tenants one `up` may remove. Default: 10, or 5 % of more. */
  readonly maxRemovals?: number;
  /** How a schema change goes over the fleet. */
  readonly rollout?: PolicyInputs;
}

/** More make a state and a run that are better parted. */
export const mostTenants = 20_000;

const whole = "must be a whole number, 0 or more";
const shape = {
  ...commonShape,
  roster: z.string(),
  digest: z.string(),
  count: z.number(),
  maxRemovals: z.int(whole).min(0, whole).optional(),
  rollout: z.strictObject(policyShape).optional(),
};
const schema = z.strictObject(shape);
/** What a user may write beside tenants, in the terms of the program. */
const known = ["tenants", "manifest", "namePattern", "group", "schema", "rollout", "maxRemovals", "connection"];

/** What can be held against the fleet's own properties, without its roster. */
export function judgeTenantFleet(news: Partial<TenantFleetInputs>): Failure[] {
  const failures = judge(schema, news as Record<string, unknown>, known);
  if (!hasUnknown(news.count) && (news.count ?? 0) > mostTenants) failures.push(tooMany(news.count!));
  const isGood = !failures.some((text) => text.startsWith("rollout")) && !hasUnknown(news.rollout);
  if (isGood) failures.push(...judgePolicy(news.rollout ?? {}).map((text) => `rollout.${text}`));
  return failures;
}

const tooMany = (count: number): Failure =>
  `tenants: there are ${count.toLocaleString("en-US")}, and a fleet has at most ${mostTenants.toLocaleString("en-US")}; ` +
  "part them into several fleets, or into stacks that are deployed side by side.";

import { z } from "zod";
import { hasCode } from "../../platform/errors";
import type { Directory, OfferedPlan, PlanLimit } from "../../platform/directory";
import type { Api } from "./api";
import { read } from "./wire";

const count = z.number().nonnegative().nullish();
const usage = z.object({ organization: z.object({ usage: z.record(z.string(), z.unknown()) }) });
const subscription = z.object({ subscription: z.object({ plan: z.string().min(1), overages: z.boolean().nullish() }) });
const plans = z.object({
  plans: z.array(z.object({ name: z.string().min(1), quotas: z.record(z.string(), z.unknown()) })),
});

/** Turso docs: quotas are camelCase, where null is "unlimited", and usage is snake_case. */
const measures: readonly { what: string; quota: string; used: string; unit?: "bytes" }[] = [
  { what: "databases", quota: "databases", used: "databases" },
  { what: "groups", quota: "groups", used: "groups" },
  { what: "locations", quota: "locations", used: "locations" },
  { what: "stored", quota: "storage", used: "storage_bytes", unit: "bytes" },
  { what: "rows read", quota: "rowsRead", used: "rows_read" },
  { what: "rows written", quota: "rowsWritten", used: "rows_written" },
  { what: "synced", quota: "bytesSynced", used: "bytes_synced", unit: "bytes" },
];

/** Turso docs: organization usage, subscription, plans. A token of a group may not read the first two. */
export function tursoPlan(api: Api): Directory["plan"] {
  const get = async <Schema extends z.ZodType>(schema: Schema, path: string, doing: string) =>
    read(schema, await api.call({ doing, kind: "directory" }, { method: "GET", path }));
  const allowed = async <Answer>(asking: Promise<Answer>): Promise<Answer | undefined> =>
    asking.catch((error: unknown) => {
      if (hasCode(error, "forbidden")) return undefined;
      throw error;
    });
  return async () => {
    const used = await allowed(get(usage, "/usage", "read the usage of the organization"));
    const subscribed = await allowed(get(subscription, "/subscription", "read the subscription of the organization"));
    const offered = await get(plans, "/plans", "list the plans of the organization");
    const name = subscribed?.subscription.plan;
    const counted = used?.organization.usage ?? {};
    const limitsOf = (quotas: Readonly<Record<string, unknown>>, own: boolean): PlanLimit[] =>
      measures.map(({ what, quota, used: key, unit }) => ({
        ...{
          what,
          limit: limitOf(quotas[quota]),
          used: own ? (count.safeParse(counted[key]).data ?? undefined) : undefined,
        },
        ...(unit ? { unit } : {}),
      }));
    const all = offered.plans.map((plan): OfferedPlan => {
      const isPresent = plan.name.toLowerCase() === name?.toLowerCase();
      return { name: plan.name, isPresent, limits: limitsOf(plan.quotas, isPresent) };
    });
    return {
      ...{ name, overages: subscribed?.subscription.overages ?? undefined, offered: all },
      limits: all.find(({ isPresent }) => isPresent)?.limits ?? limitsOf({}, true),
    };
  };
}

function limitOf(quota: unknown): PlanLimit["limit"] {
  if (quota === null) return "unlimited";
  return typeof quota === "number" ? quota : undefined;
}

import { ApiProblem } from "./problem";

/** Null is "unlimited" (Turso docs: plans). Storage in bytes; rows and synced bytes are a month's. */
export interface Quotas {
  readonly rowsRead: number | null;
  readonly rowsWritten: number | null;
  readonly databases: number | null;
  readonly locations: number | null;
  readonly storage: number | null;
  readonly groups: number | null;
  readonly bytesSynced: number | null;
}

export interface Plan {
  readonly name: string;
  readonly quotas: Quotas;
  /** Has what Turso sells with its paid plans only. */
  readonly paid: boolean;
}

const unlimited: Quotas = {
  rowsRead: null,
  rowsWritten: null,
  databases: null,
  locations: null,
  storage: null,
  groups: null,
  bytesSynced: null,
};

/**
 * "local" costs nothing and limits nothing. "free" has the numbers of Turso's free plan: databases, storage, rows and
 * synced bytes as others read them on turso.tech/pricing between April and September 2026 (not read there by us); one
 * group, since the docs make further ones a paid feature. Unverified: the number of locations. Only databases and groups
 * are enforced.
 */
export const plans = {
  local: { name: "local", paid: true, quotas: unlimited },
  free: {
    name: "free",
    paid: false,
    quotas: {
      rowsRead: 500_000_000,
      rowsWritten: 10_000_000,
      databases: 100,
      locations: 1,
      storage: 5_000_000_000,
      groups: 1,
      bytesSynced: 3_000_000_000,
    },
  },
} as const satisfies Record<string, Plan>;
export type PlanName = keyof typeof plans;

/** Refuses what the plan does not include. Unverified: status and words; the code is the one that turso-cli knows. */
export function requirePaid(plan: Plan, feature: string): void {
  if (plan.paid) return;
  throw new ApiProblem(
    402,
    `${feature} is not available on the ${plan.name} plan: upgrade to use it`,
    "feature_not_available_for_starter_plan",
  );
}

/** Turns creates away that would pass the plan's limit, also those of many at once. */
export interface QuotaGate {
  /** Does `work`, which adds one of them to what `count` gives, if there is room for it. */
  room<Made>(organization: string, count: () => number, work: () => Promise<Made>): Promise<Made>;
}

export function createQuotaGate(plan: Plan, what: "databases" | "groups"): QuotaGate {
  const limit = plan.quotas[what];
  const underWay = new Map<string, number>();
  return {
    async room(organization, count, work) {
      if (limit === null) return work();
      const others = underWay.get(organization) ?? 0;
      // Unverified: Turso documents no answer to a create over the quota; 402 is what its CLI reads as "upgrade".
      if (count() + others >= limit) {
        const text = `the limit of ${limit} ${what} in the ${plan.name} plan is reached: upgrade, or delete some`;
        throw new ApiProblem(402, text, `${what}_quota_exceeded`);
      }
      underWay.set(organization, others + 1);
      try {
        return await work();
      } finally {
        underWay.set(organization, (underWay.get(organization) ?? 1) - 1);
      }
    },
  };
}

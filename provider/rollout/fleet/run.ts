import { setTimeout as sleep } from "node:timers/promises";
import { SqlError, TenantryError, hasCode } from "../../platform/errors";
import type { Sql } from "../../platform/sql";
import { isBlocked } from "../../platform/sql-failure";
import { migrate } from "../migrate";
import type { Migration } from "../source";
import type { Journal } from "./journal";
import { type FleetPlan, type PlannedTenant, plannedTenants } from "./plan";
import { type Policy, allowedFailures } from "./policy";
import { inTurn } from "./pool";
import type { RolloutProgress } from "./progress";
import type { FleetReport } from "./report";
import { type Tally, createTally, versionAt } from "./tally";
import { rehearse, sampleOf } from "./verify";
import type { FleetTenant } from "./waves";

export interface RunRequest {
  readonly plan: FleetPlan;
  readonly policy: Policy;
  readonly migrations: readonly Migration[];
  /** All tenants, in the order given. */
  readonly tenants: readonly FleetTenant[];
  readonly sql: (tenant: FleetTenant) => Sql;
  /** The stack's fencing number in a tenant's group; undefined where there is none. */
  readonly fence: (tenant: FleetTenant) => Promise<number | undefined>;
  readonly journal: Journal;
  /** Told of every tenant that ends, and of every stage that begins. */
  readonly onProgress?: (progress: RolloutProgress) => void;
  /** Ends the run between tenants, as `tenantry schema stop` does. */
  readonly signal?: AbortSignal;
}

/** How often a run says that it lives, and asks whether it is to stop. ms */
const beat = 1_000;

/**
 * Does what the plan says: tries it on a few, then canary and waves. Never fails for what happens to a tenant: each ends
 * in a named state, with its error. To resume is to observe, plan and run again; what is done is in the ledgers.
 */
export async function runFleet(request: RunRequest): Promise<FleetReport> {
  const { plan, tenants, journal, signal } = request;
  const tally = createTally(plan, request.onProgress);
  if (plannedTenants(plan).length === 0) return tally.report(tenants);
  const asked = (): void => tally.stop("somebody asked it to stop");
  const over = new AbortController();
  const listening = whileRunning(over.signal, async () => {
    if (await journal.beat(tally.progress())) asked();
  });
  signal?.addEventListener("abort", asked, { once: true });
  if (signal?.aborted) asked();
  try {
    await journal.begin(tally.progress());
    const failed = request.policy.verify ? await verify(request, tally) : new Set<string>();
    await runWaves(request, tally, failed);
  } finally {
    signal?.removeEventListener("abort", asked);
    over.abort();
    await listening;
    tally.enter("ended");
    await journal.end(tally.progress());
  }
  return tally.report(tenants);
}

/**
 * Tries the change. Who fails counts against the budget and is not begun; where it is the canary, or everybody and
 * nobody has it yet, the change itself is taken to be at fault. Answers the names of those who failed.
 */
async function verify(request: RunRequest, tally: Tally): Promise<Set<string>> {
  const { plan, policy } = request;
  tally.enter("verify");
  const sample = sampleOf(plan);
  const failed = await rehearse(request, sample);
  const canary = failed.find(({ tenant }) => isCanary(plan, tenant));
  const isSpent = failed.length > allowedFailures(policy, plannedTenants(plan).length);
  // Whoever is there already has shown that the files can be applied.
  const isUntried = plan.settled.every(({ state }) => state !== "current");
  const isSuspect = isUntried && failed.length === sample.length;
  const stops = failed.length > 0 && (canary !== undefined || isSpent || isSuspect);
  for (const { tenant, error } of failed) {
    if (stops) tally.settle(tenant, { state: "failed", version: versionAt(plan, tenant.had), why: error.message });
    else await settleFailure(request, tenant, error, tally);
  }
  if (stops) {
    const who = canary ? [canary] : failed;
    const others = who.length > 1 ? ` and ${who.length - 1} more` : "";
    tally.stop(`it was tried on ${who[0]!.tenant.name}${others}, taken back, and had failed`);
  }
  return new Set(failed.map(({ tenant }) => tenant.name));
}

const isCanary = ({ waves }: FleetPlan, { name }: FleetTenant): boolean =>
  waves.some(({ title, tenants }) => title === "canary" && tenants.some((one) => one.name === name));

async function runWaves(request: RunRequest, tally: Tally, failed: ReadonlySet<string>): Promise<void> {
  const { plan, policy } = request;
  const budget = allowedFailures(policy, plannedTenants(plan).length);
  for (const [i, { title, tenants }] of plan.waves.entries()) {
    if (i > 0 && policy.pauseBetween > 0 && tally.stopped === undefined) {
      tally.enter("pause");
      await pause(policy.pauseBetween, () => tally.stopped !== undefined);
    }
    if (tally.stopped !== undefined) return;
    tally.enter(title, i + 1);
    const before = tally.missed;
    const isFirst = title === "canary";
    const isSpent = (): boolean => tally.missed > (isFirst ? before : budget);
    const goesOn = (): boolean => tally.stopped === undefined && !isSpent();
    const left = tenants.filter(({ name }) => !failed.has(name));
    await inTurn(left, policy.concurrency, (tenant) => change(request, tenant, tally), goesOn);
    if (isFirst && tally.missed > before) tally.stop(`the canary ${tally.firstFailure} failed`);
    else if (isSpent()) tally.stop(`${tally.missed} failed, and maxFailures allows ${budget}`);
  }
}

async function change(request: RunRequest, tenant: PlannedTenant, tally: Tally): Promise<void> {
  const { plan, policy } = request;
  try {
    await withinTime((isOver) => bring(request, tenant, isOver), policy.timeout, tenant);
    tally.settle(tenant, { state: "migrated", version: plan.history.at(-1)?.id });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (hasCode(error, "superseded")) tally.stop("a newer run is at work");
    if (isDoubtful(error)) tally.settle(tenant, { state: "unknown", why: error.message });
    else await settleFailure(request, tenant, error, tally);
  }
}

async function settleFailure(
  { plan, policy, journal }: RunRequest,
  tenant: PlannedTenant,
  error: Error,
  tally: Tally,
): Promise<void> {
  const failure = { version: versionAt(plan, tenant.had), why: error.message };
  if (policy.onFailure === "stop" || !isOfTenant(error)) return tally.settle(tenant, { state: "failed", ...failure });
  await journal.quarantined(tenant, failure.why);
  tally.settle(tenant, { state: "quarantined", ...failure });
}

/** It may have taken effect: only the ledger knows, and it could not be asked. */
const isDoubtful = (error: Error): boolean =>
  error instanceof TenantryError && (error.afterLostReply || error.code === "timed-out");

/** The tenant's database refuses the migration; another attempt would end the same way. */
const isOfTenant = (error: Error): boolean =>
  (error instanceof SqlError || hasCode(error, "migration-failed", "migration-invalid")) &&
  !isLocked(error) &&
  !isBlocked(error);

/** Applies what the tenant lacks; waits while somebody else keeps its database locked, until that or `isOver`. */
async function bring(
  { sql, fence, migrations, policy }: RunRequest,
  tenant: PlannedTenant,
  isOver: () => boolean,
): Promise<void> {
  const until = Date.now() + policy.lockTimeout;
  const standing = {
    adopted: tenant.adopts ? migrations.slice(0, tenant.had) : [],
    pending: migrations.slice(tenant.had),
    applied: tenant.had,
  };
  const run = await fence(tenant);
  const request = { sql: impatient(sql(tenant)), database: tenant.name, migrations, run, standing };
  for (let delay = 100; !isOver(); delay = Math.min(delay * 2, 2_000)) {
    try {
      await migrate(request);
      return;
    } catch (error) {
      if (!isLocked(error) || Date.now() + delay >= until) throw error;
    }
    await sleep(delay);
  }
}

/** How long to wait for a lock is the policy's to say. */
const impatient = (sql: Sql): Sql => ({
  ...sql,
  batch: (statements, mode, options) => sql.batch(statements, mode, { ...options, whenBusy: "fail" }),
});

const isLocked = (error: unknown): boolean =>
  error instanceof SqlError
    ? error.code.startsWith("SQLITE_BUSY") || error.code.startsWith("SQLITE_LOCKED")
    : error instanceof Error && isLocked(error.cause);

/** What was begun cannot be called back: whether it took effect is for the next run to see. */
async function withinTime(
  begin: (isOver: () => boolean) => Promise<void>,
  timeout: number,
  { name }: FleetTenant,
): Promise<void> {
  const over = new AbortController();
  const late = sleep(timeout, undefined, { signal: over.signal }).then(() => {
    throw new TenantryError("timed-out", `${name}: not done after ${timeout / 1000} s; it may still be under way.`, {
      fix: "Run it again: the ledger tells whether it was applied. A longer `timeout` gives it more time.",
    });
  });
  late.catch(() => undefined);
  try {
    await Promise.race([begin(() => over.signal.aborted), late]);
  } finally {
    over.abort();
  }
}

async function whileRunning(over: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!over.aborted) {
    await sleep(beat, undefined, { signal: over }).catch(() => undefined);
    if (!over.aborted) await work();
  }
}

async function pause(length: number, isOver: () => boolean): Promise<void> {
  const until = Date.now() + length;
  while (!isOver() && Date.now() < until) await sleep(Math.min(100, until - Date.now()));
}

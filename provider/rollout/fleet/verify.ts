import { SqlError, TenantryError } from "../../platform/errors";
import { alreadyInLedger, ledgerAdoption } from "../ledger";
import { type Step, failureOf, stepsOf } from "../migrate";
import type { Migration } from "../source";
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

/** Never there, so that the last statement fails and the transaction is taken back, whatever becomes of the reply. */
const takenBack = "_tenantry_taken_back";
/** Fails where the database is damaged, or would be. */
const integrity = (check: "integrity_check" | "quick_check"): string =>
  `SELECT json(CASE WHEN EXISTS (SELECT 1 FROM pragma_${check} WHERE ${check} <> 'ok') THEN 'damaged' ELSE 'null' END)`;

/** Applies what each of them lacks, checks the result, and takes all of it back. Answers who failed, and why. */
export async function rehearse(
  request: Pick<RunRequest, "sql" | "migrations" | "policy">,
  sample: readonly PlannedTenant[],
): Promise<{ tenant: PlannedTenant; error: Error }[]> {
  const failed: { tenant: PlannedTenant; error: Error }[] = [];
  await inTurn(sample, request.policy.concurrency, async (tenant) => {
    const error = await rehearseOne(request, tenant);
    if (error !== undefined) failed.push({ tenant, error });
  });
  return failed;
}

async function rehearseOne(
  { sql, migrations }: Pick<RunRequest, "sql" | "migrations">,
  tenant: PlannedTenant,
): Promise<Error | undefined> {
  const on = sql(tenant);
  const adoption = tenant.adopts ? ledgerAdoption(migrations.slice(0, tenant.had), undefined) : [];
  const tried: Migration[] = [];
  const steps: (Step & { readonly migration: Migration })[] = [];
  for (const migration of migrations.slice(tenant.had)) {
    // What runs outside of a transaction cannot be taken back, and what follows it cannot be tried without it.
    if (!migration.transaction) break;
    const more = stepsOf(migration, tenant.had + tried.length + 1, undefined);
    // Nor can what the platform does not take in one transaction; the two are those behind them all.
    if (adoption.length + steps.length + more.length + 2 > (on.maxStatements ?? Infinity)) break;
    tried.push(migration);
    steps.push(...more.map((step) => ({ ...step, migration })));
  }
  if (tried.length === 0) return undefined;
  const foreignKeys = tried.some((one) => one.foreignKeys === "off") ? "off" : "kept";
  const check = integrity(on.fewPragmas ? "quick_check" : "integrity_check");
  const batch = [...adoption, ...steps.map(({ statement }) => statement), check, `SELECT 1 FROM ${takenBack}`];
  try {
    await on.batch(batch, "write", { idempotent: true, foreignKeys });
  } catch (error) {
    return error instanceof Error ? failure(error, tenant, steps, adoption.length) : new Error(String(error));
  }
  return new Error(`${tenant.name}: what was tried was not taken back.`);
}

function failure(
  error: Error,
  { name }: PlannedTenant,
  steps: readonly (Step & { readonly migration: Migration })[],
  before: number,
): Error | undefined {
  // Somebody else has migrated it since: there is nothing to try.
  if (error.message.includes(takenBack) || alreadyInLedger(error.message)) return undefined;
  if (!(error instanceof SqlError) || error.statementIndex === undefined) return error;
  const at = error.statementIndex - before;
  if (at === steps.length) {
    return new TenantryError("migration-failed", `${name}: its integrity_check does not say "ok" after the migration.`);
  }
  const step = steps[at];
  return step ? failureOf(step.migration, step, error, name) : error;
}

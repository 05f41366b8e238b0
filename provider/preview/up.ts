import { resolve } from "node:path";
import type { Context } from "../context";
import { TenantryError, hasCode } from "../platform/errors";
import { previewAddress, previewStack } from "../registry/preview-address";
import { beginRun, openRegistry } from "../registry/registry";
import { inTurn } from "../rollout/fleet/pool";
import { type Migration, readMigrations } from "../rollout/source";
import { type Brought, bring } from "./bring";
import { branchName } from "./branch-name";
import { handOut } from "./hand-out";
import { withLease } from "./lease";
import { type Made, type Workshop, allDatabases, makeBranch, placeOf, requireRemoved } from "./make";
import { type PreviewOrder, type PreviewToken, titleOf } from "./order";
import { requireOther } from "./proof";
import { type PreviewRecord, readRecords, writeRecord } from "./records";
import { previewClaims, previewRegistry } from "./registry";
import { removeBranch } from "./remove";
import type { BranchReport, PreviewReport } from "./report";
import { type Source, planMasks, requireRoom, requireSound, requireSources } from "./requirements";
import { type Standing, standingOf } from "./standing";

export interface PreviewUp {
  readonly report: PreviewReport;
  /** By tenant, of those that can be opened: their migrations may have failed. */
  readonly tokens: ReadonlyMap<string, PreviewToken>;
  /** What was decided for columns that no rule of a mask names, by tenant. */
  readonly notes: ReadonlyMap<string, readonly string[]>;
  /** Tenants that have a branch of an earlier push and are not ordered any more: it stays until all are taken down. */
  readonly others: readonly string[];
}

export interface PreviewWatch {
  /** Told once where another run is waited for. */
  readonly onWait?: () => void;
  /** Told of each branch that is done. */
  readonly onBranch?: (branch: BranchReport) => void;
}

/** Branches at the same time, and what the time over the whole fleet is counted with: as many at a time as a rollout takes. */
const concurrency = 8;
const rolloutConcurrency = 16;

/**
 * Brings the branches of a pull request to what is ordered, and hands out tokens of those that can be opened. What is there
 * keeps its rows and is migrated; what was never finished is made from the start. One run at a time: a second one waits,
 * and a `down` ends this one. What happens to a single branch is in the report.
 *
 * Fails before anything is made with "invalid-input" (the order, a rule for a column that is not there), "unsupported" (the
 * platform cannot), "database-not-found" (a source), "plan-refused" (no room for all of them), "already-exists",
 * "not-owner" and "needs-decision" (what has a branch's name); with "bad-answer" where the platform would hand out
 * production: then what was made is deleted.
 */
export async function previewUp(context: Context, order: PreviewOrder, watch: PreviewWatch = {}): Promise<PreviewUp> {
  requireSound(order, context.platform);
  const { migrations: from, group } = order;
  const migrations = from ? readMigrations(resolve(from.folder), from.folder, from.format).migrations : [];
  const sources = await requireSources(context, order);
  const masks = await planMasks(context, order, sources);
  const sql = await previewRegistry(context, group);
  const stack = previewStack(order);
  const { onWait } = watch;
  return withLease(sql, stack, { title: titleOf(order), onWait }, async (lease) => {
    const registry = openRegistry(sql, stack, await beginRun(sql, stack));
    const shop: Workshop = { context, group, sql, registry, order, lease, masks, reaper: `lease of ${stack}` };
    const { branches, snapshots, others } = await standingOf(shop, sources);
    await requireRoom(context, databasesToMake(branches, order), titleOf(order));
    const records = await readRecords(sql);
    for (const one of snapshots) await requireRemoved(shop, one, records.get(one.claim.name));
    const tokens = new Map<string, PreviewToken>();
    const reports: BranchReport[] = [];
    const created: Source[] = [];
    let fatal: unknown;
    await inTurn(
      sources,
      concurrency,
      async (source) => {
        try {
          const standing = branches.get(source.tenant)!;
          const { branch, token } = await settle(shop, source, standing, migrations, () => created.push(source));
          if (token) tokens.set(source.tenant, token);
          reports.push(branch);
          watch.onBranch?.(branch);
        } catch (error) {
          fatal ??= error;
        }
      },
      () => fatal === undefined,
    );
    // No room after all, or production in place of a branch: nobody gets anything.
    if (hasCode(fatal, "plan-refused", "bad-answer")) await takeBack(shop, created);
    if (fatal !== undefined) throw fatal;
    return {
      report: reportOf(order, reports),
      tokens,
      others,
      notes: new Map([...masks].map(([tenant, { notes }]) => [tenant, notes])),
    };
  });
}

/** Those of the branches that are not there whole, and what they are masked from meanwhile. */
function databasesToMake(branches: ReadonlyMap<string, Standing>, { data }: PreviewOrder): number {
  const all = [...branches.values()];
  const made = all.filter(({ is }) => is !== "whole").length;
  // What is left over is deleted before another one takes its place.
  const freed = all.filter((one) => one.is === "left-over" && one.isThere).length;
  return Math.max(0, made - freed + (data === "masked" ? Math.min(made, concurrency) : 0));
}

interface Settled {
  readonly branch: BranchReport;
  readonly token?: PreviewToken;
}

/** One branch, to its end. What is its own trouble is told; what concerns everybody fails. */
async function settle(
  shop: Workshop,
  source: Source,
  seen: Standing,
  migrations: readonly Migration[],
  onCreate: () => void,
): Promise<Settled> {
  const { context, order, registry, lease } = shop;
  const { tenant } = source;
  let standing = seen;
  let made: Made | undefined;
  try {
    if (seen.is === "whole") made = await renew(shop, source, seen);
    // A reaper has come first, which is over when that is looked at again.
    if (seen.is === "whole" && !made) standing = (await standingOf(shop, [source])).branches.get(tenant)!;
    if (standing.is === "left-over") await requireRemoved(shop, standing.of, standing.record);
    if (!made) {
      onCreate();
      made = await makeBranch(shop, source);
    }
    const { database } = made;
    const sql = context.sql({ name: database.name, hostname: database.hostname, group: order.group });
    const run = await registry.run();
    const brought: Brought =
      migrations.length > 0
        ? await bring(sql, tenant, migrations, run, () => lease.check())
        : { applied: [], to: made.record.applied.at(-1)?.id ?? made.record.base, error: null };
    const record = { ...made.record, applied: [...made.record.applied, ...brought.applied] };
    if (brought.applied.length > 0) await writeRecord(shop.sql, record);
    lease.check();
    const token = await handOut(context, order, source.database, database);
    return { branch: branchReport(shop, source, made.database, record, standing, brought), token };
  } catch (error) {
    if (!(error instanceof TenantryError) || concernsAll(error)) throw error;
    // Half a branch is of no use to anybody, and what it was made from holds values that are to be out of sight.
    if (standing.is !== "whole" && made === undefined) await takeBack(shop, [source]);
    return { branch: failedReport(shop, source, made, standing, error) };
  }
}

/** Gives a branch that is there its new end; undefined: it is not the one any more that was seen. */
async function renew(
  { context, order, registry }: Workshop,
  { tenant, database: source }: Source,
  { of: { claim }, record, database }: Standing & { readonly is: "whole" },
): Promise<Made | undefined> {
  requireOther(context, database, source, await allDatabases(context));
  const address = previewAddress(placeOf(order, tenant));
  try {
    await registry.amend(claim, { address, template: undefined, tenant, expiresAt: order.expiresAt ?? undefined });
    return { claim, record, database };
  } catch (error) {
    if (hasCode(error, "not-owner")) return undefined;
    throw error;
  }
}

/** Whoever meets these meets them for every branch; "bad-answer": production in place of one. */
const concernsAll = (error: TenantryError): boolean =>
  hasCode(
    error,
    ...([
      "superseded",
      "cancelled",
      "bad-answer",
      "plan-refused",
      "credentials-rejected",
      "credentials-missing",
    ] as const),
  );

/** Deletes what this run has made; what cannot be deleted now is a reaper's. */
async function takeBack(shop: Workshop, created: readonly Source[]): Promise<void> {
  const addresses = new Set(
    created.flatMap(({ tenant }) => [false, true].map((one) => previewAddress(placeOf(shop.order, tenant, one)))),
  );
  const records = await readRecords(shop.sql);
  for (const { claim } of await previewClaims(shop.sql, shop.order)) {
    if (!addresses.has(claim.address)) continue;
    await removeBranch(shop, claim, records.get(claim.name)).catch(() => undefined);
  }
}

function branchReport(
  { context }: Workshop,
  { tenant, database: source }: Source,
  database: Made["database"],
  record: PreviewRecord,
  standing: Standing,
  { to, error }: Brought,
): BranchReport {
  return {
    ...{ tenant, source: source.name, branch: database.name, url: context.platform.databaseUrl(database) },
    ...{ databaseId: database.id, state: error ? "migration-failed" : "ready", created: standing.is !== "whole" },
    ...{ from: record.base, to, applied: record.applied, error },
  };
}

function failedReport(
  { context, order }: Workshop,
  { tenant, database: source }: Source,
  made: Made | undefined,
  standing: Standing,
  error: TenantryError,
): BranchReport {
  const database = made?.database;
  const name = branchName(placeOf(order, tenant), context.platform.capabilities);
  return {
    ...{ tenant, source: source.name, branch: name, databaseId: database?.id ?? "" },
    ...{ url: database ? context.platform.databaseUrl(database) : "", state: "failed" },
    ...{ created: made !== undefined && standing.is !== "whole", from: made?.record.base ?? null, to: null },
    ...{ applied: made?.record.applied ?? [], error: { migration: null, message: error.message } },
  };
}

function reportOf(order: PreviewOrder, reports: readonly BranchReport[]): PreviewReport {
  const { repository, pullRequest, data, expiresAt, fleetTenants } = order;
  const branches = [...reports].sort((a, b) => (a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : 0));
  const fleet = { tenants: fleetTenants, projectedMs: projected(branches, fleetTenants) };
  return { version: 1, repository, pullRequest, data, expiresAt, branches, fleet };
}

/** As long as the branches took, one with the other, for so many tenants at a time as a rollout takes. */
export function projected(branches: readonly BranchReport[], tenants: number): number | null {
  const times = branches
    .filter(({ state, applied }) => state === "ready" && applied.length > 0)
    .map(({ applied }) => applied.reduce((sum, { ms }) => sum + ms, 0));
  if (times.length === 0) return null;
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  return Math.round((mean * Math.max(tenants, 1)) / Math.min(rolloutConcurrency, Math.max(tenants, 1)));
}

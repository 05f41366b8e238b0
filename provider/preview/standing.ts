import { systemClock } from "../http/clock";
import { TenantryError } from "../platform/errors";
import type { PlatformDatabase } from "../platform/platform";
import { previewAddress } from "../registry/preview-address";
import { isBeingReaped, reapedMeanwhile } from "../registry/reaping";
import { branchName } from "./branch-name";
import { type Workshop, placeOf } from "./make";
import { type PreviewRecord, readRecords } from "./records";
import { type PreviewClaim, previewClaims } from "./registry";
import { isBranch } from "./remove";
import { type Source, digestOfRules } from "./requirements";

/** What is there of a branch before a run: nothing, a whole one to go on with, or something to be deleted first. */
export type Standing =
  | { readonly is: "nothing" }
  | {
      readonly is: "whole";
      readonly of: PreviewClaim;
      readonly record: PreviewRecord;
      readonly database: PlatformDatabase;
    }
  | {
      readonly is: "left-over";
      readonly of: PreviewClaim;
      readonly record: PreviewRecord | undefined;
      /** The platform has something of it. */
      readonly isThere: boolean;
    };

/** How long a reaper may take that was met over a branch. In ms. */
const patience = 60_000;
const lookEvery = 500;

/**
 * What is there of each branch, and of the copies that some were being made from. Only looks, and fails with everything
 * that somebody must decide first: a stranger of a branch's name, a branch of other data.
 */
export async function standingOf(
  shop: Workshop,
  sources: readonly Source[],
): Promise<{
  readonly branches: ReadonlyMap<string, Standing>;
  readonly snapshots: readonly PreviewClaim[];
  /** Tenants of the pull request's other branches. */
  readonly others: readonly string[];
}> {
  const claims = await settledClaims(shop);
  const records = await readRecords(shop.sql);
  const problems: TenantryError[] = [];
  const branches = new Map<string, Standing>();
  for (const source of sources) {
    try {
      branches.set(source.tenant, await judge(shop, source, claims, records));
    } catch (error) {
      if (!(error instanceof TenantryError) || error.whose === "platform") throw error;
      problems.push(error);
    }
  }
  const [first, ...others] = problems;
  if (first) {
    const more =
      others.length > 0 ? `${others.length} other branches of this pull request have such trouble too. ` : "";
    throw new TenantryError(first.code, withoutFix(first), { fix: `${more}${first.fix ?? ""}` });
  }
  const rest = claims.filter(({ place }) => !place.isSnapshot && !branches.has(place.tenant));
  return {
    ...{ branches, snapshots: claims.filter(({ place }) => place.isSnapshot) },
    others: rest.map(({ place }) => place.tenant).sort(),
  };
}

const withoutFix = ({ message, fix }: TenantryError): string =>
  fix !== undefined && message.endsWith(` ${fix}`) ? message.slice(0, -fix.length - 1) : message;

/** As soon as no reaper is just deleting one. */
async function settledClaims({ sql, order, lease, reaper }: Workshop): Promise<PreviewClaim[]> {
  const until = systemClock.now() + patience;
  for (;;) {
    lease.check();
    const claims = await previewClaims(sql, order);
    const marked = claims.filter(({ claim }) => claim.state === "reaping");
    const busy = await Promise.all(marked.map(({ claim }) => isBeingReaped(sql, claim.name, reaper)));
    const at = busy.indexOf(true);
    if (at < 0) return claims;
    if (systemClock.now() > until || systemClock.cancelled.aborted) throw reapedMeanwhile(marked[at]!.claim.name);
    await systemClock.sleep(lookEvery);
  }
}

async function judge(
  shop: Workshop,
  { tenant }: Source,
  claims: readonly PreviewClaim[],
  records: ReadonlyMap<string, PreviewRecord>,
): Promise<Standing> {
  const { context, order } = shop;
  const place = placeOf(order, tenant);
  const name = branchName(place, context.platform.capabilities);
  const of = claims.find(({ claim }) => claim.address === previewAddress(place));
  const present = await context.platform.getDatabase(name);
  if (!of) {
    if (!present) return { is: "nothing" };
    throw new TenantryError(
      "already-exists",
      `${name}: somebody has a database of that name, which is not this branch.`,
      { fix: "It was left as it is. Look at it in the platform's console; delete it there if it is a left-over." },
    );
  }
  const { claim } = of;
  const record = records.get(claim.name);
  const isHeld = claim.state === "held" && record?.incarnation === claim.incarnation;
  if (present && !(await isBranch(shop, claim, record, present))) {
    throw new TenantryError("not-owner", `${name}: another database has its name since, which is not this branch.`, {
      fix: "It was left as it is. Delete it in the platform's console if it is a left-over, then run this again.",
    });
  }
  if (!present || !isHeld || order.reset) return { is: "left-over", of, record, isThere: present !== undefined };
  if (record.data !== order.data || record.rules !== digestOfRules(order.mask)) {
    const what = record.data === order.data ? "by other rules" : `as "${record.data}"`;
    throw new TenantryError("needs-decision", `${name}: its rows were made ${what}, and a branch keeps its rows.`, {
      fix: "Start over with --reset.",
    });
  }
  return { is: "whole", of, record, database: present };
}

import type { Context } from "../context";
import { TenantryError, hasCode } from "../platform/errors";
import type { DatabaseSpec, PlatformDatabase } from "../platform/platform";
import type { Sql } from "../platform/sql";
import type { Claim } from "../registry/claim";
import { type PreviewPlace, previewAddress } from "../registry/preview-address";
import { reapedMeanwhile } from "../registry/reaping";
import type { Registry } from "../registry/registry";
import { randomId } from "../random-id";
import { ledgerTable, readLedger, restamp } from "../rollout/ledger";
import { isForeign } from "../rollout/schema/read-schema";
import { type Carried, carry } from "../transfer/carry";
import type { Table } from "../transfer/definition";
import { branchName } from "./branch-name";
import type { Lease } from "./lease";
import { masking } from "./mask/apply";
import type { MaskPlan } from "./mask/plan";
import type { PreviewOrder } from "./order";
import { findTwin, requireOther } from "./proof";
import { type PreviewRecord, forgetRecord, writeRecord } from "./records";
import { type PreviewClaim, previewClaims } from "./registry";
import { isBranch, removeBranch } from "./remove";
import { type Source, digestOfRules } from "./requirements";

/** What a run makes branches with. */
export interface Workshop {
  readonly context: Context;
  readonly group: string;
  /** On the group's registry. */
  readonly sql: Sql;
  readonly registry: Registry;
  readonly order: PreviewOrder;
  readonly lease: Lease;
  readonly reaper: string;
  readonly masks: ReadonlyMap<string, MaskPlan>;
}

export interface Made {
  readonly claim: Claim;
  readonly record: PreviewRecord;
  readonly database: PlatformDatabase;
}

/** A copy that rows are masked from lives for so long at most: longer than that takes. In ms. */
const snapshotLife = 6 * 3_600_000;

export const placeOf = (
  { repository, pullRequest }: PreviewOrder,
  tenant: string,
  isSnapshot = false,
): PreviewPlace => ({ ...{ repository, pullRequest, tenant, isSnapshot } });

/**
 * Makes one branch: says in the registry what it is about to make, makes it, writes down which database that is, fills it,
 * and holds it. Until it is held it is nobody's: whoever dies before leaves something that the next run starts over.
 */
export async function makeBranch(shop: Workshop, source: Source): Promise<Made> {
  const { context, order, registry, sql, lease } = shop;
  const isCopy = order.data === "copy";
  const place = placeOf(order, source.tenant);
  const { claim, record, database } = await create(shop, place, source, isCopy, order.expiresAt ?? undefined);
  const target = context.sql({ name: database.name, hostname: database.hostname, group: order.group });
  await target.ready();
  lease.check();
  if (order.data === "masked") await fillMasked(shop, source, target);
  if (order.data === "schema-only") {
    await carry(openSource(shop, source), target, { carried: guarded(lease, () => "none") });
  }
  await restamp(target);
  lease.check();
  const whole = { ...record, base: (await readLedger(target)).at(-1)?.id ?? null };
  await writeRecord(sql, whole);
  await registry.hold(claim, database.id, false);
  // A reaper may have come first, where making it took longer than it was to live.
  const held = await registry.find("database", claim.name);
  if (held?.incarnation !== claim.incarnation || held.state !== "held") throw reapedMeanwhile(claim.name);
  context.listing.made({ ...database, group: order.group });
  return { claim, record: whole, database };
}

const openSource = ({ context, group }: Workshop, { database: { name, hostname } }: Source): Sql =>
  context.sql({ name, hostname, group });

/**
 * No value that is to be out of sight is ever in the branch: rows come from a copy, which is of one moment however long it
 * takes, and change on their way.
 */
async function fillMasked(shop: Workshop, source: Source, target: Sql): Promise<void> {
  const { context, order, lease, masks } = shop;
  const place = placeOf(order, source.tenant, true);
  const end = new Date(Date.now() + snapshotLife).toISOString();
  const snapshot = await create(shop, place, source, true, end);
  const { name, hostname } = snapshot.database;
  const copy = context.sql({ name, hostname, group: order.group });
  await copy.ready();
  await carry(copy, target, { carried: guarded(lease, masking(masks.get(source.tenant)!)) });
  const [standing] = (await previewClaims(shop.sql, order)).filter(({ claim }) => claim.name === name);
  if (standing) await requireRemoved(shop, standing, snapshot.record);
}

/** A history of migrations tells which of them are to come: it is carried as it is. */
function guarded(lease: Lease, carried: (table: Table) => Carried): (table: Table) => Carried {
  return (table) => {
    lease.check();
    const how = isHistory(table.name) ? "all" : carried(table);
    if (typeof how === "string") return how;
    return (row) => {
      lease.check();
      return how(row);
    };
  };
}

const isHistory = (name: string): boolean =>
  name === ledgerTable || (isForeign(name) && !/^(?:sqlite_|libsql_|_tenantry_|_litestream)/i.test(name));

export async function requireRemoved(
  shop: Workshop,
  { claim }: PreviewClaim,
  record: PreviewRecord | undefined,
): Promise<void> {
  const fate = await removeBranch(shop, claim, record);
  if (fate.is !== "kept") return;
  throw new TenantryError("needs-decision", `${claim.name}: it cannot be made anew: ${fate.why}.`, {
    fix: "Look at it in the platform's console; delete it there if it is a left-over.",
  });
}

/** The intent, the database, and its id behind the intent. */
async function create(
  shop: Workshop,
  place: PreviewPlace,
  { database: source }: Source,
  isCopy: boolean,
  expiresAt: string | undefined,
): Promise<Made> {
  const { context, order, registry, sql, lease, group } = shop;
  const name = branchName(place, context.platform.capabilities);
  const incarnation = randomId();
  const record: PreviewRecord = {
    ...{ name, incarnation, source: source.name, sourceId: source.id, data: order.data },
    ...{ rules: digestOfRules(order.mask), base: null, applied: [] },
  };
  lease.check();
  const claim = await registry.claimIfFree({
    ...{ kind: "database", name, address: previewAddress(place), formerAddresses: [], owner: randomId(), incarnation },
    ...{ existed: false, defaultName: false, tenant: place.tenant, expiresAt, force: false },
  });
  if (!claim) throw taken(name);
  await writeRecord(sql, record);
  const seed = isCopy ? { database: source.name, timestamp: order.sourceTimestamp } : undefined;
  const spec: DatabaseSpec = { name, group, ...(seed ? { seed } : {}) };
  let database: PlatformDatabase;
  try {
    database = await context.platform.createDatabase(spec);
  } catch (error) {
    const present =
      hasCode(error, "already-exists") && error.afterLostReply ? await context.platform.getDatabase(name) : undefined;
    const standing = present && (await previewClaims(sql, order)).find((one) => one.claim.name === name);
    if (present && standing && (await isBranch(shop, standing.claim, record, present))) database = present;
    else {
      // A refusal made nothing; after a lost reply the intent may be all that is known.
      if (error instanceof TenantryError && error.whose === "yours" && (!error.afterLostReply || present)) {
        await registry.release(claim);
        await forgetRecord(sql, name, incarnation);
      }
      throw hasCode(error, "already-exists") ? taken(name) : error;
    }
  }
  await requireOwn(shop, claim, record, database, source);
  await registry.made(claim, database.id);
  return { claim, record, database };
}

/** Of the organization, as they were a moment ago. */
export const allDatabases = async ({ listing }: Context): Promise<PlatformDatabase[]> => [
  ...(await listing.databases()).byName.values(),
];

/** What the platform calls the branch while it is another database must not be deleted: its name may lead there. */
async function requireOwn(
  shop: Workshop,
  claim: Claim,
  record: PreviewRecord,
  database: PlatformDatabase,
  source: PlatformDatabase,
): Promise<void> {
  const { context, registry, sql, order } = shop;
  const others = await allDatabases(context);
  try {
    requireOther(context, database, source, others);
  } catch (error) {
    const seen = await context.platform.getDatabase(claim.name);
    const isItself = (one: PlatformDatabase): boolean => findTwin(context, one, [source, ...others])?.same !== "id";
    if (seen && isItself(seen) && isItself(database)) {
      await registry.made(claim, seen.id);
      const standing = (await previewClaims(sql, order)).find((one) => one.claim.name === claim.name);
      if (standing) await removeBranch(shop, standing.claim, record);
    }
    throw error;
  }
}

const taken = (name: string): TenantryError =>
  new TenantryError("already-exists", `${name}: somebody has a database of that name, which is not this branch.`, {
    fix: "It was left as it is. Look at it in the platform's console; delete it there if it is a left-over.",
  });

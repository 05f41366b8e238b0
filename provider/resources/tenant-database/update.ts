import type { Context } from "../../context";
import { TenantryError, hasCode } from "../../platform/errors";
import { engineLog } from "../../engine-log";
import { freshEnough } from "../../platform/listing";
import type { DatabaseConfiguration } from "../../platform/platform";
import { isOfDatabase } from "../../platform/sql-failure";
import { restoreCommand } from "../../registry/commands";
import { reapedMeanwhile } from "../../registry/reaping";
import type { Registry } from "../../registry/registry";
import type { TemplateRef } from "../../rollout/template-ref";
import { leftTo, successorOf } from "../handed-over";
import { Unfinished } from "../handler";
import { requireScope } from "../scope";
import { hasMoved, parseSelf, typeToken, urnOf } from "../self";
import {
  configurationChange,
  configure,
  declaredConfiguration,
  desiredConfiguration,
  observeConfiguration,
  opened,
} from "./configuration";
import { copyUnderNewName } from "./copy";
import { whatMoves } from "./diff";
import { dueOf } from "./due";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";
import { type TenantDatabaseOutputs, asInputs, expiryOf, outputsOf } from "./outputs";
import { relocate } from "./relocate";
import { relocateInPlace } from "./relocate-in-place";
import { placingOf } from "./parts";
import { pendingRestore, restoreOrUndo } from "./restore-from";
import { migrateExisting, type Open, reportVersion } from "./schema";
import { isInTrash } from "./trash";
import { patienceOf } from "./timeouts";

/** Brings an existing database to what is now declared; how far it came is in the outputs, also when it fails. */
export async function updateTenantDatabase(
  id: string,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  context: Context,
  note: (text: string, ephemeral?: boolean) => Promise<void> = (text, ephemeral) =>
    engineLog("info", text, urnOf(news.self, typeToken("tenantDatabase")), ephemeral),
): Promise<TenantDatabaseOutputs> {
  const from = olds.connection === news.connection ? context : context.beside(olds.connection);
  await requireScope(from, olds.scope);
  if (olds.status === "expired") {
    throw new TenantryError("expired", `${olds.name}: it expired at ${olds.expiresAt} and its data is gone.`, {
      fix: "Take it out of the program; declare it again to have a new, empty one.",
    });
  }
  const expiresAt = news.expiresIn !== undefined && news.expiresIn === olds.expiresIn ? olds.expiresAt : expiryOf(news);
  const claimedAnew = isClaimedDifferently(olds, news, expiresAt);
  const how = await howItMoves(olds, news, context);
  const moves = how !== undefined;
  const desired = desiredConfiguration(news, olds);
  const schema = schemaOf(news);
  const pending = pendingRestore(olds, news);
  let migrates = schema !== undefined && !schema.rollout && !isAt(olds, schema);
  const changes =
    migrates ||
    moves ||
    pending !== undefined ||
    configurationChange(declaredConfiguration(olds), desired) !== undefined;
  // Only what reaches beyond state asks: what is recorded alone costs no call.
  const successor = claimedAnew || changes ? await successorOf(from, id, { ...olds, self: news.self }) : undefined;
  if (successor !== undefined) {
    await note(leftTo(successor, olds.name));
    return olds;
  }
  const database = { name: olds.name, id: olds.databaseId, hostname: olds.hostname };
  const connection = how === undefined ? news.connection : olds.connection;
  const inPlace = { ...news, name: olds.name, group: olds.group, connection };
  // As far as it is known to hold: the claim's part of it only once the registry has it.
  let reached: TenantDatabaseOutputs = {
    ...outputsOf(from, inPlace, database, declaredConfiguration(olds), olds),
    databases: olds.databases,
    isolation: olds.isolation,
    region: olds.region,
    self: olds.self,
    tenant: olds.tenant,
    schema: olds.schema,
    schemaVersion: olds.schemaVersion,
  };
  try {
    // What goes to another registry is claimed there.
    if (claimedAnew && (how === undefined || how === "renamed")) await amendClaim(context, id, olds, news, expiresAt);
    reached = { ...reached, self: news.self, tenant: news.tenant, expiresAt };
    if (how === "renamed") reached = await copyUnderNewName(id, reached, news, context);
    else if (how !== undefined) {
      const move = { id, olds: reached, news, from, to: context, note };
      reached = how === "in place" ? await relocateInPlace(move) : await relocate(move);
    }
    if (how === undefined && context.platform.movePart) reached = await place(context, reached, olds, news, note);
    if (changes) {
      const present = await requirePresent(context, reached);
      if (await isInTrash(context, present, reached)) throw trashedMeanwhile(reached.name);
      if (pending !== undefined) {
        const { restores, inPlace } = await restoreOrUndo(context, reached, pending, note);
        reached = { ...reached, restores };
        // Its ledger is that of then; where it has none, it is brought up, by the next run if not by this one.
        const known = context.platform.deployments ? undefined : reached.schemaVersion;
        if (inPlace) reached = { ...reached, schemaVersion: await reportVersion(context, reached, known) };
        migrates ||= inPlace && schema !== undefined && !schema.rollout;
      }
      let observed = await observeConfiguration(context, present, desired);
      const setUp = async (to: DatabaseConfiguration): Promise<void> => {
        observed = await configure(context, present.name, observed, to);
        reached = { ...reached, ...asInputs(news, observed) };
      };
      // What is about to be blocked is migrated first; what is blocked is opened first, and then blocked again.
      const closes = desired.blockReads === true || desired.blockWrites === true;
      const open: Open = async (what) => {
        if (what === "writes" || observed.blockReads === true) await setUp(opened(desired));
      };
      if (!closes) await setUp(desired);
      try {
        if (migrates && schema !== undefined) {
          const registry = await registryIfReached(context, reached.group, news.self);
          const schemaVersion = await migrateExisting(context, reached, schema, registry, open);
          reached = { ...reached, schemaVersion };
        }
      } finally {
        if (closes) await setUp(desired);
      }
    }
  } catch (error) {
    throw new Unfinished(error, id, reached);
  }
  return { ...reached, schema: news.schema, schemaVersion: news.schema && reached.schemaVersion };
}

/** Puts its databases where they are now declared to be, one after the other. */
async function place(
  context: Context,
  reached: TenantDatabaseOutputs,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  note: (text: string) => Promise<void>,
): Promise<TenantDatabaseOutputs> {
  const placing = placingOf(olds, news);
  if (placing.length > 0) await requirePresent(context, olds);
  for (const part of placing) {
    const onStatus = (status: string): void => void note(`${olds.name}: ${part.blueprint} is ${status}`);
    await context.platform.movePart!(olds.name, part, { deadline: patienceOf(news), onStatus });
  }
  return { ...reached, databases: news.databases, isolation: news.isolation, region: news.region };
}

/**
 * renamed: the platform copies it, within its group. beside: both can be there at the same time. in place: it keeps its
 * name where that is unique. Undefined: it stays where it is.
 */
async function howItMoves(
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  context: Context,
): Promise<"renamed" | "beside" | "in place" | undefined> {
  const what = whatMoves(olds, news, context);
  if (what === undefined) return undefined;
  if ((await context.scope()) !== olds.scope) return "beside";
  if (news.group !== olds.group) return news.name === olds.name ? "in place" : "beside";
  if (news.name === olds.name) return undefined;
  return context.platform.capabilities.seedFromDatabase ? "renamed" : "beside";
}

/**
 * Migrations go on without the registry (no answer, blocked, no room to make it anew): each database's own ledger keeps
 * them to exactly once.
 */
async function registryIfReached(context: Context, group: string, self: string): Promise<Registry | undefined> {
  try {
    const registry = await context.registry(group, parseSelf(self).stack);
    // What a migration wants of it, and the first thing that is written: a block shows here.
    await registry.run();
    return registry;
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    if (error.whose === "platform" || isOfDatabase(error) || hasCode(error, "plan-refused", "forbidden"))
      return undefined;
    throw error;
  }
}

/** What a rollout did to it, state does not know: the ledger is asked. */
function isAt(outputs: TenantDatabaseOutputs, { version, digest }: TemplateRef): boolean {
  const had = schemaOf(outputs);
  return outputs.schemaVersion === version && had?.digest === digest && !had.rollout;
}

function isClaimedDifferently(
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  expiresAt: string | undefined,
): boolean {
  return (
    hasMoved(olds, news) ||
    schemaOf(olds)?.name !== schemaOf(news)?.name ||
    olds.tenant !== news.tenant ||
    olds.expiresAt !== expiresAt ||
    dueOf(olds, olds.expiresAt) !== dueOf(news, expiresAt)
  );
}

/** Follows the claim's part of a change; a claim that a lost registry has forgotten is made again. */
async function amendClaim(
  context: Context,
  id: string,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  expiresAt: string | undefined,
): Promise<void> {
  const registry = await context.registry(olds.group, parseSelf(news.self).stack);
  const key = { kind: "database", name: olds.name, incarnation: olds.incarnation } as const;
  const due = dueOf(news, expiresAt);
  const to = { address: news.self, template: schemaOf(news)?.name, tenant: news.tenant, expiresAt: due };
  const found = await registry.find("database", olds.name);
  if (found?.state === "reaping") throw reapedMeanwhile(olds.name);
  if (found) return registry.amend(key, to);
  // What a reaper has deleted meanwhile is not claimed anew: it would pass for what is there.
  await requirePresent(context, olds);
  const claim = await registry.claim({
    ...key,
    ...to,
    formerAddresses: [olds.self],
    owner: id,
    existed: true,
    defaultName: news.nameIsDefault === true,
    force: false,
  });
  await registry.hold(claim, olds.databaseId, olds.adopted === true);
}

const trashedMeanwhile = (name: string): TenantryError =>
  new TenantryError("needs-decision", `${name}: the database is in the trash.`, {
    fix: `Bring it back with \`${restoreCommand({ name })}\`, or take it out of the program.`,
  });

/** The database as it is now; nothing is sent to one that has become a stranger's. */
async function requirePresent(context: Context, olds: TenantDatabaseOutputs) {
  const database = await context.listing.database(olds.name, freshEnough);
  if (database?.id === olds.databaseId) return database;
  const what = database ? "was deleted and made again by somebody else" : "is not on the platform any more";
  throw new TenantryError("database-not-found", `${olds.name}: the database ${what}.`, {
    fix: "Run `pulumi refresh` to bring the state up to date, then `pulumi up`.",
  });
}

import type { Context } from "../../context";
import { TenantryError, hasCode } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim } from "../../registry/claim";
import type { Registry } from "../../registry/registry";
import { randomId } from "../../random-id";
import { parseSelf } from "../self";
import { awaitNoWrites } from "./closing";
import { declaredConfiguration, observeConfiguration } from "./configuration";
import { sameContents } from "./contents";
import { dueOf } from "./due";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";
import { isKept, keepClosed, keptAddress, retires } from "./keep";
import { type TenantDatabaseOutputs, outputsOf } from "./outputs";

/**
 * A rename that loses nothing: block writes on the source, copy it under the new name, compare both, switch the claim,
 * retire the source: it is deleted, or under the policy "soft" closed and kept. Repeated after a crash it goes on where it
 * was: the copy is claimed before it is made, and the source is retired only after the new claim is held. The copy has the platform's initial settings.
 */
export async function copyUnderNewName(
  id: string,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  context: Context,
): Promise<TenantDatabaseOutputs> {
  const registry = await context.registry(olds.group, parseSelf(news.self).stack);
  // From the platform itself: writes may have been opened since any listing.
  const source = await context.platform.getDatabase(olds.name);
  const existing = await context.platform.getDatabase(news.name);
  const [old, earlier] = [await registry.find("database", olds.name), await registry.find("database", news.name)];
  const leaving = { id, olds, news, from: context };
  if (source?.id !== olds.databaseId || isKept(old)) {
    // An earlier attempt came as far as the delete, or the closing.
    const done = existing && earlier?.owner === id && earlier.databaseId === existing.id;
    if (done && isKept(old)) await keepClosed(leaving, registry, old);
    if (done) return switchTo(existing, earlier, id, olds, news, context, registry);
    throw new TenantryError("database-not-found", `${olds.name}: it cannot be copied, because it is not there.`, {
      fix: "Run `pulumi refresh` first.",
    });
  }
  if (isKept(earlier)) throw stillKept(news.name, earlier!);
  const { blockWrites } = await requireCopyable(source, olds, context);
  const claim = await claimNewName(id, olds, news, registry, existing !== undefined);
  const copy = await withoutWrites(
    context,
    source.name,
    blockWrites === true && (earlier === undefined || declaredConfiguration(olds).blockWrites === true),
    async () => {
      await awaitNoWrites(context.sql(olds), source.name);
      // What was written to the source since that copy was made would be lost.
      if (existing && !blockWrites) await discard(context, existing, source);
      const made = existing && blockWrites ? existing : await makeCopy(context, olds, news);
      await context.sql({ ...made, group: olds.group }).ready();
      await compare(context, olds, made);
      await registry.hold(claim, made.id, olds.adopted === true);
      return made;
    },
  );
  if (retires(olds)) {
    if (olds.deletionPolicy === "soft") await keepClosed(leaving, registry, old);
    else if (old?.owner === id && old.incarnation === olds.incarnation) {
      await registry.deleting(old);
      await context.platform.deleteDatabase(olds.name);
      context.listing.gone(olds.name);
    }
  }
  return switchTo(copy, claim, id, olds, news, context, registry);
}

/** Refuses what would only fail half-way; answers the source's blocks. `next`: what is to be done when it is open. */
export async function requireCopyable(
  source: PlatformDatabase,
  olds: TenantDatabaseOutputs,
  context: Context,
  next = "change the name",
) {
  const asked = { blockReads: true, blockWrites: true, deleteProtection: true };
  const observed = await observeConfiguration(context, source, asked);
  if (observed.deleteProtection && retires(olds)) {
    throw new TenantryError("protected", `${olds.name}: it is protected, so a copy could not take its place.`, {
      fix: `Set deleteProtection to false and run \`pulumi up\`, then ${next}.`,
    });
  }
  if (observed.blockReads) {
    throw new TenantryError("needs-decision", `${olds.name}: its reads are blocked, so it cannot be copied.`, {
      fix: `Open it and run \`pulumi up\`, then ${next}.`,
    });
  }
  return observed;
}

export async function claimNewName(
  id: string,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  registry: Registry,
  existed: boolean,
): Promise<Claim> {
  const incarnation = randomId();
  const claim = await registry.claim({
    kind: "database",
    name: news.name,
    address: news.self,
    // What it left there on an earlier move makes room.
    formerAddresses: [olds.self, ...[olds.self, news.self].map(keptAddress)],
    owner: id,
    incarnation,
    existed,
    defaultName: news.nameIsDefault === true,
    template: schemaOf(news)?.name,
    tenant: news.tenant,
    expiresAt: dueOf(news, olds.expiresAt),
    force: false,
  });
  if (claim.incarnation === incarnation && claim.owner === id && !claim.existed) return claim;
  if (claim.incarnation === incarnation && claim.state === "open") await registry.release(claim);
  throw new TenantryError("already-exists", `name: there is a database "${news.name}" already.`, {
    fix: "Choose another name.",
  });
}

/** Blocks writes for good if `work` succeeds; if it fails, the tenant goes on as before (`wasBlocked`). */
export async function withoutWrites<Result>(
  context: Context,
  name: string,
  wasBlocked: boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    if (!wasBlocked) await context.platform.configureDatabase(name, { blockWrites: true });
    return await work();
  } catch (error) {
    // A newer run may be copying at this moment and relies on the block.
    if (!wasBlocked && !hasCode(error, "superseded")) {
      await context.platform.configureDatabase(name, { blockWrites: false }).catch(() => undefined);
    }
    throw error;
  }
}

async function discard(context: Context, copy: PlatformDatabase, source: PlatformDatabase): Promise<void> {
  if (copy.parentId !== source.id) {
    throw new TenantryError(
      "already-exists",
      `name: there is a database "${copy.name}" already, and it is not known to be a copy of "${source.name}".`,
      { fix: "Choose another name, or delete it by hand if it is a left-over." },
    );
  }
  await context.platform.deleteDatabase(copy.name);
  context.listing.gone(copy.name);
}

async function makeCopy(
  context: Context,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
): Promise<PlatformDatabase> {
  try {
    return await context.platform.createDatabase({ name: news.name, group: olds.group, seed: { database: olds.name } });
  } catch (error) {
    const found =
      hasCode(error, "already-exists") && error.afterLostReply
        ? await context.platform.getDatabase(news.name)
        : undefined;
    if (found) return found;
    throw error;
  }
}

/** The resource is the copy from now on; the old name's claim is given up. */
async function switchTo(
  copy: PlatformDatabase,
  { incarnation }: Claim,
  id: string,
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  context: Context,
  registry: Registry,
): Promise<TenantDatabaseOutputs> {
  context.listing.made({ ...copy, group: olds.group });
  context.identities.set(copy.name, copy.id);
  const old = await registry.find("database", olds.name);
  if (old?.owner === id && !isKept(old)) await registry.release(old);
  return {
    ...outputsOf(context, { ...news, group: olds.group }, copy, {}, { ...olds, incarnation }),
    schema: olds.schema,
    schemaVersion: olds.schemaVersion,
  };
}

const stillKept = (name: string, { expiresAt }: Claim): TenantryError =>
  new TenantryError("already-exists", `name: the database "${name}" that was left is kept until ${expiresAt}.`, {
    fix: "Choose another name, or wait until `tenantry reap` deletes it.",
  });

/** Everything must be there; else the copy is not trusted and the source stays what it was. */
async function compare(context: Context, olds: TenantDatabaseOutputs, copy: PlatformDatabase): Promise<void> {
  if (await sameContents(context.sql(olds), context.sql({ ...copy, group: olds.group }))) return;
  throw new TenantryError(
    "unavailable",
    `${olds.name}: the copy "${copy.name}" does not hold the same, so nothing was switched.`,
    { fix: "Run `pulumi up` again." },
  );
}

import type { Context } from "../../context";
import { parseDuration } from "../../duration";
import { SqlError, TenantryError } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim } from "../../registry/claim";
import { restoreCommand } from "../../registry/commands";
import type { Registry } from "../../registry/registry";
import { inTrash, openAgain } from "../../registry/trash";
import { parseSelf } from "../self";
import { noteLift } from "./configuration";
import type { TenantDatabaseOutputs } from "./outputs";

/** How long what was deleted softly can be brought back. */
export const defaultGracePeriod = "7d";

/** In ms. */
export const graceOf = ({ gracePeriod = defaultGracePeriod }: { readonly gracePeriod?: string }): number =>
  parseDuration(gracePeriod, "gracePeriod")! * 1000;

/**
 * Deletes so that it can be brought back: in the platform's own trash, or closed to reads and writes under its name. The
 * claim stays. Repeated after a crash it goes on; a claim that is not yet `trashed` is no reaper's.
 */
export async function putInTrash(
  context: Context,
  registry: Registry,
  claim: Claim,
  outputs: TenantDatabaseOutputs,
): Promise<string> {
  const { platform, listing, identities } = context;
  const { name, databaseId } = outputs;
  const until = new Date(Date.now() + graceOf(outputs)).toISOString();
  const before = (await platform.getConfiguration(name)) ?? {};
  if (before.deleteProtection) {
    throw new TenantryError("protected", `${name}: delete protection is on, so it was not put into the trash.`, {
      fix: "Set deleteProtection: false and run `pulumi up` first.",
    });
  }
  const { blockReads = false, blockWrites = false } = before;
  await registry.trashing(claim, { name, databaseId, until, blockReads, blockWrites });
  if (platform.capabilities.softDelete) {
    await platform.softDeleteDatabase!(name, (secured) => registry.secured(databaseId, secured));
    listing.gone(name);
  } else {
    const closed = { blockReads: true, blockWrites: true };
    await platform.configureDatabase(name, closed);
    listing.configured(name, closed);
  }
  await registry.trashed(claim);
  identities.delete(name);
  return `${name}: in the trash until ${until}; \`${restoreCommand(claim)}\` brings it back`;
}

/** Brings back what a claim was granted on that is in the trash, for `adopt: "restore"`. */
export async function takeFromTrash(context: Context, registry: Registry, claim: Claim): Promise<Untrashed> {
  const trash = await registry.trash(claim.name);
  if (!trash) throw inTrash(claim, undefined);
  await registry.spare(claim);
  const database = await openAgain(context.platform, trash);
  const missing = await registry.missingRows(context.platform, trash);
  noteLift(context, claim.name);
  return { database, missing };
}

interface Untrashed {
  readonly database: PlatformDatabase;
  /** That it has other rows than it had, to be thrown; or that they could not be counted. */
  readonly missing: TenantryError | string | undefined;
}

/**
 * Whether a database that is closed is so because a soft delete closed it, of which state knows nothing yet: the run was
 * killed over it. Where the registry does not answer, it is not known to be.
 */
export async function isInTrash(
  context: Context,
  database: PlatformDatabase,
  { self, group, name, databaseId }: Pick<TenantDatabaseOutputs, "self" | "group" | "name" | "databaseId">,
): Promise<boolean> {
  // Asked of the few that can be, or a refresh would ask for each tenant.
  if (database.blockReads !== true || database.blockWrites !== true) return false;
  try {
    const registry = await context.existingRegistry(group, parseSelf(self).stack);
    const claim = await registry?.find("database", name);
    return claim?.state === "trashed" && claim.databaseId === databaseId;
  } catch (error) {
    if (error instanceof TenantryError || error instanceof SqlError) return false;
    throw error;
  }
}

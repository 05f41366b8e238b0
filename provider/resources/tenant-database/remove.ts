import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { freshEnough } from "../../platform/listing";
import type { Claim } from "../../registry/claim";
import { handOverFirst, letGoOrTakeBack, unclaimed } from "../../registry/commands";
import { reapedMeanwhile } from "../../registry/reaping";
import { leftTo } from "../handed-over";
import { requireScope } from "../scope";
import { isOfOtherStack, parseSelf } from "../self";
import { requireKnownSuccessor } from "../successor";
import { defaultDeletionPolicy } from "./inputs";
import type { TenantDatabaseOutputs } from "./outputs";
import { putInTrash } from "./trash";

/**
 * Acts only where registry, incarnation and database id agree that the database is still this resource's. A forced
 * replacement has given the name a newer incarnation by now: then there is nothing to do.
 */
export async function removeTenantDatabase(
  id: string,
  outputs: TenantDatabaseOutputs,
  context: Context,
): Promise<string | undefined> {
  await requireScope(context, outputs.scope);
  const { name, databaseId, incarnation } = outputs;
  const registry = await context.existingRegistry(outputs.group, parseSelf(outputs.self).stack);
  const claim = await registry?.find("database", name);
  if (claim?.owner === id && claim.incarnation !== incarnation) {
    // Made anew under its name, it is not this one's any more, whoever has it.
    if (claim.databaseId === databaseId) requireKnownSuccessor(context, name, claim.incarnation);
    return `${name}: kept, because ${claim.address} has taken it over since`;
  }
  const successor = claim?.owner === id ? undefined : await registry?.handedOver({ kind: "database", name, owner: id });
  if (successor !== undefined) return leftTo(successor, name);

  const database = await context.listing.database(name, freshEnough);
  if (claim && (claim.owner !== id || isOfOtherStack(claim.address, outputs.self)))
    throw takenOver(claim, outputs.self);
  const wanting = context.wanted.get(name);
  if (!registry || !claim) {
    // Our delete went through and its reply was lost, or there was never anything to delete.
    if (database?.id !== databaseId || policyOf(outputs, context) === "retain") return undefined;
    throw new TenantryError(
      "not-owner",
      `${name}: the registry of group "${outputs.group}" has no record of it, so it was not deleted.`,
      {
        fix: `Delete it by hand if it should go, and take it out of the state with \`pulumi state delete\`. ${unclaimed(outputs.group)}`,
      },
    );
  }
  if (wanting !== undefined && database?.id === databaseId) throw wantedBy(wanting, claim);
  if (claim.state === "reaping" && (await registry.isBeingReaped(name))) throw reapedMeanwhile(name);
  const policy = policyOf(outputs, context);
  if (policy === "soft" && database?.id === databaseId) return putInTrash(context, registry, claim, outputs);
  if (policy === "soft" && context.platform.capabilities.softDelete && claim.state === "deleting") {
    // It is in the platform's trash, and the reply was lost.
    await registry.trashed(claim);
    return undefined;
  }
  if (policy !== "retain" && database?.id === databaseId) {
    await registry.deleting(claim);
    try {
      await context.platform.deleteDatabase(name);
    } catch (error) {
      // A refusal (protected, forbidden) deleted nothing, so it is held as before.
      if (error instanceof TenantryError && error.whose === "yours" && !error.afterLostReply) {
        await registry.hold(claim, databaseId, claim.adopted);
      }
      throw error;
    }
    context.listing.gone(name);
    context.identities.delete(name);
  }
  await registry.release(claim);
  const stays = !context.platform.capabilities.deletes && !outputs.adopted && database?.id === databaseId;
  return stays ? stillThere(name, context) : undefined;
}

/** Nobody is to believe that rows are gone. */
const stillThere = (name: string, { platform }: Context): string =>
  `${name}: the database and its rows are still on ${platform.name}, which deletes none for a program: delete it in the platform's console`;

/** What was adopted stays; what this stack made goes, softly where the platform can. */
export function policyOf(outputs: TenantDatabaseOutputs, context: Context): "delete" | "retain" | "soft" {
  if (outputs.deletionPolicy) return outputs.deletionPolicy;
  if (outputs.adopted) return "retain";
  return defaultDeletionPolicy(context.platform.capabilities);
}

/** The engine deletes it although what was to take its place has failed: `--continue-on-error`. */
const wantedBy = (address: string, claim: Claim): TenantryError =>
  new TenantryError(
    "needs-decision",
    `${claim.name}: it was not deleted, because ${address} declares it too, and was refused it.`,
    { fix: handOverFirst(claim, address) },
  );

const takenOver = (claim: Claim, self: string): TenantryError =>
  new TenantryError(
    "not-owner",
    `${claim.name}: the database now belongs to ${claim.address}, so it was not deleted.`,
    { fix: letGoOrTakeBack(claim, self) },
  );

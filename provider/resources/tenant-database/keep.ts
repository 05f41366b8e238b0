import type { Claim } from "../../registry/claim";
import type { Registry } from "../../registry/registry";
import { keptMark } from "../../registry/tenants";
import type { TenantDatabaseOutputs } from "./outputs";
import type { Relocation } from "./relocate";
import { graceOf } from "./trash";

/** What was adopted, or is to be retained, stays under its old name, closed to writes. */
export const retires = (olds: TenantDatabaseOutputs): boolean => olds.deletionPolicy !== "retain" && !olds.adopted;

/** How long what a tenant has left is kept, closed to reads and writes, in ms: a week. Then `tenantry reap` deletes it. */
export const keptFor = 7 * 86_400_000;

/** The same of one whose policy says for how long what is deleted can be brought back. */
const keptForBy = (olds: TenantDatabaseOutputs): number => (olds.deletionPolicy === "soft" ? graceOf(olds) : keptFor);

/** The address of what a resource has left: its own again only for a move back, which makes room. */
export const keptAddress = (self: string): string => self + keptMark;

export const isKept = (claim: Claim | undefined): boolean => claim?.address.endsWith(keptMark) === true;

/**
 * Closes the database that was left and records until when it is kept; answers that. What was adopted, or is to be
 * retained, is nobody's from now on instead, and stays closed to writes.
 */
export async function keepClosed(
  { id, olds, news, from }: Pick<Relocation, "id" | "olds" | "news" | "from">,
  registry: Registry,
  old: Claim | undefined,
): Promise<string | undefined> {
  if (old?.owner !== id || old.databaseId !== olds.databaseId) return undefined;
  if (!retires(olds)) {
    await registry.release(old);
    return undefined;
  }
  const until =
    old.expiresAt !== undefined && isKept(old) ? old.expiresAt : new Date(Date.now() + keptForBy(olds)).toISOString();
  if (!isKept(old)) {
    const { template, tenant } = old;
    await registry.amend(old, { address: keptAddress(news.self), template, tenant, expiresAt: until });
  }
  await from.platform.configureDatabase(olds.name, { blockReads: true, blockWrites: true });
  from.listing.configured(olds.name, { blockReads: true, blockWrites: true });
  return until;
}

/** Records until when the copy is kept through which a tenant went, and closes it. Answers when that is. */
export async function keepCopy({ to }: Relocation, registry: Registry, claim: Claim): Promise<string> {
  const { name, address, template, tenant } = claim;
  const expiresAt = claim.expiresAt ?? new Date(Date.now() + keptFor).toISOString();
  await registry.amend(claim, { address, template, tenant, expiresAt });
  await to.platform.configureDatabase(name, { blockReads: true, blockWrites: true });
  to.listing.configured(name, { blockReads: true, blockWrites: true });
  return expiresAt;
}

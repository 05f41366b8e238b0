import type { Context } from "../context";
import { TenantryError } from "../platform/errors";
import { parseSelf } from "./self";

const removed = new WeakMap<Context, Set<string>>();

/**
 * Called before a refresh says that a database is gone. A platform that suddenly lacks many is more likely another
 * organization, or half an answer, than many deletions: then nothing is called gone and state is left alone.
 *
 * How many would vanish is counted against the registry's claims of this stack; where no registry answers, against what
 * this process has already reported.
 */
export async function allowRemoval(
  context: Context,
  what: { self: string; name: string; group: string; databaseId: string },
): Promise<void> {
  const { stack } = parseSelf(what.self);
  const seen = removed.get(context) ?? new Set();
  removed.set(context, seen.add(what.name));

  const registry = await context.existingRegistry(what.group, stack).catch(() => undefined);
  const claims = await registry?.ofStack(stack).catch(() => undefined);
  const { byName } = await context.listing.databases();
  const held = claims?.filter((claim) => claim.kind === "database" && claim.state === "held") ?? [];
  const vanished = Math.max(seen.size, held.filter((claim) => !byName.has(claim.name)).length);
  const limit = context.settings.maxRemovals ?? Math.max(10, Math.floor(held.length * 0.05));
  if (vanished <= limit) {
    // So that it does not count again in the next refresh. Only an index: what cannot be written is no reason to fail.
    await registry?.gone(what.name, what.databaseId).catch(() => undefined);
    return;
  }
  throw new TenantryError(
    "too-many-removals",
    `${vanished} databases of this stack (more than ${limit}) are not on the platform, "${what.name}" among them; state was left alone.`,
    {
      fix:
        "Check that this is the right organization; if they are really gone, " +
        "raise the limit for one run with TENANTRY_MAX_REMOVALS.",
    },
  );
}

import { type Clock, systemClock } from "../../http/clock";
import { TenantryError } from "../../platform/errors";
import type { WireTenant } from "./wire";

/** TenantsDB docs, tenant life cycle: what ends by itself. No status of failure is documented. */
const passing = new Set(["provisioning", "syncing", "migrating", "restoring", "recovering"]);

export const isPassing = (status: string): boolean => passing.has(status);

export interface Watched {
  readonly name: string;
  /** E.g. `provision tenant "acme"`. */
  readonly doing: string;
  /** How long to wait, in ms. */
  readonly deadline: number;
  /** Whether a tenant that rests is as it is to be. Default: always. */
  readonly isDone?: (tenant: WireTenant) => boolean;
  /**
   * What was asked for cannot be read back, so that a tenant that rests may not have begun: it is taken for done once it
   * was seen at work, or has rested for as long as `beginsWithin`.
   */
  readonly isUnreadable?: boolean;
  readonly look: () => Promise<WireTenant | undefined>;
  /** Told of each status that is new. */
  readonly onStatus?: (status: string) => void;
  readonly clock?: Clock;
}

/** Between two looks, in ms. */
const patience = { first: 250, longest: 5_000 };
/** Within which something that was confirmed shows, in ms. */
const beginsWithin = 20_000;

/** Looks at a tenant until what is under way there has ended. Fails with the status that it stopped at. */
export async function watchTenant(watched: Watched): Promise<WireTenant> {
  const { name, doing, deadline, isDone = () => true, clock = systemClock } = watched;
  const begun = clock.now();
  let seen: string | undefined;
  let wasAtWork = false;
  for (let pause = patience.first; ; pause = Math.min(pause * 1.5, patience.longest)) {
    const tenant = await watched.look();
    if (!tenant) throw gone(name, doing);
    const { status } = tenant;
    if (status !== seen) watched.onStatus?.((seen = status));
    const elapsed = clock.now() - begun;
    if (status === "ready") {
      const begins = elapsed < Math.min(beginsWithin, deadline);
      if (isDone(tenant) && (wasAtWork || !watched.isUnreadable || !begins)) return tenant;
      // A look that follows a confirmed change at once may still see the state before it.
      if (!begins && !isDone(tenant)) throw unchanged(name, doing);
    } else if (isPassing(status)) wasAtWork = true;
    else throw stoppedAt(name, doing, status);
    if (elapsed + pause > deadline) throw stuck(name, doing, status, deadline);
    await clock.sleep(pause);
    if (clock.cancelled.aborted) throw stuck(name, doing, status, clock.now() - begun);
  }
}

const gone = (name: string, doing: string): TenantryError =>
  new TenantryError("database-not-found", `Could not ${doing}: the tenant "${name}" is not there any more.`, {
    fix: "Look who has deleted it, then run `pulumi up` again.",
  });

const unchanged = (name: string, doing: string): TenantryError =>
  new TenantryError("unavailable", `Could not ${doing}: "${name}" is ready again, and as it was before.`, {
    fix: "Look at the tenant in TenantsDB: what was begun has been given up there. Then run `pulumi up` again.",
  });

function stoppedAt(name: string, doing: string, status: string): TenantryError {
  const known = status === "suspended" || status === "deleted";
  const what = known ? `it is ${status}` : `it has the status "${status}", which TenantsDB does not document`;
  return new TenantryError(known ? "not-ready" : "bad-answer", `Could not ${doing}: ${name}: ${what}.`, {
    fix: known
      ? `Bring "${name}" back to work (${status === "deleted" ? "restore" : "resume"}) first.`
      : "Look at the tenant in TenantsDB, and ask its support; then run `pulumi up` again.",
  });
}

const stuck = (name: string, doing: string, status: string, deadline: number): TenantryError =>
  new TenantryError(
    "not-ready",
    `Could not ${doing} within ${Math.round(deadline / 1000)} s: "${name}" is still ${status}.`,
    { fix: "It goes on there: run `pulumi up` again later, or give it longer with `timeouts`." },
  );

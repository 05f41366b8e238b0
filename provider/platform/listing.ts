import type { DatabaseConfiguration, Platform, PlatformDatabase, PlatformGroup } from "./platform";

/** How old a listing may be, in ms, before something is made or deleted on the strength of it. */
export const freshEnough = 5_000;

/**
 * What exists, asked for once and shared: many reads in one run cost one list per page, not one call a tenant.
 * A listing is a snapshot. Whoever needs it fresh says how old it may be; whoever finds something missing confirms that
 * with a single GET before believing it.
 */
export interface Listing {
  /** All databases by name. A snapshot older than `maxAge` ms is taken anew; default: any snapshot of this process. */
  databases(maxAge?: number): Promise<Snapshot<PlatformDatabase>>;
  groups(maxAge?: number): Promise<Snapshot<PlatformGroup>>;
  /** A database as listed, or, where the list lacks it, as a GET of its own says: absence is never taken from a list. */
  database(name: string, maxAge?: number): Promise<PlatformDatabase | undefined>;
  group(name: string): Promise<PlatformGroup | undefined>;
  /** Tells the listing what this process has just made or deleted, so that the snapshot stays true for our own effects. */
  made(database: PlatformDatabase): void;
  /** The same of settings. */
  configured(name: string, change: DatabaseConfiguration): void;
  madeGroup(group: PlatformGroup): void;
  gone(name: string): void;
  /** Whether this process was told that just this database is gone: a platform may show it for some seconds more. */
  isGone(database: { readonly id: string }): boolean;
}

export interface Snapshot<Item> {
  /** When the listing was begun, in ms: all that it lacks was absent at some moment after that. */
  readonly takenAt: number;
  readonly byName: ReadonlyMap<string, Item>;
}

export function createListing(platform: Platform, now: () => number = Date.now): Listing {
  /** Ids: by name as last seen, and those of databases that are gone. */
  const seen = new Map<string, string>();
  const gone = new Set<string>();
  const databases = cached(async () => {
    const byName = new Map<string, PlatformDatabase>();
    for await (const database of platform.listDatabases()) {
      if (gone.has(database.id)) continue;
      byName.set(database.name, database);
      seen.set(database.name, database.id);
    }
    return byName;
  }, now);
  const groups = cached(async () => new Map((await platform.listGroups()).map((group) => [group.name, group])), now);
  return {
    databases: databases.get,
    groups: groups.get,
    async database(name, maxAge) {
      const listed = (await databases.get(maxAge)).byName.get(name);
      const found = listed ?? (await platform.getDatabase(name));
      if (!found || gone.has(found.id)) return undefined;
      seen.set(name, found.id);
      return found;
    },
    async group(name) {
      const listed = (await groups.get()).byName.get(name);
      if (listed) return listed;
      const found = await platform.getGroup(name);
      if (found) groups.edit((byName) => byName.set(name, found));
      return found;
    },
    made(database) {
      gone.delete(database.id);
      seen.set(database.name, database.id);
      databases.edit((byName) => byName.set(database.name, database));
    },
    configured: (name, { blockReads, blockWrites, deleteProtection }) =>
      databases.edit((byName) => {
        const known = byName.get(name);
        if (!known) return;
        byName.set(name, {
          ...known,
          blockReads: blockReads ?? known.blockReads,
          blockWrites: blockWrites ?? known.blockWrites,
          deleteProtection: deleteProtection ?? known.deleteProtection,
        });
      }),
    madeGroup: (group) => groups.edit((byName) => byName.set(group.name, group)),
    gone(name) {
      const id = seen.get(name);
      if (id !== undefined) gone.add(id);
      databases.edit((byName) => byName.delete(name));
    },
    isGone: ({ id }) => gone.has(id),
  };
}

interface Taken<Item> {
  readonly at: number;
  readonly snapshot: Promise<{ takenAt: number; byName: Map<string, Item> }>;
}

/**
 * A snapshot that has reached half of the age that is asked for is taken anew beside its use, so that a long run of
 * creates does not stand still for every listing.
 */
function cached<Item>(load: () => Promise<Map<string, Item>>, now: () => number) {
  let current: Taken<Item> | undefined;
  let next: Taken<Item> | undefined;

  const take = (): Taken<Item> => {
    const at = now();
    const taken: Taken<Item> = { at, snapshot: load().then((byName) => ({ takenAt: at, byName })) };
    taken.snapshot.then(
      () => {
        if (taken !== next) return;
        current = next;
        next = undefined;
      },
      () => {
        // A failed listing is not kept: the next caller asks again.
        if (taken === current) current = undefined;
        if (taken === next) next = undefined;
      },
    );
    return taken;
  };

  return {
    get(maxAge = Infinity) {
      const tooOld = (taken: Taken<Item>): boolean => now() - taken.at > maxAge;
      if (!current || tooOld(current)) {
        current = next && !tooOld(next) ? next : take();
        next = undefined;
      } else if (!next && now() - current.at > maxAge / 2) {
        next = take();
      }
      return current.snapshot;
    },
    edit(change: (byName: Map<string, Item>) => void) {
      for (const taken of [current, next]) {
        void taken?.snapshot.then(({ byName }) => change(byName)).catch(() => undefined);
      }
    },
  };
}

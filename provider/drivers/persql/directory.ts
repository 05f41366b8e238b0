import type { Clock } from "../../http/clock";
import { TenantryError, hasCode } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import type { Api } from "./api";
import { type Catalogue, type Entry, catalogueName } from "./catalogue";
import { inTurns } from "./turns";
import type { WireDatabase } from "./wire";

/** What is in the namespace, by the names that everybody uses: a subject, or the slug of what was made by slug. */
export interface Directory {
  all(): Promise<PlatformDatabase[]>;
  find(name: string): Promise<Found | undefined>;
  /** The id of what has a slug, as listed from now on. */
  idOf(slug: string): Promise<string>;
}

export interface Found {
  readonly database: PlatformDatabase;
  readonly slug: string;
  /** It is a subject's: tokens can be minted for it. */
  readonly bySubject: boolean;
}

/** Counts at which lists are cut off. */
const isRound = (count: number): boolean => count >= 100 && count % 50 === 0;
/** How many that are missing in such a list are looked for, one by one. */
const lookedFor = 3;

/** How old a look may be in which something is found, in ms: each costs as much as the namespace is large. */
const goodFor = 5_000;

export function createDirectory(api: Api, catalogue: Catalogue, clock: Clock): Directory {
  let recent: { readonly at: number; readonly seen: Seen } | undefined;

  const exists = async (slug: string): Promise<boolean> => {
    const { namespaceSlug } = await api.me();
    const doing = { doing: `look up database "${slug}"`, kind: "look" } as const;
    try {
      const path = `/v1/db/${encodeURIComponent(namespaceSlug)}/${encodeURIComponent(slug)}/tables`;
      await api.call(doing, { method: "GET", path });
      return true;
    } catch (error) {
      if (hasCode(error, "database-not-found")) return false;
      throw error;
    }
  };

  const look = inTurns(async (): Promise<Seen> => {
    const at = clock.now();
    const [rows, { namespaceSlug }] = await Promise.all([api.list(), api.me()]);
    const present = new Map(rows.filter(({ branchRef }) => !branchRef).map((row) => [row.slug, row]));
    const isKept = present.has(catalogueName) || (isRound(rows.length) && (await exists(catalogueName)));
    const entries = isKept ? await catalogue.entries() : new Map<string, Entry>();
    if (isRound(rows.length)) {
      const missing = [...entries.values()].filter(({ slug }) => !present.has(slug)).slice(-lookedFor);
      const answering = await Promise.all(missing.map(({ slug }) => exists(slug)));
      if (answering.includes(true)) throw cutShort(rows.length);
    }
    const seen = { present, entries, group: namespaceSlug };
    recent = { at, seen };
    return seen;
  });

  return {
    async all() {
      const { present, entries, group } = await look();
      const names = new Map([...entries.values()].map(({ slug, name }) => [slug, name]));
      return [...present.values()].map((row) => databaseOf(names.get(row.slug) ?? row.slug, row, group));
    },
    async find(name) {
      const known = recent && clock.now() - recent.at < goodFor ? foundIn(recent.seen, name) : undefined;
      // That something is not there is told by nothing but a look of now.
      return known ?? foundIn(await look(), name);
    },
    async idOf(slug) {
      const { present } = await look();
      const row = present.get(slug);
      if (row) return row.id;
      throw new TenantryError("not-ready", `PerSQL has made database "${slug}", and does not list it.`, {
        fix: "Try again in a minute.",
        afterLostReply: true,
      });
    },
  };
}

export const databaseOf = (
  name: string,
  { id, slug }: Pick<WireDatabase, "id" | "slug">,
  group: string,
): PlatformDatabase => ({
  ...{ name, id, hostname: `${group}/${slug}`, group, archived: false },
  ...{ blockReads: undefined, blockWrites: undefined, deleteProtection: undefined, parentId: undefined },
});

interface Seen {
  /** By slug, without branches. */
  readonly present: ReadonlyMap<string, WireDatabase>;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly group: string;
}

function foundIn({ present, entries, group }: Seen, name: string): Found | undefined {
  const entry = entries.get(name);
  const row = present.get(entry?.slug ?? name);
  // What a subject has is known by the subject alone.
  const isAnothers = row && !entry && [...entries.values()].some(({ slug }) => slug === row.slug);
  if (!row || isAnothers) return undefined;
  return { database: databaseOf(name, row, group), slug: row.slug, bySubject: entry !== undefined };
}

const cutShort = (count: number): TenantryError =>
  new TenantryError(
    "unsupported",
    `PerSQL lists only ${count} databases of this namespace, and documents no way to the others.`,
    { fix: "Keep the tenants in several namespaces of less than that, each with its own token and connection." },
  );

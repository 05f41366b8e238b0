import { TenantryError } from "../platform/errors";

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
}

/** Items of all pages, in order; a page is fetched when iteration reaches it, never ahead. */
export async function* pages<Item>(
  fetchPage: (cursor: string | undefined) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield* page.items;
    cursor = page.next;
    // A platform that repeats a cursor would keep us for ever, with the same items again and again.
    if (cursor !== undefined && seen.has(cursor)) {
      throw new TenantryError("bad-answer", "The platform's list does not end: it named the same next page twice.");
    }
    if (cursor !== undefined) seen.add(cursor);
  } while (cursor !== undefined);
}

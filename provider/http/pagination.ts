import { TenantryError } from "../platform/errors";

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
}

export interface PagesOptions<Item> {
  /** What tells two items apart. */
  readonly key: (item: Item) => string;
  /** The list and the platform's host, for messages. */
  readonly where: string;
}

/** Pages one after the other that bring nothing new: a filter may leave some empty, but not for ever. */
const idlePages = 20;

/**
 * Items of all pages, in order; a page is fetched when iteration reaches it, never ahead. Fails with "bad-answer" on a
 * list that does not end: one cursor twice, or ever new cursors to nothing new.
 */
export async function* pages<Item>(
  fetchPage: (cursor: string | undefined) => Promise<Page<Item>>,
  { key, where }: PagesOptions<Item>,
): AsyncGenerator<Item, void, undefined> {
  const endless = (how: string): TenantryError =>
    new TenantryError("bad-answer", `${where}: the list does not end: ${how}.`, {
      fix: "Try again; if it lasts, tell the platform's operator.",
    });
  const cursors = new Set<string>();
  const keys = new Set<string>();
  let cursor: string | undefined;
  let idle = 0;
  for (;;) {
    const page = await fetchPage(cursor);
    const before = keys.size;
    for (const item of page.items) keys.add(key(item));
    idle = keys.size > before ? 0 : idle + 1;
    yield* page.items;
    cursor = page.next;
    if (cursor === undefined) return;
    if (cursors.has(cursor)) throw endless("it named the same next page twice");
    if (idle >= idlePages) throw endless(`${idlePages} pages in a row held nothing new`);
    cursors.add(cursor);
  }
}

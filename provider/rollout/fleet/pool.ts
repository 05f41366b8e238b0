/**
 * Does `work` for each item, at most `limit` at a time, in order of their beginning. `goesOn` is asked before each: once
 * it says no, nothing else is begun, and what is under way ends. Answers when all that was begun has ended; fails, and
 * begins nothing else, as soon as one fails.
 */
export async function inTurn<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
  goesOn: () => boolean = () => true,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    try {
      while (next < items.length && goesOn()) await work(items[next++]!);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

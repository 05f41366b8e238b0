/** What one way of getting the engine came to: the folders to put before PATH, or one line why it did not work. */
export type Found = { folders: string[] } | { why: string };

/** One way of getting the engine. `name` completes the sentence "no engine from <name>". */
export interface Way {
  name: string;
  find(): Promise<Found>;
}

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * The engine's binding cannot finalize a prepared statement: the files of a closed connection stay open until its
 * statements are collected as garbage, and nothing tells the collector how dear they are. A fleet touched in one sweep
 * would hold thousands of files.
 *
 * @param every How many connections may have closed since the last collection.
 * @returns What to call whenever a connection has closed.
 */
export function createReclaimer(every = 32): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options: { type: "minor" }) => void;
  let closed = 0;
  return () => {
    closed++;
    if (closed < every) return;
    closed = 0;
    // Statements die young: collecting only young objects finds nearly all of them, within a millisecond.
    collect({ type: "minor" });
  };
}

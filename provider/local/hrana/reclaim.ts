import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * The engine's binding cannot finalize a prepared statement: the files of a closed connection stay open until its
 * statements are collected as garbage, and nothing tells the collector how dear they are. A fleet touched in one sweep
 * would hold thousands of files.
 *
 * @param every How many connections may have closed since the last collection.
 * @returns What to call whenever a connection has closed, with whether it had kept statements for long.
 */
export function createReclaimer(every = 16): (hadKept: boolean) => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  let young = 0;
  let old = 0;
  return (hadKept) => {
    if (hadKept) old++;
    else young++;
    if (young < every && old < every) return;
    // Most statements die young: collecting only young objects finds them, in a tenth of a millisecond. All objects take
    // a hundred times as long.
    if (old < every) collect({ type: "minor" });
    else collect();
    if (old >= every) old = 0;
    young = 0;
  };
}

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Counts answers and now and then collects garbage. libSQL's binding cannot finalize a statement, and a closed
 * connection keeps its files open until its statements are collected, which a busy process may put off until it has no
 * file descriptor left (1,024 is a usual limit, and a connection takes three).
 */
export function createReclaimer(every = 64): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  let count = 0;
  return () => {
    count += 1;
    if (count % every !== 0) return;
    if (process.env.RECLAIM === "minor" && count % (every * 8) !== 0) collect({ type: "minor" });
    else collect();
  };
}

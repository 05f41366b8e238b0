import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What may lie around uncollected, in bytes. */
const allowance = 32 << 20;

/**
 * To be called after each page. V8 lets a heap grow to hundreds of MB before it looks for what is not needed any more,
 * and pages in flight are just old enough to be kept until then: several tenants on their way at once would need that
 * many times the memory. So it is told when a few pages' worth lies around, which takes it some ms.
 */
export function createGarbageCollector(): () => void {
  const collect = collector();
  let least = used();
  return () => {
    if (used() - least < allowance) return;
    collect();
    least = used();
  };
}

const used = (): number => {
  const { used_heap_size: heap, external_memory: outside } = getHeapStatistics();
  return heap + outside;
};

let known: (() => void) | undefined;

/** Node's `--expose-gc`, which can be set while it runs: a context made afterwards has the function. */
function collector(): () => void {
  if (known) return known;
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return (known = typeof gc === "function" ? () => void gc() : () => undefined);
}

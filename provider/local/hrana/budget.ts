import { StatementError } from "./fault";
import type { WireValue } from "./value";

/** How much the rows of one answer may take, so that no query fills a process's memory. */
export interface Budget {
  /** Throws StatementError RESPONSE_TOO_LARGE once the rows are more than the answer may hold. */
  spend(row: readonly WireValue[]): void;
}

/** @param bytes Default: 10 MB, that of a libSQL server (`--max-response-size`). */
export function newBudget(bytes = 10 * 1024 * 1024): Budget {
  let left = bytes;
  return {
    spend(row) {
      for (const value of row) left -= sizeOf(value);
      if (left < 0)
        throw new StatementError("RESPONSE_TOO_LARGE", `Response is too large: over ${bytes} bytes of rows`);
    },
  };
}

function sizeOf(value: WireValue): number {
  if (value.type === "text") return value.value.length;
  return value.type === "blob" ? value.base64.length : 8;
}

import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";

export interface LargePlan {
  /** For plan and text. */
  readonly seconds: number;
  /** For a bare loop over the same ledgers. */
  readonly loop: number;
  readonly pending: number;
  readonly waves: number;
  readonly lines: number;
}

/** The young generation takes three times what `--max-semi-space-size` says. */
const young = 2;

/**
 * Plans a change of 10,000 tenants in a process that is given so much heap, in MiB, and fails where that is not enough.
 * Needs `npm run build`.
 */
export async function planLargeFleet(heap = 60): Promise<LargePlan> {
  const limits = [`--max-semi-space-size=${young}`, `--max-old-space-size=${heap - 3 * young}`];
  const { stdout } = await promisify(execFile)(process.execPath, [...limits, path.join(__dirname, "planner.js")]);
  return JSON.parse(stdout) as LargePlan;
}

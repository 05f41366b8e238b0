import { holds, type StepOutcome } from "./condition";
import { StatementError } from "./fault";
import type { WireBatch, WireStatement } from "./protocol";
import type { WireResult } from "./statement";

export interface WireError {
  readonly message: string;
  readonly code: string;
}

export interface WireBatchResult {
  readonly step_results: readonly (WireResult | null)[];
  readonly step_errors: readonly (WireError | null)[];
  readonly replication_index: null;
}

export interface BatchTarget {
  execute(statement: WireStatement): Promise<WireResult>;
  isAutocommit(): Promise<boolean>;
}

/** Runs the steps in their order, each one if its condition holds. A failing step stops nothing by itself. */
export async function runBatch(target: BatchTarget, batch: WireBatch): Promise<WireBatchResult> {
  const outcomes: StepOutcome[] = [];
  const results: (WireResult | null)[] = [];
  const errors: (WireError | null)[] = [];
  for (const step of batch.steps) {
    let result: WireResult | null = null;
    let error: WireError | null = null;
    if (!step.condition || holds(step.condition, outcomes, await target.isAutocommit())) {
      try {
        result = await target.execute(step.stmt);
      } catch (caught) {
        error = wireError(caught);
      }
    }
    results.push(result);
    errors.push(error);
    outcomes.push(result !== null ? "ok" : error !== null ? "error" : "skipped");
  }
  return { step_results: results, step_errors: errors, replication_index: null };
}

/** The in-band form of a statement's failure. Anything else is no matter of one statement and goes on up. */
export function wireError(error: unknown): WireError {
  if (error instanceof StatementError) return { message: error.message, code: error.code };
  throw error;
}

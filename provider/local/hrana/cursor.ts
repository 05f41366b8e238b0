import { type WireError, wireError } from "./batch";
import { holds, type StepOutcome } from "./condition";
import type { Column } from "./execution";
import type { WireBatch, WireStatement } from "./protocol";
import type { Rows } from "./statement";
import type { WireValue } from "./value";

/** What a cursor tells of a batch, one line each. Source: the Hrana protocol, version 3, "Cursor entries". */
export type CursorEntry =
  | { type: "step_begin"; step: number; cols: readonly Column[] }
  | { type: "row"; row: readonly WireValue[] }
  | { type: "step_end"; affected_row_count: number; last_insert_rowid: string | null }
  | { type: "step_error"; step: number; error: WireError };

export interface CursorTarget {
  start(statement: WireStatement): Promise<Rows>;
  isAutocommit(): Promise<boolean>;
}

/**
 * Runs the steps of a batch as `runBatch` does, telling each row when it is asked for. A reader that stops early stops
 * the statement under way.
 */
export async function* runCursor(target: CursorTarget, batch: WireBatch): AsyncGenerator<CursorEntry> {
  const outcomes: StepOutcome[] = [];
  for (const [step, { stmt, condition }] of batch.steps.entries()) {
    if (condition && !holds(condition, outcomes, await target.isAutocommit())) {
      outcomes.push("skipped");
      continue;
    }
    let rows: Rows | undefined;
    try {
      rows = await target.start(stmt);
      yield { type: "step_begin", step, cols: rows.cols };
      for (let row = rows.next(); row !== undefined; row = rows.next()) {
        if (stmt.want_rows !== false) yield { type: "row", row };
      }
      const { affected_row_count, last_insert_rowid } = rows.end();
      rows = undefined;
      yield { type: "step_end", affected_row_count, last_insert_rowid };
      outcomes.push("ok");
    } catch (error) {
      yield { type: "step_error", step, error: wireError(error) };
      outcomes.push("error");
    } finally {
      rows?.stop();
    }
  }
}

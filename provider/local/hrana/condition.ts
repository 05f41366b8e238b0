import { ProtocolError } from "./fault";
import type { Condition } from "./protocol";

/** How a step of a batch ended; "skipped" when its own condition did not hold. */
export type StepOutcome = "ok" | "error" | "skipped";

/** Tells whether a condition holds. A skipped step is neither ok nor an error. */
export function holds(condition: Condition, outcomes: readonly StepOutcome[], isAutocommit: boolean): boolean {
  switch (condition.type) {
    case "ok":
    case "error": {
      const outcome = outcomes[condition.step];
      if (outcome === undefined) throw new ProtocolError(`condition on step ${condition.step}, which has not run yet`);
      return outcome === condition.type;
    }
    case "not":
      return !holds(condition.cond, outcomes, isAutocommit);
    case "and":
      return condition.conds.every((inner) => holds(inner, outcomes, isAutocommit));
    case "or":
      return condition.conds.some((inner) => holds(inner, outcomes, isAutocommit));
    case "is_autocommit":
      return isAutocommit;
  }
}

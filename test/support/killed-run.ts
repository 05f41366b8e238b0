import { withDoomedRun } from "./doomed-run";
import type { Fate, LineCall } from "./faulty-line";
import { comeBack } from "./kill-stage";
import type { Scene } from "./scene";

/** Where a command dies: before or after its n-th write, counted from 1. */
export interface KillAtWrite {
  readonly victim: "engine" | "provider";
  readonly write: number;
  readonly when: "before" | "after";
}

/**
 * Runs `pulumi` with these arguments and kills its engine or its provider at a write; then `next`, at once. Answers whether
 * the kill came about: a run may have less to write.
 */
export async function withKilledRun(
  { project, fault }: Scene,
  args: string[],
  { victim, write, when }: KillAtWrite,
  next: () => Promise<void>,
  env: Record<string, string> = {},
): Promise<boolean> {
  let isKilled = false;
  await withDoomedRun(
    project,
    args,
    async (run) => {
      const act = (): void => {
        isKilled = true;
        if (victim === "engine") run.killEngine();
        else run.killProvider();
      };
      let writes = 0;
      fault((call: LineCall): Fate => {
        if (isKilled || call.method === "GET" || ++writes !== write) return "pass";
        if (when === "after") return () => (act(), victim === "engine" ? "pass" : "lose");
        act();
        return "drop";
      });
      await run.ended;
      await comeBack(project, victim === "engine" && isKilled);
      fault();
      // At once, beside a provider that has not noticed yet.
      await next();
      await run.providersEnded();
    },
    env,
  );
  return isKilled;
}

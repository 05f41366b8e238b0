import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import type { Say } from "../schema-rollout/narration";
import { requireScope } from "../scope";
import { count, someOf } from "./change-text";
import type { TenantFleetOutputs } from "./outputs";
import { unpackFleet } from "./pack";
import { removeTenant } from "./settle";
import { createTelling } from "./telling";
import { createWatch } from "./watch";

/**
 * Removes every tenant as its own policy says, from state alone. Where some could not go, state keeps all of them: to
 * remove what is gone already does nothing.
 */
export async function removeTenantFleet(
  outputs: TenantFleetOutputs,
  context: Context,
  say: Say,
): Promise<string | undefined> {
  const scope = await requireScope(context, outputs.scope);
  const records = unpackFleet(outputs.packed);
  const telling = createTelling({ create: [], change: [], replace: [], bring: new Map(), remove: records }, say);
  const watch = createWatch(context, telling.one);
  const failures: { id: string; error: Error }[] = [];
  const notes: string[] = [];
  telling.begin("remove");
  await watch.each(
    records,
    async (record) => {
      const note = await removeTenant({ context, olds: outputs, scope }, record);
      if (note !== undefined) notes.push(note);
    },
    ({ id }, error) => {
      const reason = error instanceof Error ? error : new Error(String(error));
      failures.push({ id, error: reason });
    },
  );
  await telling.end();
  if (failures.length === 0) return notes.length > 0 ? someOf(notes) : undefined;
  const [first] = failures;
  if (failures.length === 1 && !watch.stopped) throw first!.error;
  const lines = failures.slice(0, 5).map(({ id, error }) => `\n  ${id}: ${error.message}`);
  const rest = failures.length > 5 ? [`\n  and ${count(failures.length - 5)} more`] : [];
  throw new TenantryError(
    first!.error instanceof TenantryError ? first!.error.code : "unavailable",
    `${count(failures.length)} of ${count(records.length)} tenants could not be removed` +
      `${watch.stopped ? ", and no other was begun" : ""}:${[...lines, ...rest].join("")}`,
    { fix: "\nCorrect that and run it again: those that are gone stay gone." },
  );
}

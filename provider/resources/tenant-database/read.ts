import type { Context } from "../../context";
import { successorOf } from "../handed-over";
import { allowRemoval } from "../removals";
import { requireScope } from "../scope";
import { declaredConfiguration, observeConfiguration } from "./configuration";
import { type TenantDatabaseOutputs, outputsOf } from "./outputs";
import { observedParts } from "./parts";
import { reportVersion } from "./schema";
import { isInTrash } from "./trash";

/** What is there now; undefined when it is confirmed to be gone. */
export async function readTenantDatabase(
  id: string,
  outputs: TenantDatabaseOutputs,
  context: Context,
): Promise<TenantDatabaseOutputs | undefined> {
  await requireScope(context, outputs.scope);
  const found = await context.listing.database(outputs.name);
  // Another database under the same name is a stranger's: ours is gone.
  const database = found?.id === outputs.databaseId ? found : undefined;
  if (!database) {
    const ended = outputs.expiresAt !== undefined && Date.parse(outputs.expiresAt) <= Date.now();
    if (outputs.status === "expired" || ended) return { ...outputs, status: "expired" };
    // What is another's by now counts as no loss of this stack's.
    if ((await successorOf(context, id, outputs)) === undefined) await allowRemoval(context, outputs);
    return undefined;
  }
  // A run was killed after it had put it into the trash.
  if (await isInTrash(context, database, outputs)) return undefined;
  context.identities.set(outputs.name, database.id);
  const observed = await observeConfiguration(context, database, declaredConfiguration(outputs));
  return {
    ...outputsOf(context, outputs, database, observed, outputs),
    ...observedParts(outputs, database.parts),
    schemaVersion: outputs.schema && (await reportVersion(context, outputs, outputs.schemaVersion)),
  };
}

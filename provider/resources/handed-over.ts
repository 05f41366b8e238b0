import type { Context } from "../context";
import { SqlError, TenantryError } from "../platform/errors";
import { parseSelf } from "./self";

/**
 * The address to which a database was handed over on purpose. Undefined where it was not, and where the registry does
 * not answer: what goes on without it does so here too. `id` is the owner's, `self` its address.
 */
export async function successorOf(
  context: Context,
  id: string,
  { self, group, name }: { readonly self: string; readonly group: string; readonly name: string },
): Promise<string | undefined> {
  try {
    const registry = await context.existingRegistry(group, parseSelf(self).stack);
    return await registry?.handedOver({ kind: "database", name, owner: id });
  } catch (error) {
    if (error instanceof TenantryError || error instanceof SqlError) return undefined;
    throw error;
  }
}

/** What a resource says of a database that was handed over from it on purpose. */
export const leftTo = (address: string, name: string): string =>
  `${name}: left as it is, because it was handed over to ${address}`;

import { createHash } from "node:crypto";

/** For ever: a tenant's bucket follows from its id alone, whoever else there is. */
const buckets = 64;

/**
 * The stacks, and the buckets that each has, first and last. To split one, give a part of its buckets to a new stack and
 * hand those tenants over (`npx tenantry move <ids> --to-fleet prod --to-stack ...`, see "Moving tenants" in the README):
 * nothing is made or deleted.
 */
export const stacks: Record<string, readonly [first: number, last: number]> = {
  "shard-a": [0, 31],
  "shard-b": [32, 63],
};

export function stackOf(id: string): string {
  const bucket = createHash("sha256").update(id).digest().readUInt32BE() % buckets;
  const found = Object.entries(stacks).find(([, [first, last]]) => first <= bucket && bucket <= last);
  if (!found) throw new Error(`No stack has bucket ${bucket}, which tenant ${id} is in.`);
  return found[0];
}

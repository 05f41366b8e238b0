import { createHash } from "node:crypto";

type Buckets = readonly [first: number, last: number];

/** For ever: a tenant's bucket follows from its id alone, whoever else there is. */
const buckets = 64;

/** The groups, and the buckets that each has. For ever too: a database stays where it is, whichever stack has it. */
const groups: Record<string, Buckets> = { "eu-1": [0, 31], "eu-2": [32, 63] };

/**
 * The stacks: their buckets, and the groups that they make; those of other stacks they use by name. To split one, give a
 * part of its buckets to a new stack, hand those tenants over, and deploy both; nothing is made or deleted:
 * `npx tenantry move tenant-<id>... --stack <this> --to-fleet prod --to-stack organization/<project>/<new>`
 */
export const stacks: Record<string, { readonly buckets: Buckets; readonly groups: readonly string[] }> = {
  "shard-a": { buckets: [0, 31], groups: ["eu-1"] },
  "shard-b": { buckets: [32, 63], groups: ["eu-2"] },
};

const bucketOf = (id: string): number => createHash("sha256").update(id).digest().readUInt32BE() % buckets;

const has = ([first, last]: Buckets, bucket: number): boolean => first <= bucket && bucket <= last;

export const groupOf = (id: string): string => Object.keys(groups).find((name) => has(groups[name]!, bucketOf(id)))!;

export function stackOf(id: string): string {
  const bucket = bucketOf(id);
  const found = Object.keys(stacks).find((name) => has(stacks[name]!.buckets, bucket));
  if (found === undefined) throw new Error(`No stack has bucket ${bucket}, which tenant ${id} is in.`);
  return found;
}
